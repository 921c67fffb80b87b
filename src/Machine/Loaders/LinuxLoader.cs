using System.Buffers.Binary;
using Emu.Core.Cpu;

namespace Emu.Machine.Loaders;

/// <summary>
/// Loads a bzImage by the Linux/x86 boot protocol, version 2.06 or later: in 64-bit mode where the kernel has that entry
/// point, else in 32-bit protected mode. The real-mode setup code is skipped; the loader fills in the zero page for it.
/// </summary>
public static class LinuxLoader
{
    // Real-mode kernel header, offsets in the image and in struct boot_params alike (boot protocol, "Details of header fields").
    private const int SetupSects = 0x1F1;
    private const int SysSize = 0x1F4;
    private const int VidMode = 0x1FA;
    private const int JumpOffset = 0x201;
    private const int HeaderMagic = 0x202;
    private const int Version = 0x206;
    private const int TypeOfLoader = 0x210;
    private const int LoadFlags = 0x211;
    private const int RamdiskImage = 0x218;
    private const int RamdiskSize = 0x21C;
    private const int CmdLinePtr = 0x228;
    private const int InitrdAddrMax = 0x22C;
    private const int XLoadFlags = 0x236;
    private const int CmdlineSize = 0x238;
    private const int PrefAddress = 0x258;
    private const int InitSize = 0x260;
    private const int HeaderLimit = 0x290;

    // Other fields of struct boot_params ("The zero page").
    private const int OrigVideoMode = 0x006;
    private const int OrigVideoCols = 0x007;
    private const int OrigVideoLines = 0x00E;
    private const int OrigVideoIsVga = 0x00F;
    private const int OrigVideoPoints = 0x010;
    private const int AcpiRsdpAddr = 0x070;
    private const int AltMemK = 0x1E0;
    private const int E820Entries = 0x1E8;
    private const int E820Table = 0x2D0;
    private const int E820EntrySize = 20;
    private const int ZeroPageSize = 4096;

    private const uint HdrS = 0x5372_6448;
    private const ushort OldestVersion = 0x206;
    private const ushort VersionWithXLoadFlags = 0x20C;
    private const ushort VersionWithInitSize = 0x20A;
    private const byte LoadedHigh = 1 << 0;
    private const ushort XlfKernel64 = 1 << 0;
    private const byte UndefinedLoader = 0xFF;
    private const ushort VideoModeNormal = 0xFFFF;
    private const ulong Entry64Offset = 0x200;
    private const int SectorSize = 512;
    private const int DefaultSetupSects = 4;

    // Fixed places in conventional memory, which the kernel frees once it has copied what it wants.
    private const ulong GdtAddress = 0x1000;
    private const ulong ZeroPageAddress = 0x7000;
    private const ulong PageTableAddress = 0x9000;
    private const ulong CommandLineAddress = 0x2_0000;
    private const ulong KernelAddress = MemoryLayout.OneMiB;

    // The protocol wants a stack nowhere, but code that pushes before setting one up deserves some room.
    private const ulong StackTop = 0x1_8000;

    /// <summary>True when the image carries the boot protocol's magic number.</summary>
    public static bool Matches(ReadOnlyMemory<byte> image)
    {
        var bytes = new ImageBytes("", image);
        return bytes.Has(HeaderMagic, 4) && bytes.U32(HeaderMagic, "") == HdrS;
    }

    /// <summary>Lays out kernel, zero page, command line and initrd.</summary>
    /// <exception cref="LoaderException">The image is no kernel that can be started, or does not fit.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image, BootOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        Header header = Header.Read(new ImageBytes(name, image));
        CheckMemory(header, options.Layout);
        var map = new LoadMap(name, options.Layout);
        byte[] zeroPage = new byte[ZeroPageSize];
        header.Setup.CopyTo(zeroPage.AsMemory(SetupSects));

        map.Place(KernelAddress, header.Payload, "the kernel");
        map.Place(GdtAddress, FlatGdt.Bytes(header.Is64Bit), "the GDT");
        map.Place(PageTableAddress, IdentityPageTables.Build(PageTableAddress), "the page tables");
        PlaceCommandLine(header, options.CommandLine, map, zeroPage);
        PlaceInitrd(header, options, map, zeroPage);
        FillZeroPage(options, zeroPage);
        map.Place(ZeroPageAddress, zeroPage, "the zero page");

