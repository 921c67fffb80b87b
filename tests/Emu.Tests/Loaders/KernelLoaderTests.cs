using Emu.Core;
using Emu.Core.Memory;
using Emu.Machine.Loaders;

namespace Emu.Tests.Loaders;

public sealed class KernelLoaderTests
{
    [Fact]
    public void Detect_TellsTheFormatByContent()
    {
        Assert.Equal(KernelFormat.Linux, KernelLoader.Detect("k", LinuxLoaderTests.Kernel()));
        Assert.Equal(KernelFormat.ElfPvh, KernelLoader.Detect("k", ElfBuilder.Elf64(pvhEntry: 0x10_0010)));
        Assert.Equal(KernelFormat.ElfPvh, KernelLoader.Detect("k", ElfBuilder.Elf32(pvhEntry: 0x10_0010).WithMultiboot()));
        Assert.Equal(KernelFormat.Multiboot1, KernelLoader.Detect("k", ElfBuilder.Elf32().WithMultiboot()));
    }

    [Fact]
    public void Detect_NothingBootable_SaysWhy()
    {
        byte[] random = new byte[4096];
        new Random(1).NextBytes(random);

        AssertError("empty", () => KernelLoader.Detect("k", Array.Empty<byte>()));
        AssertError("not a kernel", () => KernelLoader.Detect("k", random));
        AssertError("neither a PVH", () => KernelLoader.Detect("k", ElfBuilder.Elf64()));
        AssertError("wrong architecture", () => KernelLoader.Detect("k", ElfBuilder.Elf64().Put16(18, 183)));
        AssertError("truncated", () => KernelLoader.Detect("k", ElfBuilder.Elf64().AsMemory(0, 0x50)));
        AssertError("64-bit", () => KernelLoader.Load("k", ElfBuilder.Elf64().WithMultiboot(), ImageBuilder.Options()));
    }

