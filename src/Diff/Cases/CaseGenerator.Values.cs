namespace Emu.Diff.Cases;

/// <summary>Input registers and memory.</summary>
internal sealed unsafe partial class CaseGenerator
{
    private const int PoolVectors = 1024;
    private const int PoolExtended = 512;
    private const int PoolBytes = 64 * 1024;

    private static readonly ulong[] Doubles =
    [
        0, 0x8000_0000_0000_0000, 0x3ff0_0000_0000_0000, 0xbff0_0000_0000_0000, 0x7ff0_0000_0000_0000, 0xfff0_0000_0000_0000, 0x7ff8_0000_0000_0000,
        0x7ff0_0000_0000_0001, 0xfff4_0000_0000_1234, 1, 0x000f_ffff_ffff_ffff, 0x0010_0000_0000_0000, 0x7fef_ffff_ffff_ffff, 0x4330_0000_0000_0001,
        0x41df_ffff_ffc0_0000, 0x41e0_0000_0000_0000, 0x43e0_0000_0000_0000, 0x3fe0_0000_0000_0000, 0x36a0_0000_0000_0000, 0x47ef_ffff_e000_0000,
    ];

    private static readonly uint[] Singles =
    [
        0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f80_0001, 0xffa0_1234, 1, 0x007f_ffff, 0x0080_0000,
        0x7f7f_ffff, 0x4f00_0000, 0x4eff_ffff, 0x5f00_0000, 0x3f00_0000, 0x4b00_0001, 0xcf00_0000,
    ];

    // CR0.TS, CR0.EM, both; without CR4.OSXMMEXCPT, CR4.OSFXSR, CR4.OSXSAVE.
    private static readonly ulong[] ControlChanges = [8, 8, 4, 12, 0x400UL << 32, 0x200UL << 32, 0x4_0000UL << 32];

    private static readonly ushort[] PrecisionControls = [0, 0x200, 0x300, 0x300];

    // Values are taken from pools made once per seed: making each anew would cost more than running the case.
    private readonly byte[] _vectors = new byte[PoolVectors * 16];
    private readonly byte[] _extended = new byte[PoolExtended * 16];
    private readonly byte[] _memory = new byte[PoolBytes];

    private void MakePools()
    {
        _random.Restart(_options.Seed ^ 0x706f_6f6c);
        fixed (byte* vectors = _vectors, extended = _extended, memory = _memory)
        {
            for (int i = 0; i < PoolVectors * 2; i++)
            {
                ((ulong*)vectors)[i] = VectorValue();
            }

            for (int i = 0; i < PoolExtended; i++)
            {
                MakeExtended(extended + (16 * i));
            }

            for (int i = 0; i < PoolBytes / 8; i++)
            {
                ((ulong*)memory)[i] = _random.OneIn(3) ? VectorValue() : _random.Value();
            }
        }
    }

    private void MakeInput()
    {
        CaseState* state = &_input->State;
        state->Fault = CaseState.NoFault;
        state->FaultError = 0;
        state->FaultAddress = 0;
        int registers = Bitness == 64 ? 16 : 8;
        for (int i = 0; i < 16; i++)
        {
            ulong value = _random.Value();
            state->Gpr[i] = i >= registers ? 0 : Bitness == 64 ? value : (uint)value;
        }

        ChooseAddressing();
        int stack = _random.OneIn(8) ? _random.Below(64) - 32 : 8 * (_random.Below(9) - 4);
        state->Gpr[4] = StackMiddle + (ulong)stack;
        state->Rflags = (_random.Next() & 0x8d5) | 0x202;
        state->Rflags |= _risky && _random.OneIn(TrapShare) ? AlignmentCheck : 0;
        state->Control = _risky && _random.OneIn(16) ? _random.Pick(ControlChanges) : 0;
        _case.Control = state->Control;
        MakeFloatingInput(state);
        _memory.AsSpan(_random.Below((PoolBytes - CaseLayout.WindowBytes) / 8) * 8, CaseLayout.WindowBytes).CopyTo(new Span<byte>(_input->Memory, CaseLayout.WindowBytes));
    }