        return new BootPlan
        {
            Kind = header.Is64Bit ? "Linux 64-bit" : "Linux 32-bit",
            Writes = map.Writes,
            Cpu = StartState(header.Is64Bit),
        };
    }

    private static X86State StartState(bool is64Bit)
    {
        X86State state = is64Bit
            ? InitialCpuState.Long64(KernelAddress + Entry64Offset, PageTableAddress, GdtAddress)
            : InitialCpuState.Flat32((uint)KernelAddress, GdtAddress);
        state.Gpr[Gpr.Rsp] = StackTop;
        state.Gpr[Gpr.Rsi] = ZeroPageAddress;
        return state;
    }

    private static void PlaceCommandLine(Header header, string text, LoadMap map, byte[] zeroPage)
    {
        byte[] commandLine = LoadMap.ToCString(text, header.Name);
        if (commandLine.Length - 1 > (long)header.CommandLineLimit)
        {
            throw new LoaderException($"{header.Name}: the command line has {commandLine.Length - 1} bytes; this kernel takes {header.CommandLineLimit}");
        }

        map.Place(CommandLineAddress, commandLine, "the command line");
        Put32(zeroPage, CmdLinePtr, (uint)CommandLineAddress);
    }

    private static void CheckMemory(Header header, MemoryLayout layout)
    {
        ulong end = Math.Max(header.RuntimeEnd, KernelAddress + (ulong)header.Payload.Length);
        if (end > layout.LowSize)
        {
            throw new LoaderException($"{header.Name}: too little memory: the kernel unpacks up to 0x{end:x}, the guest has {layout.RamText}");
        }
    }

    private static void PlaceInitrd(Header header, BootOptions options, LoadMap map, byte[] zeroPage)
    {
        if (options.Modules.Count > 1)
        {
            throw new LoaderException($"{header.Name}: a Linux kernel takes one initrd, not {options.Modules.Count}");
        }

        if (options.Modules.Count == 1 && options.Modules[0] is { Bytes.Length: > 0 } initrd)
        {
            ulong address = map.PlaceHigh(initrd.Bytes, header.InitrdLimit, header.RuntimeEnd, $"the initrd {initrd.Name}");
            Put32(zeroPage, RamdiskImage, (uint)address);
            Put32(zeroPage, RamdiskSize, (uint)initrd.Bytes.Length);
        }
    }

    private static void FillZeroPage(BootOptions options, byte[] zeroPage)
    {
        zeroPage[TypeOfLoader] = UndefinedLoader;
        BinaryPrimitives.WriteUInt16LittleEndian(zeroPage.AsSpan(VidMode), VideoModeNormal);
        BinaryPrimitives.WriteUInt64LittleEndian(zeroPage.AsSpan(AcpiRsdpAddr), options.RsdpAddress);
        if (options.HasTextScreen)
        {
            DescribeTextScreen(zeroPage);
        }

        Put32(zeroPage, AltMemK, (uint)(options.Layout.ExtendedSize >> 10));

        IReadOnlyList<E820Entry> map = options.Layout.E820();
        zeroPage[E820Entries] = (byte)map.Count;
        for (int i = 0; i < map.Count; i++)
        {
            Span<byte> entry = zeroPage.AsSpan(E820Table + (i * E820EntrySize), E820EntrySize);
            BinaryPrimitives.WriteUInt64LittleEndian(entry, map[i].Start);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[8..], map[i].Size);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[16..], (uint)map[i].Type);
        }
    }

    // struct screen_info (Linux include/uapi/linux/screen_info.h) for VGA mode 3: the kernel takes its console from there.
    private static void DescribeTextScreen(byte[] zeroPage)
    {
        zeroPage[OrigVideoMode] = 3;
        zeroPage[OrigVideoCols] = 80;
        zeroPage[OrigVideoLines] = 25;
        zeroPage[OrigVideoIsVga] = 1;
        zeroPage[OrigVideoPoints] = 16;
    }

    private static void Put32(byte[] buffer, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(buffer.AsSpan(offset), value);

    /// <summary>What the setup header says, checked.</summary>
    private sealed record Header
    {
        public required string Name { get; init; }

        /// <summary>The bytes that the zero page takes over, from offset 1F1H.</summary>
        public required ReadOnlyMemory<byte> Setup { get; init; }

        /// <summary>The protected-mode kernel.</summary>
        public required ReadOnlyMemory<byte> Payload { get; init; }

        public required bool Is64Bit { get; init; }

        public required ulong CommandLineLimit { get; init; }

        /// <summary>First address that no byte of the initrd may reach.</summary>
        public required ulong InitrdLimit { get; init; }

        public required ulong PreferredAddress { get; init; }

        public required ulong RuntimeSize { get; init; }

        /// <summary>The kernel unpacks itself at its preferred address and needs init_size bytes there before it reads any map.</summary>
        public ulong RuntimeEnd => Math.Max(PreferredAddress, KernelAddress) + RuntimeSize;

        public static Header Read(ImageBytes image)
        {
            if (!image.Has(HeaderMagic, 4) || image.U32(HeaderMagic, "header") != HdrS)
            {
                throw image.Error("not a Linux kernel (no HdrS magic)");
            }

            ushort version = image.U16(Version, "protocol version");
            if (version < OldestVersion)
            {
                throw image.Error($"boot protocol {version >> 8}.{version & 0xff:D2} is older than 2.06");
            }

            if ((image.U8(LoadFlags, "load flags") & LoadedHigh) == 0)
            {
                throw image.Error("a zImage, which loads below 1 MiB, is not supported");
            }

            // The second byte of the jump at 200H tells where the header ends.
            ulong end = Math.Min(HeaderMagic + (ulong)image.U8(JumpOffset, "header length"), HeaderLimit);
            int setupSects = image.U8(SetupSects, "setup size");
            ulong setupSize = ((ulong)(setupSects == 0 ? DefaultSetupSects : setupSects) + 1) * SectorSize;
            ReadOnlyMemory<byte> payload = image.From(setupSize, "the protected-mode kernel");
            bool is64Bit = version >= VersionWithXLoadFlags && (image.U16(XLoadFlags, "extended load flags") & XlfKernel64) != 0;
            if (payload.Length <= (int)Entry64Offset)
            {
                throw image.Error("truncated: no protected-mode kernel after the setup code");
            }

            // In paragraphs. More may follow: a signature, for example.
            ulong systemSize = image.U32(SysSize, "kernel size") * 16UL;
            if ((ulong)payload.Length < systemSize)
            {
                throw image.Error($"truncated: the kernel has {payload.Length} of {systemSize} bytes");
            }

            bool hasInitSize = version >= VersionWithInitSize;
            return new Header
            {
                Name = image.Name,
                Setup = image.Slice(SetupSects, end - SetupSects, "setup header"),
                Payload = payload,
                Is64Bit = is64Bit,
                CommandLineLimit = image.U32(CmdlineSize, "command line limit"),
                InitrdLimit = (ulong)image.U32(InitrdAddrMax, "initrd limit") + 1,
                PreferredAddress = hasInitSize ? Checked(image, image.U64(PrefAddress, "preferred address")) : KernelAddress,
                RuntimeSize = hasInitSize ? image.U32(InitSize, "memory needed") : (ulong)payload.Length,
            };
        }

        private static ulong Checked(ImageBytes image, ulong preferred) => preferred < MemoryLayout.HighBase
            ? preferred
            : throw image.Error($"preferred load address 0x{preferred:x} is above 4 GiB");
    }
}

