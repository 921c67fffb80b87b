using System.Diagnostics;
using System.Text.RegularExpressions;
using Emu.Machine;
using Emu.Tests.Loaders;

namespace Emu.Tests.Cli;

/// <summary>Options do what <c>-help</c> says of them, seen from outside.</summary>
public sealed class OptionEffectTests : IDisposable
{
    private const int Passed = 33;

    private static readonly string[] Guest =
        ["-device", "loader,file=guests/tiny/v86.bin,addr=0x7c00,cpu-num=0", "-device", "isa-debug-exit,iobase=0xf4,iosize=4"];

    private readonly string _folder = Directory.CreateTempSubdirectory("emu-options-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("in_asm", "^0x0000000000007c00: cli$")]
    [InlineData("op", @"^---- 7c00\n  \w+")]
    [InlineData("op_opt", @"^region [0-9a-f]+: \d+ blocks, \d+ instructions\nblock 0 [0-9a-f]+\n- \w+")]
    [InlineData("il", @"^il [0-9a-f]+\n  IL_0000: \w+")]
    [InlineData("out_asm", @"^out_asm [0-9a-f]+: \d+ bytes at [0-9a-f]+\n  [0-9a-f]+: [0-9a-f]{2,} ")]
    [InlineData("exec", "^cpu0: exec 0000000000007c00$")]
    [InlineData("int", @"^cpu0: .*GeneralProtection.* at [0-9a-f]{16}$")]
    public void D_Item_LogsIt(string item, string expected)
    {
        EmuOutcome outcome = EmuProcess.Run(["-accel", "tcg,tb-threshold=0", "-d", item, .. Guest]);

        Assert.Equal(Passed, outcome.ExitCode);
        Assert.Matches(new Regex(expected, RegexOptions.Multiline), outcome.Errors);
        Assert.DoesNotContain("cpu0", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void D_Unimp_NamesTheInstructionAndTheAddress()
    {
        // mov word [6 * 4], handler; mov ecx, 8b000000h (no such register); getsec (which no model has); jmp $; the handler:
        // sti; mov al, 10h; out 0f4h, al; in the handler of #GP: skip the instruction
        byte[] code =
        [
            0xc7, 0x06, 0x18, 0x00, 0x20, 0x7c, 0xc7, 0x06, 0x34, 0x00, 0x28, 0x7c, 0x66, 0xb9, 0, 0, 0, 0x8b, 0x0f, 0x32, 0x90, 0x0f, 0x37, 0xeb,
            0xfe, 0, 0, 0, 0, 0, 0, 0, 0x66, 0xb8, 0x10, 0, 0, 0, 0xe7, 0xf4, 0x89, 0xe5, 0x83, 0x46, 0x00, 0x02, 0xcf,
        ];
        string image = Write(code);

        EmuOutcome outcome = EmuProcess.Run("-d", "unimp", "-device", $"loader,file={image},addr=0x7c00,cpu-num=0", Guest[2], Guest[3]);

        Assert.Equal(Passed, outcome.ExitCode);
        Assert.Equal("NotSupported: RDMSR 8b000000 at 0000000000007c12\nNotSupported: getsec at 0000000000007c15\n", outcome.Errors);
    }

    [Fact]
    public void D_EveryItemOfTheList_IsTested()
    {
        IEnumerable<string> tested = typeof(OptionEffectTests).GetMethod(nameof(D_Item_LogsIt))!
            .GetCustomAttributesData().Where(data => data.AttributeType == typeof(InlineDataAttribute))
            .Select(data => (string)((IReadOnlyList<System.Reflection.CustomAttributeTypedArgument>)data.ConstructorArguments[0].Value!)[0].Value!);

        Assert.Equal(MachineCatalog.LogItems.Select(item => item.Name).Order(), tested.Append("unimp").Order());
    }

    [Fact]
    public void DFilter_LogsOnlyThatCode()
    {
        EmuOutcome outcome = EmuProcess.Run(["-d", "in_asm", "-dfilter", "0x7c00+1", .. Guest]);

        Assert.Equal((Passed, "0x0000000000007c00: cli\n"), (outcome.ExitCode, outcome.Errors));
    }

    [Theory]
    [InlineData("tcg,jit=off", 0)]
    [InlineData("tcg,tb-threshold=0", 1)]
    public void Accel_Jit_DecidesWhetherRegionsAreCompiled(string accelerator, int least)
    {
        EmuOutcome outcome = EmuProcess.Run(["-accel", accelerator, "--stats", .. Guest]);

        Match regions = Regex.Match(outcome.Errors, @"^regions compiled +([\d,]+)$", RegexOptions.Multiline);
        Assert.Equal(Passed, outcome.ExitCode);
        Assert.Equal(least, Math.Min(1, int.Parse(regions.Groups[1].Value, System.Globalization.NumberStyles.AllowThousands, System.Globalization.CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void UpperD_File_TakesTheLog()
    {
        string log = Path.Combine(_folder, "log");

        EmuOutcome outcome = EmuProcess.Run(["-d", "in_asm,exec", "-D", log, .. Guest]);

        Assert.Equal((Passed, ""), (outcome.ExitCode, outcome.Errors));
        string text = File.ReadAllText(log);
        Assert.Contains("cpu0: exec", text, StringComparison.Ordinal);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Stats_AreATableOnStandardError()
    {
        EmuOutcome outcome = EmuProcess.Run(["--stats", .. Guest]);

        Assert.Equal((Passed, "in v86\nint 60h in v86\nback\n"), (outcome.ExitCode, outcome.Output));
        Assert.Matches(new Regex(@"^accelerator tcg, wall time \d+\.\d{3} s", RegexOptions.Multiline), outcome.Errors);
        foreach (string counter in (string[])["instructions", "TLB misses", "interrupts", "exceptions", "port accesses"])
        {
            Assert.Matches(new Regex($@"^{counter} +[\d,]+$", RegexOptions.Multiline), outcome.Errors);
        }

        Assert.Matches(new Regex(@"^instructions +[1-9]", RegexOptions.Multiline), outcome.Errors);
        Assert.Matches(new Regex(@"^exceptions +[1-9]", RegexOptions.Multiline), outcome.Errors);
    }

    [Fact]
    public void MemPath_Folder_HoldsTheRam()
    {
        EmuOutcome outcome = EmuProcess.Run(["-mem-path", _folder, "-m", "16", .. Guest]);

        Assert.Equal((Passed, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Theory]
    [InlineData("-smp", "2")]
    [InlineData("-smp", "4,sockets=1,cores=2,threads=2")]
    [InlineData("-cpu", "max")]
    [InlineData("-cpu", "host")]
    [InlineData("-cpu", "max,-sse3")]
    [InlineData("-machine", "pc,hpet=off,acpi=off")]
    [InlineData("-name", "a guest")]
    [InlineData("-m", "3M")]
    public void Option_Harmless_LetsTheGuestPass(string option, string value) =>
        Assert.Equal(new EmuOutcome(Passed, "in v86\nint 60h in v86\nback\n", ""), EmuProcess.Run([option, value, .. Guest]));

    [Fact]
    public void Accel_KvmThenTcg_SaysWhyKvmIsPassedOver_OrUsesIt()
    {
        EmuOutcome outcome = EmuProcess.Run(["-accel", "kvm:tcg", .. Guest]);

        Assert.Equal(Passed, outcome.ExitCode);
        Assert.Matches(@"^(emu: kvm: .*; using tcg\n)?$", outcome.Errors);
    }

    [UnixFact]
    public void NoShutdown_PowerOff_LeavesTheProgramRunning()
    {
        // out dx=604h, 3400h: S5 by the PM1a control register.
        string image = Write([0xba, 0x04, 0x06, 0xb8, 0x00, 0x34, 0xef, 0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xf4]);
        string[] options = ["-device", $"loader,file={image},addr=0x7c00,cpu-num=0"];
        Assert.Equal(new EmuOutcome(0, "", ""), EmuProcess.Run(options));

        using Process process = EmuProcess.Start(["-no-shutdown", .. options]);
        try
        {
            Assert.False(process.WaitForExit(700), "the program ends");
        }
        finally
        {
            process.Kill();
        }

        Assert.Equal("", process.StandardOutput.ReadToEnd());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Kernel_Elf_Starts(bool multiboot)
    {
        // cmp eax, 2badb002h or cmp [ebx], the magic of PVH; jne to hlt; mov al, 10h; out 0f4h, al; hlt
        byte[] compare = multiboot ? [0x3d, 0x02, 0xb0, 0xad, 0x2b] : [0x81, 0x3b, 0x78, 0xc5, 0x6e, 0x33];
        byte[] code = [.. compare, 0x75, 0x04, 0xb0, 0x10, 0xe6, 0xf4, 0xf4];
        byte[] image = multiboot ? ElfBuilder.Elf32().WithMultiboot() : ElfBuilder.Elf64(ElfBuilder.LoadAddress + 0x10);
        code.CopyTo(image, ElfBuilder.SegmentOffset + 0x10);

        EmuOutcome outcome = EmuProcess.Run("-kernel", Write(image), Guest[2], Guest[3]);

        Assert.Equal(new EmuOutcome(Passed, "", ""), outcome);
    }

    private string Write(byte[] content)
    {
        string path = Path.Combine(_folder, "image");
        File.WriteAllBytes(path, content);
        return path;
    }
}
