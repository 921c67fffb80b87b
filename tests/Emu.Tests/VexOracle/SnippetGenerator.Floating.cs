namespace Emu.Tests.VexOracle;

/// <summary>x87, MMX and SSE inputs.</summary>
internal sealed unsafe partial class SnippetGenerator
{
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

    private void MakeFloatingInput()
    {
        _input.X87Control = (ushort)(_random.OneIn(2) ? 0x37f : 0x7f | (_random.Pick((int[])[0, 0x200, 0x300]) | (_random.Below(4) << 10)) & (_random.OneIn(8) ? ~_random.Below(64) : -1));
        _input.X87Status = (ushort)(_random.Below(8) << 11 | (_random.OneIn(4) ? _random.Below(8) << 8 : 0));
        _input.X87Tags = (byte)(_random.OneIn(2) ? 0xff : _random.Next());
        _input.Mxcsr = _random.OneIn(2) ? 0x1f80 : 0x1f80 | ((uint)_random.Below(8) << 13) | (uint)_random.Below(128);
        if (_random.OneIn(12))
        {
            _input.Mxcsr &= ~((uint)_random.Below(64) << 7) & ~0x3fu;
        }

        fixed (byte* upper = _input.Upper)
        {
            for (int i = 0; i < 2 * NativeSnippet.UpperHalves; i++)
            {
                *(ulong*)(upper + (8 * i)) = VectorValue();
            }
        }

        fixed (byte* image = _input.Fx)
        {
            for (int i = 0; i < 8; i++)
            {
                MakeExtended(image + 32 + (16 * i));
            }

            for (int i = 0; i < 32; i++)
            {
                *(ulong*)(image + 160 + (8 * i)) = VectorValue();
            }
        }
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