    [Fact]
    public void ReadFile_MissingEmptyOrDirectory_IsOneLineError()
    {
        string empty = Path.GetTempFileName();
        try
        {
            AssertError("is empty", () => KernelLoader.ReadFile(empty, "kernel"));
            AssertError("no such kernel", () => KernelLoader.ReadFile(empty + ".none", "kernel"));
            AssertError("is a directory", () => KernelLoader.ReadFile(Path.GetTempPath(), "initrd"));
        }
        finally
        {
            File.Delete(empty);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pvh_Load_StartsFlatWithTheStartInfoInEbx(bool is64Bit)
    {
        byte[] image = is64Bit ? ElfBuilder.Elf64(0x10_0010) : ElfBuilder.Elf32(0x10_0010);
        BootOptions options = ImageBuilder.Options(64, "hello", new BootModule("m", new byte[5000], "arg")) with { RsdpAddress = 0xF_0000 };

        BootPlan plan = KernelLoader.Load("k", image, options);

        ulong info = plan.Cpu.Gpr[3];
        Assert.Equal(0x10_0010UL, plan.Cpu.Rip);
        Assert.Equal(0x11UL, plan.Cpu.Cr0);
        Assert.Equal(0x336E_C578u, plan.U32(info));
        Assert.Equal(1u, plan.U32(info + 4));
        Assert.Equal("hello", plan.CString(plan.U64(info + 24)));
        Assert.Equal(0xF_0000UL, plan.U64(info + 32));
        Assert.Equal(4u, plan.U32(info + 48));
        Assert.Equal(0x10_0000UL, plan.U64(plan.U64(info + 40) + (3 * 24)));
        Assert.Equal(1u, plan.U32(info + 12));
        Assert.Equal(0x10_3000UL, plan.U64(plan.U64(info + 16)));
        Assert.Equal("arg", plan.CString(plan.U64(plan.U64(info + 16) + 16)));
        Assert.Equal(0x2F00UL, plan.WriteAt(0x10_0000).ZeroFill);
    }

    [Fact]
    public void Multiboot_Elf_TranslatesTheVirtualEntryAndPassesModules()
    {
        byte[] image = ElfBuilder.Elf32().WithMultiboot().Put32(24, 0xC010_0020);
        BootOptions options = ImageBuilder.Options(64, "a b", new BootModule("m1", new byte[10], "x"), new BootModule("m2", new byte[10]));

        BootPlan plan = KernelLoader.Load("k", image, options);

        ulong info = plan.Cpu.Gpr[3];
        Assert.Equal(0x10_0020UL, plan.Cpu.Rip);
        Assert.Equal(0x2BAD_B002UL, plan.Cpu.Gpr[0]);
        Assert.Equal(0x24Du, plan.U32(info));
        Assert.Equal(639u, plan.U32(info + 4));
        Assert.Equal(63u * 1024, plan.U32(info + 8));
        Assert.Equal("k a b", plan.CString(plan.U32(info + 16)));
        Assert.Equal(2u, plan.U32(info + 20));
        uint modules = plan.U32(info + 24);
        Assert.Equal(0x10_3000u, plan.U32(modules));
        Assert.Equal(0x10_300Au, plan.U32(modules + 4));
        Assert.Equal("m1 x", plan.CString(plan.U32(modules + 8)));
        Assert.Equal(0x10_4000u, plan.U32(modules + 16));
        Assert.Equal(20u, plan.U32(plan.U32(info + 48)));
    }

    [Fact]
    public void Multiboot_AddressesInTheHeader_AreUsedInsteadOfElf()
    {
        BootPlan plan = KernelLoader.Load("k", AoutKludge(), ImageBuilder.Options());

        MemoryWrite image = plan.WriteAt(0x20_0000);
        Assert.Equal(0x20_0040UL, plan.Cpu.Rip);
        Assert.Equal(0x100, image.Bytes.Length);
        Assert.Equal(0x700UL, image.ZeroFill);
        Assert.Equal(0x1BAD_B002u, plan.U32(0x20_0020));
    }

    [Theory]
    [InlineData(12, 0x10_0000u, "contradict")]
    [InlineData(12, 0xFFFF_FFFFu, "contradict")]
    [InlineData(20, 0x1F_0000u, "contradict")]
    [InlineData(20, 0xFFFF_FFFFu, "truncated")]
    [InlineData(24, 0xFFFF_FFFFu, "too little memory")]
    [InlineData(28, 0x10u, "entry point")]
    public void Multiboot_BadAddress_IsOneLineError(int field, uint value, string expected) =>
        AssertError(expected, () => KernelLoader.Load("k", AoutKludge().Put32(0x60 + field, value), ImageBuilder.Options()));

    [Theory]
    [InlineData(0x40 + 32, 0xFFFF_FFFF_FFFF_FFFF, "larger in the file")]
    [InlineData(0x40 + 40, 0xFFFF_FFFF_FFFF_FFFF, "too little memory")]
    [InlineData(0x40 + 24, 0xFFFF_FFFF_FFFF_F000, "entry point")]
    [InlineData(0x40 + 8, 0xFFFF_FFFF_FFFF_FFFF, "truncated")]
    [InlineData(32, 0xFFFF_FFFF_FFFF_FFF0, "truncated")]
    [InlineData(56, 0xFFFF, "program headers")]
    [InlineData(0x78 + 8, 0xFFFF_FFFF_FFFF_FFFF, "truncated")]
    [InlineData(0x210, 0x900_0000, "entry point")]
    public void Pvh_BadHeaderField_IsOneLineError(int offset, ulong value, string expected)
    {
        byte[] image = ElfBuilder.Elf64(0x10_0010);
        _ = offset is 56 or 0x210 ? image.Put32(offset, (uint)value) : image.Put64(offset, value);

        AssertError(expected, () => ElfPvhLoader.Load("k", image, ImageBuilder.Options()));
    }

    [Fact]
    public void Load_MutatedHeaders_GiveAPlanOrALoaderException()
    {
        var random = new Random(7);
        byte[][] seeds = [LinuxLoaderTests.Kernel(), ElfBuilder.Elf64(0x10_0010), ElfBuilder.Elf32(0x10_0010), ElfBuilder.Elf32().WithMultiboot(), AoutKludge()];
        foreach (byte[] seed in seeds)
        {
            for (int round = 0; round < 2000; round++)
            {
                byte[] image = [.. seed];
                for (int i = 0; i < 3; i++)
                {
                    image[random.Next(Math.Min(image.Length, 0x300))] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
                }

                byte[] cut = random.Next(4) == 0 ? image[..random.Next(image.Length)] : image;
                Exception? error = Record.Exception(() => KernelLoader.Load("k", cut, ImageBuilder.Options(8, "x", new BootModule("m", new byte[100]))));
                Assert.True(error is null or LoaderException, error?.ToString());
            }
        }
    }

    [Fact]
    public void Flat_Load_StartsInRealMode()
    {
        BootPlan plan = FlatLoader.Load("f", new byte[] { 0xF4 }, ImageBuilder.Options().Layout, 0x7C00, 0x07C0, 0);

        Assert.Equal(0x7C00UL, plan.Writes[0].Address.Value);
        Assert.Equal(0x7C00UL, plan.Cpu.Segments[1].Base);
        Assert.Equal(0UL, plan.Cpu.Rip);
        Assert.Equal(2UL, plan.Cpu.Rflags);
        AssertError("not all free RAM", () => FlatLoader.Load("f", new byte[0x1000], ImageBuilder.Options().Layout, 0x9_F000, 0, 0));
        AssertError("not all free RAM", () => FlatLoader.Load("f", new byte[1], ImageBuilder.Options().Layout, ulong.MaxValue, 0, 0));
    }

    [Fact]
    public void Bios_Map_ShowsTheImageBelow4GiBAndBelow1MiB()
    {
        byte[] image = new byte[256 << 10];
        image[^16] = 0xEA;
        BootPlan plan = BiosLoader.Load("bios", image);
        MemoryRegion root = MemoryRegion.Container("root", 1UL << 33);
        using MappedRomScope rom = new(plan.Rom!.Map(root));
        var memory = new AddressSpace("memory", root, new MachineLock());

        Assert.Equal(0xEAUL, memory.Read(0xFFFF_FFF0, 1));
        Assert.Equal(0xEAUL, memory.Read(0xF_FFF0, 1));
        Assert.Equal(0xFFUL, memory.Read(0xD_FFFF, 1));
        Assert.Equal(0xFFFF_0000UL, plan.Cpu.Segments[1].Base);
        Assert.Equal(0xFFF0UL, plan.Cpu.Rip);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65_535)]
    [InlineData(17 << 20)]
    public void Bios_OddSize_IsOneLineError(int size) => AssertError("multiple of 64 KiB", () => BiosLoader.Load("bios", new byte[size]));

    [Fact]
    public void Apply_WritesBytesAndZeros()
    {
        using var ram = new GuestRam("ram", 4 << 20);
        ram.WriteValue(0x10_1000, 0x55, 1);
        MemoryRegion root = MemoryRegion.Container("root", 1UL << 33);
        root.Add(0, MemoryRegion.OfRam("ram", ram, 0, ram.Size));
        var memory = new AddressSpace("memory", root, new MachineLock());

        KernelLoader.Load("k", ElfBuilder.Elf64(0x10_0010), ImageBuilder.Options(4)).Apply(memory);

        Assert.Equal(0x90UL, memory.Read(0x10_0010, 1));
        Assert.Equal(0UL, memory.Read(0x10_1000, 1));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0x8_0800UL)]
    [InlineData(0x10_0001UL)]
    [InlineData(ulong.MaxValue)]
    public void MemoryLayout_ImpossibleSize_IsLoaderException(ulong size) => Assert.Throws<LoaderException>(() => new MemoryLayout(size));

