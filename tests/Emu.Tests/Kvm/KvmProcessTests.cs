using System.Diagnostics;
using System.Text.Json;
using Emu.Machine;
using Emu.Tests.Cli;

namespace Emu.Tests.Kvm;

/// <summary>What users see of KVM: the program itself.</summary>
public sealed class KvmProcessTests
{
    private static bool EmulatesPrivilegedCode => AcceleratorFactory.IsPartial("kvm");

    [KvmFact]
    public void Accel_KvmForAKernelThatItCannotRun_EndsWithOneLineSoon()
    {
        string kernel = WriteKernel();
        try
        {
            long start = Stopwatch.GetTimestamp();
            EmuOutcome outcome = EmuProcess.Run("-accel", "kvm", "-kernel", kernel, "-display", "none", "-no-reboot");
            if (EmulatesPrivilegedCode)
            {
                Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
                Assert.Matches(@"^emu: -accel: kvm: this host's KVM has no hardware virtualisation [^\n]*; use -accel tcg, or -accel kvm:tcg to fall back\n$", outcome.Errors);
                Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 10);
            }
        }
        finally
        {
            File.Delete(kernel);
        }
    }

    [KvmFact]
    public void EmulationFailure_EndsWithOneLineAndTheRegisters()
    {
        // popcnt eax, ecx; out f4h, al: every processor runs it, KVM's emulator does not.
        string image = Path.Combine(Path.GetTempPath(), $"emu-popcnt-{Environment.ProcessId}.bin");
        File.WriteAllBytes(image, [0x66, 0xF3, 0x0F, 0xB8, 0xC1, 0xE6, 0xF4]);
        try
        {
            EmuOutcome outcome = EmuProcess.Run(
                "-accel", "kvm", "-display", "none", "-device", $"loader,file={image},addr=0x1000,cpu-num=0", "-device", "isa-debug-exit,iobase=0xf4,iosize=1");
            Assert.Equal(1, outcome.ExitCode);
            if (EmulatesPrivilegedCode)
            {
                string[] lines = outcome.Errors.Split('\n');
                Assert.Matches(@"^emu: internal error: vcpu0: KVM cannot run the guest's instruction \(66f30fb8c1[0-9a-f]*\) at 0000:1000$", lines[0]);
                Assert.StartsWith("rax=", lines[1], StringComparison.Ordinal);
            }
            else
            {
                Assert.Equal("", outcome.Errors);
            }
        }
        finally
        {
            File.Delete(image);
        }
    }

    [Fact]
    public void Doctor_SaysWhatIsThereAndWhatWouldBeTaken()
    {
        EmuOutcome outcome = EmuProcess.Run("doctor");
        Assert.Equal((0, ""), (outcome.ExitCode, outcome.Errors));
        Assert.Contains("/dev/kvm:", outcome.Output, StringComparison.Ordinal);
        Assert.Matches("-accel kvm:tcg:  would take (tcg|kvm) for a Linux guest: ", outcome.Output);
    }

    [Fact]
    public void Doctor_Json_CanBeRead()
    {
        EmuOutcome outcome = EmuProcess.Run("doctor", "--json");
        using JsonDocument report = JsonDocument.Parse(outcome.Output);
        JsonElement root = report.RootElement;
        Assert.Equal(0, outcome.ExitCode);
        Assert.Equal(Environment.ProcessorCount, root.GetProperty("processors").GetInt32());
        Assert.Contains(root.GetProperty("kvm").GetProperty("kind").GetString(), (string[])["hardware", "emulating", "none"]);
        Assert.Contains(root.GetProperty("choice").GetString(), (string[])["kvm", "tcg"]);
    }

    [KvmFact]
    public void Builtin_OnEveryAccelerator_IsIdentical()
    {
        EmuOutcome outcome = EmuProcess.Run();
        string row = outcome.Output.Split('\n').Single(line => line.StartsWith("| kvm ", StringComparison.Ordinal));
        Assert.Equal(0, outcome.ExitCode);
        Assert.Contains("| passed", row, StringComparison.Ordinal);
        Assert.EndsWith("| identical  |", row, StringComparison.Ordinal);
        Assert.Equal(EmulatesPrivilegedCode, row.Contains("passed without", StringComparison.Ordinal));
    }

    // A bzImage as far as the loader looks is more than is needed: a multiboot header does.
    private static string WriteKernel()
    {
        string path = Path.Combine(Path.GetTempPath(), $"emu-kernel-{Environment.ProcessId}");
        byte[] image = new byte[8192];
        BitConverter.GetBytes(0xAA55_0000u).CopyTo(image, 0x1FC);
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        image[0x206] = 0x0f;
        image[0x207] = 0x02;
        image[0x1F1] = 4;
        image[0x211] = 1;
        BitConverter.GetBytes(0x10_0000u).CopyTo(image, 0x214);
        BitConverter.GetBytes(0x7fff_ffffu).CopyTo(image, 0x22C);
        image[0x235] = 21;
        image[0x234] = 1;
        BitConverter.GetBytes((ushort)3).CopyTo(image, 0x236);
        BitConverter.GetBytes(2047u).CopyTo(image, 0x238);
        BitConverter.GetBytes(0x10_0000UL).CopyTo(image, 0x258);
        BitConverter.GetBytes(0x10_0000u).CopyTo(image, 0x260);
        File.WriteAllBytes(path, image);
        return path;
    }
}
