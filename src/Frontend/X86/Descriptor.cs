using Emu.Core.Cpu;

namespace Emu.Frontend.X86;

/// <summary>Type field of system descriptors (SDM vol. 3, table 3-2).</summary>
internal static class SystemType
{
    public const uint Tss16 = 1;
    public const uint Ldt = 2;
    public const uint BusyTss16 = 3;
    public const uint CallGate16 = 4;
    public const uint TaskGate = 5;
    public const uint InterruptGate16 = 6;
    public const uint TrapGate16 = 7;
    public const uint Tss32 = 9;
    public const uint BusyTss32 = 0xb;
    public const uint CallGate32 = 0xc;
    public const uint InterruptGate32 = 0xe;
    public const uint TrapGate32 = 0xf;

    /// <summary>The busy bit of a TSS type.</summary>
    public const uint Busy = 2;
}

/// <summary>
/// A descriptor as it lies in memory (SDM vol. 3, 3.4.5, 5.8.3, 6.14.1): the first eight bytes, the following eight of the
/// 16-byte forms of long mode, and where it was read.
/// </summary>
internal readonly record struct Descriptor(ulong Low, ulong High, ulong Address)
{
    /// <summary>Attributes in the layout of <see cref="SegmentAttributes"/>.</summary>
    public uint Attributes => (uint)(Low >> 40) & 0xf0ff;

    public uint Type => (uint)(Low >> 40) & 0xf;

    public uint Dpl => (uint)(Low >> 45) & 3;

    public bool IsPresent => (Attributes & SegmentAttributes.Present) != 0;

    public bool IsSystem => (Attributes & SegmentAttributes.NotSystem) == 0;

    public bool IsCode => (Attributes & (SegmentAttributes.NotSystem | SegmentAttributes.Code)) == (SegmentAttributes.NotSystem | SegmentAttributes.Code);

    public bool IsConforming => (Attributes & SegmentAttributes.ExpandDownOrConforming) != 0;

    public bool IsReadableCode => IsCode && (Attributes & SegmentAttributes.ReadWrite) != 0;

    public bool IsData => (Attributes & (SegmentAttributes.NotSystem | SegmentAttributes.Code)) == SegmentAttributes.NotSystem;

    public bool IsWritableData => IsData && (Attributes & SegmentAttributes.ReadWrite) != 0;

    public bool IsLong => (Attributes & SegmentAttributes.Long) != 0;

    public bool IsBig => (Attributes & SegmentAttributes.Big) != 0;

    public uint Base32 => (uint)((Low >> 16) & 0xff_ffff) | (uint)(Low >> 32 & 0xff00_0000);

    /// <summary>Base with the upper half that the 16-byte forms have.</summary>
    public ulong Base64 => Base32 | (High << 32);

    public uint Limit
    {
        get
        {
            uint raw = (uint)(Low & 0xffff) | ((uint)(Low >> 32) & 0xf_0000);
            return (Attributes & SegmentAttributes.Granularity) != 0 ? (raw << 12) | 0xfff : raw;
        }
    }

    // Gates.
    public ushort GateSelector => (ushort)(Low >> 16);

    public ushort GateOffset16 => (ushort)Low;

    public uint GateOffset32 => (uint)(Low & 0xffff) | ((uint)(Low >> 32) & 0xffff_0000);

    public ulong GateOffset64 => GateOffset32 | (High << 32);

    /// <summary>IST field of a long-mode interrupt gate.</summary>
    public int GateStackTable => (int)(Low >> 32) & 7;

    /// <summary>Parameter count of a call gate.</summary>
    public int GateParameters => (int)(Low >> 32) & 0x1f;

    /// <summary>The hidden part of a code or data segment register.</summary>
    public SegmentState ToSegment(ushort selector) => new(selector, Base32, Limit, Attributes);
}
