using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>The setup some instructions need to do something sensible.</summary>
internal sealed unsafe partial class CaseGenerator
{
    /// <summary>Adds what an instruction needs before it. False when a reserved register is in the way.</summary>
    private bool TryPrepare(ref Instruction instruction, InstructionForm form) => instruction.Mnemonic switch
    {
        _ when form.Topic == "string" => TryPrepareString(instruction),
        _ when form.IsGather => TryPrepareGather(instruction),
        Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc => TryPrepareBit(instruction),
        Mnemonic.Div or Mnemonic.Idiv => (_risky && _random.OneIn(4)) || TryPrepareDivision(instruction),
        Mnemonic.Xlatb => TrySet(Register.RBX, Data + PageSize - 128),
        Mnemonic.Cmpxchg => _random.OneIn(2) || TryPrepareCompareExchange(instruction),
        Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b => _random.OneIn(2) || TryPrepareWideExchange(instruction),
        Mnemonic.Popf or Mnemonic.Popfq or Mnemonic.Popfd => PrepareFlags(),
        Mnemonic.Enter or Mnemonic.Leave => TrySet(Register.RBP, StackMiddle + (ulong)(8 * (_random.Below(16) - 8))),
        Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu => TrySet(Register.RDI, Data + PageSize - 128 + (uint)_random.Below(256)),
        Mnemonic.Ldmxcsr or Mnemonic.Vldmxcsr => (_risky && _random.OneIn(8)) || EmitToMemory(instruction, Code32Store, 0x1f80 | (_random.Next() & 0xe07f)),
        Mnemonic.Fldcw => (_risky && _random.OneIn(8)) || EmitToMemory(instruction, Iced.Intel.Code.Mov_rm16_imm16, 0x37f | (_random.Next() & 0xc00)),
        Mnemonic.Jmp or Mnemonic.Call or Mnemonic.Ret => TryPrepareJump(instruction, form),
        _ => true,
    };

    // The three registers must differ (SDM vol. 2, VGATHERDPD: else #UD), which a risky case may leave to chance.
    private bool TryPrepareGather(in Instruction instruction)
    {
        Register index = Register.YMM0 + instruction.MemoryIndex.GetNumber();
        bool narrow = instruction.Mnemonic is Mnemonic.Vgatherdps or Mnemonic.Vgatherdpd or Mnemonic.Vpgatherdd or Mnemonic.Vpgatherdq;
        bool unique = instruction.Op0Register.GetNumber() != instruction.Op2Register.GetNumber()
            && instruction.MemoryIndex.GetNumber() != instruction.Op0Register.GetNumber() && instruction.MemoryIndex.GetNumber() != instruction.Op2Register.GetNumber();
        return (unique || (_risky && _random.OneIn(4)))
            && Emit(Instruction.Create(narrow ? Iced.Intel.Code.VEX_Vpsrad_ymm_ymm_imm8 : Iced.Intel.Code.VEX_Vpsrlq_ymm_ymm_imm8, index, index, narrow ? 28 : 60));
    }

    private const Code Code32Store = Iced.Intel.Code.Mov_rm32_imm32;

    private bool TryPrepareString(in Instruction instruction)
    {
        const int Reach = 12;
        ulong above = Bitness == 64 && _addressBits == 32 ? _random.Next() << 32 : 0;
        ulong count = _random.OneIn(4) ? (ulong)_random.Below(2) : (ulong)_random.Below(Reach);
        bool backward = _random.OneIn(3);
        bool repeated = instruction.HasRepPrefix || instruction.HasRepnePrefix;
        ulong window = Data + PageSize - (CaseLayout.DataWindow / 2);
        ulong destination = !backward && _risky && _random.OneIn(3) ? Data + (2 * PageSize) - 40 : window + 104 + (uint)_random.Below(240);
        return TrySet(Register.RSI, above | (window + 104 + (uint)_random.Below(240)))
            && TrySet(Register.RDI, above | destination)
            && (!repeated || TrySet(Register.RCX, above | count))
            && Emit(Instruction.Create(backward ? Iced.Intel.Code.Std : Iced.Intel.Code.Cld));
    }

