using System.Buffers.Binary;
using Emu.Core.Cpu;

namespace Emu.Machine.Loaders;

/// <summary>The CPU states that firmware and boot protocols promise, built from the state after power-on (SDM vol. 3, 9.1.1).</summary>
public static class InitialCpuState
{
    private const uint MsrPat = 0x277;
    private const uint MsrEfer = 0xC000_0080;
    private const ulong PatAtReset = 0x0007_0406_0007_0406;
    private const ulong EferLongModeEnable = 1 << 8;
    private const ulong EferLongModeActive = 1 << 10;

    private const ulong Cr0ProtectionEnable = 1 << 0;
    private const ulong Cr0ExtensionType = 1 << 4;
    private const ulong Cr0NotWriteThrough = 1 << 29;
    private const ulong Cr0CacheDisable = 1 << 30;
    private const ulong Cr0Paging = 1UL << 31;
    private const ulong Cr4PhysicalAddressExtension = 1 << 5;

    private const ulong RflagsAlwaysOne = 1 << 1;
    private const ulong Dr6AtReset = 0xFFFF_0FF0;
    private const ulong Dr7AtReset = 0x400;

    // Attribute words in the layout of SegmentState.
    private const uint AccessedData = 0x93;
    private const uint AccessedCode = 0x9B;
    private const uint Flat32Bit = 0xC000;
    private const uint FlatLong = 0xA000;
    private const uint Ldt = 0x82;
    private const uint BusyTss = 0x8B;

    private const int XsaveFcw = 0;
    private const int XsaveMxcsr = 24;
    private const int XsaveMxcsrMask = 28;
    private const int XsaveHeader = 512;

    /// <summary>After power-on: real mode, CS:IP = F000:FFF0 with the code segment's base just below 4 GiB.</summary>
    public static X86State PowerOn { get; } = RealMode(0xF000, 0xFFF0) with
    {
        Segments = RealSegments(new SegmentState(0xF000, 0xFFFF_0000, 0xFFFF, AccessedCode), new SegmentState(0, 0, 0xFFFF, AccessedData)),
    };

    /// <summary>Real mode at <paramref name="cs"/>:<paramref name="ip"/>, the other segments 0.</summary>
    public static X86State RealMode(ushort cs, ushort ip) => new()
    {
        Rip = ip,
        Rflags = RflagsAlwaysOne,
        Segments = RealSegments(new SegmentState(cs, (ulong)cs << 4, 0xFFFF, AccessedCode), new SegmentState(0, 0, 0xFFFF, AccessedData)),
        Ldtr = new SegmentState(0, 0, 0xFFFF, Ldt),
        Tr = new SegmentState(0, 0, 0xFFFF, BusyTss),
        Gdtr = new DescriptorTableState(0, 0xFFFF),
        Idtr = new DescriptorTableState(0, 0xFFFF),
        Cr0 = Cr0ExtensionType | Cr0NotWriteThrough | Cr0CacheDisable,
        Xcr0 = 1,
        Dr = [0, 0, 0, 0, Dr6AtReset, Dr7AtReset],
        Msrs = new SortedDictionary<uint, ulong> { [MsrPat] = PatAtReset, [MsrEfer] = 0 },
        Xsave = InitialXsave(),
    };

    /// <summary>
    /// 32-bit protected mode without paging, interrupts off, flat code and data segments the <see cref="FlatGdt"/> at
    /// <paramref name="gdtAddress"/>.
    /// </summary>
    public static X86State Flat32(uint entry, ulong gdtAddress) => RealMode(0, 0) with
    {
        Rip = entry,
        Segments = FlatSegments(Flat32Bit),
        Tr = new SegmentState(0, 0, 0x67, BusyTss),
        Ldtr = new SegmentState(0, 0, 0, Ldt),
        Gdtr = new DescriptorTableState(gdtAddress, FlatGdt.Limit),
        Idtr = default,
        Cr0 = Cr0ExtensionType | Cr0ProtectionEnable,
    };

    /// <summary>64-bit mode, interrupts off, page tables at <paramref name="cr3"/>, flat segments from the <see cref="FlatGdt"/> at <paramref name="gdtAddress"/>.</summary>
    public static X86State Long64(ulong entry, ulong cr3, ulong gdtAddress) => Flat32(0, gdtAddress) with
    {
        Rip = entry,
        Segments = FlatSegments(FlatLong),
        Cr0 = Cr0ExtensionType | Cr0ProtectionEnable | Cr0Paging,
        Cr3 = cr3,
        Cr4 = Cr4PhysicalAddressExtension,
        Msrs = new SortedDictionary<uint, ulong> { [MsrPat] = PatAtReset, [MsrEfer] = EferLongModeEnable | EferLongModeActive },
    };

    // ES, CS, SS, DS, FS, GS.
    private static SegmentState[] RealSegments(SegmentState code, SegmentState data) => [data, code, data, data, data, data];

    private static SegmentState[] FlatSegments(uint codeSize)
    {
        var code = new SegmentState(FlatGdt.CodeSelector, 0, 0xFFFF_FFFF, AccessedCode | codeSize);
        var data = new SegmentState(FlatGdt.DataSelector, 0, 0xFFFF_FFFF, AccessedData | Flat32Bit);
        return [data, code, data, data, data, data];
    }

    private static byte[] InitialXsave()
    {
        const ushort fcwAfterInit = 0x37F;
        const uint mxcsrAfterReset = 0x1F80;
        const ulong x87AndSse = 3;
        byte[] image = new byte[576];
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(XsaveFcw), fcwAfterInit);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(XsaveMxcsr), mxcsrAfterReset);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(XsaveMxcsrMask), 0xFFFF);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(XsaveHeader), x87AndSse);
        return image;
    }
}

/// <summary>The descriptor table of directly booted kernels: flat 4 GiB segments at the selectors Linux calls __BOOT_CS and __BOOT_DS.</summary>
internal static class FlatGdt
{
    public const ushort CodeSelector = 0x10;
    public const ushort DataSelector = 0x18;
    public const ushort Limit = (4 * 8) - 1;

    // Descriptors (SDM vol. 3, 3.4.5) already marked accessed, so that loading them writes nothing.
    private const ulong Code32 = 0x00CF_9B00_0000_FFFF;
    private const ulong Code64 = 0x00AF_9B00_0000_FFFF;
    private const ulong Data = 0x00CF_9300_0000_FFFF;

    public static byte[] Bytes(bool longMode)
    {
        byte[] table = new byte[Limit + 1];
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(CodeSelector), longMode ? Code64 : Code32);
        BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(DataSelector), Data);
        return table;
    }
}