/// <summary>Indices of the registers that boot protocols use, in <see cref="X86State.Gpr"/>.</summary>
internal static class Gpr
{
    public const int Rax = 0;
    public const int Rbx = 3;
    public const int Rsp = 4;
    public const int Rsi = 6;
}

/// <summary>Four-level page tables that map the first 4 GiB to themselves in 2 MiB pages (SDM vol. 3, 4.5).</summary>
internal static class IdentityPageTables
{
    private const int EntriesPerTable = 512;
    private const int Directories = 4;
    private const ulong PresentWritable = 3;
    private const ulong PageSize2M = 1 << 7;

    /// <summary>The tables as they must lie at <paramref name="address"/>, root first.</summary>
    public static byte[] Build(ulong address)
    {
        const int table = EntriesPerTable * 8;
        byte[] bytes = new byte[table * (2 + Directories)];
        Put(bytes, 0, (address + table) | PresentWritable);
        for (int i = 0; i < Directories; i++)
        {
            Put(bytes, EntriesPerTable + i, (address + ((ulong)(2 + i) * table)) | PresentWritable);
        }

        for (int i = 0; i < Directories * EntriesPerTable; i++)
        {
            Put(bytes, (2 * EntriesPerTable) + i, ((ulong)i << 21) | PageSize2M | PresentWritable);
        }

        return bytes;
    }

    private static void Put(byte[] bytes, int entry, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(entry * 8), value);
}