    // A register bit number reaches 2^60 bytes to both sides; keep it near.
    private bool TryPrepareBit(in Instruction instruction) => instruction.Op0Kind != OpKind.Memory || instruction.Op1Kind != OpKind.Register
        || TrySet(instruction.Op1Register.GetFullRegister(), instruction.Op1Register.GetSize() switch
        {
            2 => (_random.Next() & ~0xffffUL) | (ushort)(_random.Below(1024) - 512),
            4 => (_random.Next() & ~0xffff_ffffUL) | (uint)(_random.Below(1024) - 512),
            _ => (ulong)(_random.Below(1024) - 512),
        });

    private bool TryPrepareDivision(in Instruction instruction)
    {
        bool memory = instruction.Op0Kind == OpKind.Memory;
        int bits = 8 * (memory ? instruction.MemorySize.GetSize() : instruction.Op0Register.GetSize());
        Register register = memory ? Register.None : instruction.Op0Register.GetFullRegister();
        if (register is Register.RAX or Register.RDX || instruction.Op0Register is Register.AH or Register.DH or Register.CH or Register.BH)
        {
            // Divides by a part of the dividend: by AH, DH or DL something small, by RAX or RDX itself.
            return PrepareOverlappingDivision(instruction.Op0Register, register, bits);
        }

        UInt128 ones = UInt128.MaxValue >> (128 - bits);
        UInt128 divisor = (_random.Value() | 1) & ones;
        Int128 signedDivisor = (Int128)(divisor << (128 - bits)) >> (128 - bits);
        ulong quotient = _random.Value();
        Int128 signedQuotient = ((Int128)quotient << (128 - bits)) >> (128 - bits);
        UInt128 dividend = instruction.Mnemonic == Mnemonic.Div
            ? ((quotient & ones) * divisor) + (_random.Next() % divisor)
            : (UInt128)(signedQuotient * signedDivisor);
        ulong high = bits == 8 ? _random.Next() : (ulong)((dividend >> bits) & ones);
        ulong low = bits == 8 ? (ulong)(dividend & 0xffff) : (ulong)(dividend & ones);
        if (memory)
        {
            Code store = bits switch { 8 => Iced.Intel.Code.Mov_rm8_r8, 16 => Iced.Intel.Code.Mov_rm16_r16, 32 => Iced.Intel.Code.Mov_rm32_r32, _ => Iced.Intel.Code.Mov_rm64_r64 };
            if (!TrySet(Register.RAX, (ulong)divisor) || !Emit(WithMemory(instruction, store, bits == 8 ? Register.AL : Part(Register.RAX, bits / 8))))
            {
                return false;
            }
        }
        else if (!TrySet(register, (ulong)divisor))
        {
            return false;
        }

        return TrySet(Register.RDX, high) && TrySet(Register.RAX, low);
    }

    private bool PrepareOverlappingDivision(Register divisor, Register full, int bits)
    {
        ulong value = (_random.Value() & 0x7f) | 0x0101_0101_0101_0101;
        return (full == Register.RAX || TrySet(full, value))
            && (bits > 8 && full == Register.RDX ? TrySet(Register.RDX, 1) && TrySet(Register.RAX, 0) && _risky
                : (bits == 8 || TrySet(Register.RDX, 0)) && TrySet(Register.RAX, bits == 8 ? (divisor == Register.AH ? 0x0101UL : (ulong)_random.Below(100) | 1) : _random.Value() | 1));
    }

    // The accumulator gets the destination's value, so that the exchange happens.
    private bool TryPrepareCompareExchange(in Instruction instruction)
    {
        Instruction load = instruction;
        int size = instruction.Op1Register.GetSize();
        load.Code = size switch { 1 => Iced.Intel.Code.Mov_r8_rm8, 2 => Iced.Intel.Code.Mov_r16_rm16, 4 => Iced.Intel.Code.Mov_r32_rm32, _ => Iced.Intel.Code.Mov_r64_rm64 };
        load.HasLockPrefix = false;
        load.Op1Kind = instruction.Op0Kind;
        load.Op1Register = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        load.Op0Kind = OpKind.Register;
        load.Op0Register = size == 1 ? Register.AL : Part(Register.RAX, size);
        return !IsReserved(Register.RAX) && Emit(load);
    }