    [Theory]
    [InlineData(0x1000UL, 0x1000UL, 0UL)]
    [InlineData(0x8_0000UL, 0x8_0000UL, 0UL)]
    [InlineData(0xC_0000UL, 0x9_FC00UL, 0UL)]
    [InlineData(0x10_1000UL, 0x9_FC00UL, 0x1000UL)]
    public void MemoryLayout_Small_MapsNoMoreThanThereIs(ulong size, ulong conventional, ulong extended)
    {
        var layout = new MemoryLayout(size);

        Assert.Equal((conventional, extended), (layout.ConventionalSize, layout.ExtendedSize));
        Assert.Equal(conventional + extended, layout.E820().Where(entry => entry.Type == E820Type.Ram).Aggregate(0UL, (sum, entry) => sum + entry.Size));
    }

    private static byte[] AoutKludge()
    {
        byte[] image = new byte[0x140].WithMultiboot(0x1_0003, 0x60);
        return image.Put32(0x6C, 0x20_0020).Put32(0x70, 0x20_0000).Put32(0x74, 0).Put32(0x78, 0x20_0800).Put32(0x7C, 0x20_0040);
    }

    private static void AssertError(string expected, Action action)
    {
        LoaderException error = Assert.Throws<LoaderException>(action);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    private sealed class MappedRomScope(MappedRom rom) : IDisposable
    {
        public void Dispose() => rom.Ram.Dispose();
    }
}