    private void ChooseAddressing()
    {
        _addressBits = Bitness switch
        {
            64 => _random.OneIn(8) ? 32 : 64,
            32 => 32,
            _ => _random.OneIn(2) ? 32 : 16,
        };
        ChooseAddressRegisters();
        ulong pointer = Data + PageSize - 128 + (uint)_random.Below(256);
        ulong index = (ulong)(_random.Below(64) - 32);
        if (_addressBits < 64)
        {
            // What lies above an address of 16 or 32 bits must not matter.
            ulong above = Bitness == 64 ? ulong.MaxValue << 32 : _addressBits == 16 ? 0xffff_0000 : 0;
            pointer |= _random.Next() & above;
            index = _random.Value() & (Bitness == 64 ? ulong.MaxValue : uint.MaxValue);
        }

        _input->State.Gpr[_baseRegister - Iced.Intel.Register.RAX] = pointer;
        _input->State.Gpr[_indexRegister - Iced.Intel.Register.RAX] = index;
    }

    private void MakeFloatingInput(CaseState* state)
    {
        bool unmasked = _risky && _random.OneIn(8);
        state->X87Control = (ushort)(_random.OneIn(2) ? 0x37f : 0x7f | _random.Pick(PrecisionControls) | (_random.Below(4) << 10));
        state->X87Control &= (ushort)(unmasked ? ~_random.Below(64) : -1);
        state->X87Status = (ushort)((_random.Below(8) << 11) | (_random.OneIn(4) ? _random.Below(8) << 8 : 0));
        state->X87Tags = (byte)(_random.OneIn(2) ? 0xff : _random.Next());
        state->Mxcsr = _random.OneIn(2) ? 0x1f80 : 0x1f80 | ((uint)_random.Below(8) << 13) | (uint)_random.Below(128);
        if (unmasked)
        {
            state->Mxcsr &= ~((uint)_random.Below(64) << 7) & ~0x3fu;
        }

        _extended.AsSpan(_random.Below(PoolExtended - 7) * 16, 8 * 16).CopyTo(new Span<byte>(state->Fx + 32, 8 * 16));
        _vectors.AsSpan(_random.Below(PoolVectors - 15) * 16, 16 * 16).CopyTo(new Span<byte>(state->Fx + 160, 16 * 16));
        _vectors.AsSpan(_random.Below(PoolVectors - 15) * 16, CaseState.UpperVectorBytes).CopyTo(new Span<byte>(state->UpperVector, CaseState.UpperVectorBytes));
    }

    /// <summary>Eight bytes that are interesting as floats, doubles or integers.</summary>
    private ulong VectorValue() => _random.Below(4) switch
    {
        0 => Doubles[_random.Below(Doubles.Length)],
        1 => Singles[_random.Below(Singles.Length)] | ((ulong)Singles[_random.Below(Singles.Length)] << 32),
        2 => _random.OneIn(2) ? NearOne() : _random.Value(),
        _ => _random.Value(),
    };

    private ulong NearOne() => _random.OneIn(2)
        ? (_random.Next() & 0x800f_ffff_ffff_ffff) | ((ulong)(1023 - 30 + _random.Below(60)) << 52)
        : (_random.Next() & 0x807f_ffff_807f_ffff) | ((ulong)(127 - 10 + _random.Below(20)) << 23) | ((ulong)(127 - 10 + _random.Below(20)) << 55);

    private void MakeExtended(byte* register)
    {
        ulong fraction = _random.OneIn(3) ? 0x8000_0000_0000_0000 : _random.Next() | 0x8000_0000_0000_0000;
        int exponent = _random.Below(16) switch
        {
            0 => 0,
            1 => 0x7fff,
            2 => 0x7ffe,
            3 => 1,
            4 => _random.Below(0x8000),
            5 => 0x3fff - 1075 + _random.Below(80),
            6 => 0x3fff - 150 + _random.Below(30),
            _ => 0x3fff - 8 + _random.Below(72),
        };
        fraction = _random.Below(24) switch { 0 => 0, 1 => _random.Next() & long.MaxValue, 2 => 0xc000_0000_0000_0000, 3 => 0x8000_0000_0000_0001, _ => fraction };
        *(ulong*)register = _random.OneIn(4) ? VectorValue() : fraction;
        *(ushort*)(register + 8) = (ushort)(exponent | (_random.OneIn(2) ? 0x8000 : 0));
    }
}
