using Emu.Machine.Loaders;

namespace Emu.Tests.Loaders;

public sealed class LinuxLoaderTests
{
    private const ulong ZeroPage = 0x7000;

    [Fact]
    public void Load_64BitKernel_StartsAtTheLongModeEntry()
    {
        BootPlan plan = LinuxLoader.Load("k", Kernel(), ImageBuilder.Options());

        Assert.Equal("Linux 64-bit", plan.Kind);
        Assert.Equal(0x10_0200UL, plan.Cpu.Rip);
        Assert.Equal(ZeroPage, plan.Cpu.Gpr[6]);
        Assert.Equal(0x10, plan.Cpu.Segments[1].Selector);
        Assert.Equal(0xA09Bu, plan.Cpu.Segments[1].Attributes);
        Assert.Equal(0x500UL, plan.Cpu.Msrs[0xC000_0080]);
        Assert.Equal(0x8000_0011UL, plan.Cpu.Cr0);
        Assert.Equal(0xCC, plan.Memory(0x10_0000, 1)[0]);
    }

    [Fact]
    public void Load_64BitKernel_PageTablesMapFourGiBToThemselves()
    {
        BootPlan plan = LinuxLoader.Load("k", Kernel(), ImageBuilder.Options());

        foreach (ulong address in new ulong[] { 0, 0x10_0000, 0x4000_0000, 0xFFE0_0000 })
        {
            ulong pdpt = plan.U64(plan.Cpu.Cr3) & ~0xFFFUL;
            ulong directory = plan.U64(pdpt + ((address >> 30) * 8)) & ~0xFFFUL;
            ulong leaf = plan.U64(directory + (((address >> 21) & 511) * 8));
            Assert.Equal(address & ~0x1F_FFFFUL, leaf & ~0x1F_FFFFUL);
            Assert.Equal(0x83UL, leaf & 0xFF);
        }
    }

    [Fact]
    public void Load_KernelWithout64BitEntry_StartsInProtectedMode()
    {
        BootPlan plan = LinuxLoader.Load("k", Kernel().Put16(0x236, 0), ImageBuilder.Options());

        Assert.Equal("Linux 32-bit", plan.Kind);
        Assert.Equal(0x10_0000UL, plan.Cpu.Rip);
        Assert.Equal(0xC09Bu, plan.Cpu.Segments[1].Attributes);
        Assert.Equal(0x11UL, plan.Cpu.Cr0);
    }

    [Fact]
    public void Load_CommandLineAndRsdp_AreInTheZeroPage()
    {
        BootOptions options = ImageBuilder.Options(commandLine: "console=ttyS0") with { RsdpAddress = 0xF_0000 };

        BootPlan plan = LinuxLoader.Load("k", Kernel(), options);

        Assert.Equal("console=ttyS0", plan.CString(plan.U32(ZeroPage + 0x228)));
        Assert.Equal(0xF_0000UL, plan.U64(ZeroPage + 0x70));
        Assert.Equal(0xFF, plan.Memory(ZeroPage + 0x210, 1)[0]);
        Assert.Equal(0x5372_6448u, plan.U32(ZeroPage + 0x202));
    }

    [Fact]
    public void Load_MoreThan3GiB_SplitsTheE820MapAroundThePciHole()
    {
        BootPlan plan = LinuxLoader.Load("k", Kernel(), ImageBuilder.Options(megabytes: 5120));

        Assert.Equal(5, plan.Memory(ZeroPage + 0x1E8, 1)[0]);
        Assert.Equal((0x10_0000UL, 0xBFF0_0000UL, 1u), Entry(plan, 3));
        Assert.Equal((0x1_0000_0000UL, 0x8000_0000UL, 1u), Entry(plan, 4));
        Assert.Equal((0x9_FC00UL, 0x400UL, 2u), Entry(plan, 1));
        Assert.Equal((0xF_0000UL, 0x1_0000UL, 2u), Entry(plan, 2));
    }

    [Theory]
    [InlineData(64, 0x03FF_E000u)]
    [InlineData(4096, 0x7FFF_E000u)]
    public void Load_Initrd_LiesHighestBelowItsLimitAndInRam(ulong megabytes, uint expected)
    {
        var initrd = new BootModule("initrd", new byte[0x1001]);

        BootPlan plan = LinuxLoader.Load("k", Kernel(), ImageBuilder.Options(megabytes, "", initrd));

        Assert.Equal(expected, plan.U32(ZeroPage + 0x218));
        Assert.Equal(0x1001u, plan.U32(ZeroPage + 0x21C));
    }

    [Theory]
    [InlineData(0x202, 0u, "not a Linux kernel")]
    [InlineData(0x206, 0x0205u, "older than 2.06")]
    [InlineData(0x211, 0u, "zImage")]
    [InlineData(0x260, 0xFFFF_FFFFu, "too little memory")]
    [InlineData(0x25C, 1u, "above 4 GiB")]
    [InlineData(0x1F1, 0xFFu, "truncated")]
    [InlineData(0x22C, 0x1000u, "no room for the initrd")]
    [InlineData(0x238, 3u, "this kernel takes 3")]
    public void Load_BadHeaderField_IsOneLineError(int offset, uint value, string expected)
    {
        byte[] kernel = Kernel();
        if (offset is 0x211 or 0x1F1)
        {
            kernel[offset] = (byte)value;
        }
        else
        {
            kernel.Put32(offset, value);
        }

        BootOptions options = ImageBuilder.Options(64, "quiet", new BootModule("initrd", new byte[0x1000]));
        LoaderException error = Assert.Throws<LoaderException>(() => LinuxLoader.Load("k", kernel, options));

        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Load_EveryTruncation_IsLoaderExceptionOrAPlan()
    {
        byte[] kernel = Kernel();
        for (int length = 0; length < kernel.Length; length += 7)
        {
            byte[] cut = kernel[..length];
            Assert.True(Record.Exception(() => LinuxLoader.Load("k", cut, ImageBuilder.Options())) is null or LoaderException);
        }
    }

    internal static byte[] Kernel()
    {
        byte[] image = new byte[0x2000];
        image[0x1F1] = 1;
        image.Put32(0x1F4, (0x2000 - 0x400) / 16);
        image[0x200] = 0xEB;
        image[0x201] = 0x6A;
        image.Put32(0x202, 0x5372_6448).Put16(0x206, 0x20F);
        image[0x211] = 1;
        image.Put32(0x22C, 0x7FFF_FFFF).Put32(0x238, 2047).Put16(0x236, 1);
        image.Put64(0x258, 0x100_0000).Put32(0x260, 0x100_0000);
        image.AsSpan(0x400).Fill(0xCC);
        return image;
    }

    private static (ulong Start, ulong Size, uint Type) Entry(BootPlan plan, int index)
    {
        ulong at = ZeroPage + 0x2D0 + ((ulong)index * 20);
        return (plan.U64(at), plan.U64(at + 8), plan.U32(at + 16));
    }
}