    private bool TryPrepareWideExchange(in Instruction instruction)
    {
        bool wide = instruction.Mnemonic == Mnemonic.Cmpxchg16b;
        if (IsReserved(Register.RAX) || IsReserved(Register.RDX))
        {
            return false;
        }

        Code move = wide ? Iced.Intel.Code.Mov_r64_rm64 : Iced.Intel.Code.Mov_r32_rm32;
        Instruction low = WithMemory(instruction, move, wide ? Register.RAX : Register.EAX, load: true);
        Instruction high = WithMemory(instruction, move, wide ? Register.RDX : Register.EDX, load: true);
        SetDisplacement(ref high, (long)high.MemoryDisplacement64 + (wide ? 8 : 4));
        return Emit(low) && Emit(high);
    }

    private bool PrepareFlags()
    {
        Instruction store = default;
        store.Code = Bitness == 64 ? Iced.Intel.Code.Mov_rm64_imm32 : Code32Store;
        store.Op0Kind = OpKind.Memory;
        store.MemoryBase = Bitness == 64 ? Register.RSP : Register.ESP;
        store.Op1Kind = Bitness == 64 ? OpKind.Immediate32to64 : OpKind.Immediate32;
        ulong flags = (_random.Next() & LoadableFlags) | (_risky && _random.OneIn(4) ? AlignmentCheck : 0);
        store.SetImmediate(1, (int)flags | 0x202);
        return Emit(store);
    }

    // A single step: POPF sets TF, which traps behind the next instruction.
    private bool EmitTrap()
    {
        ulong flags = (_random.Next() & LoadableFlags) | Trap | 0x202;
        Code push = Bitness switch { 64 => Iced.Intel.Code.Pushq_imm32, 32 => Iced.Intel.Code.Pushd_imm32, _ => Iced.Intel.Code.Push_imm16 };
        Code pop = Bitness switch { 64 => Iced.Intel.Code.Popfq, 32 => Iced.Intel.Code.Popfd, _ => Iced.Intel.Code.Popfw };
        return Emit(Instruction.Create(push, (int)flags)) && Emit(Instruction.Create(pop));
    }

    private bool EmitToMemory(in Instruction like, Code code, ulong value)
    {
        Instruction store = WithMemory(like, code, Register.None);
        store.Op1Kind = code == Iced.Intel.Code.Mov_rm16_imm16 ? OpKind.Immediate16 : OpKind.Immediate32;
        store.SetImmediate(1, (long)value);
        return Emit(store);
    }

    private static Instruction WithMemory(in Instruction like, Code code, Register register, bool load = false)
    {
        Instruction move = like;
        move.Code = code;
        move.HasLockPrefix = false;
        (move.Op0Kind, move.Op1Kind) = load ? (OpKind.Register, OpKind.Memory) : (OpKind.Memory, OpKind.Register);
        move.Op0Register = load ? register : Register.None;
        move.Op1Register = load ? Register.None : register;
        return move;
    }

    // In front of everything else the input itself is set; later it takes an instruction.
    private bool TrySet(Register register, ulong value)
    {
        if (IsReserved(register))
        {
            return false;
        }

        if (_bytes.Count == 0)
        {
            _input->State.Gpr[register - Register.RAX] = Bitness == 64 ? value : (uint)value;
            return true;
        }

        Register part = WideRegister(register);
        return Emit(Bitness == 64 ? Instruction.Create(WideMove, part, value) : Instruction.Create(WideMove, part, (uint)value));
    }

    private bool IsReserved(Register register) => register == _baseRegister || register == _indexRegister || register == _counterRegister || register == Register.RSP;
}
