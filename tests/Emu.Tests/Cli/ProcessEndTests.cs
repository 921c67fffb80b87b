using System.Diagnostics;
using System.Runtime.InteropServices;
using Emu.Tests.Debian;

namespace Emu.Tests.Cli;

/// <summary>The ways out of a program whose guest does not want to end.</summary>
[Collection(AloneCollection.Name)]
public sealed partial class ProcessEndTests : IDisposable
{
    private const string Looping = "-device loader,file=guests/tiny/cli_loop.bin,addr=0x7c00,cpu-num=0";

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(2);

    private readonly string _image = Path.GetTempFileName();

    public enum Signal
    {
        Hangup = 1,
        Interrupt = 2,
        Quit = 3,
        Kill = 9,
        Terminate = 15,
    }

    public void Dispose() => File.Delete(_image);

    [UnixTheory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Interrupt)]
    [InlineData(Signal.Hangup)]
    [InlineData(Signal.Quit)]
    public void Signal_ToALoopWithInterruptsOff_Ends(Signal signal)
    {
        using Process process = EmuProcess.Start(Looping.Split(' '));
        Assert.Equal("looping", process.StandardOutput.ReadLine());

        AssertEnds(process, () => Send(process, signal), 128 + (int)signal);
    }

    [UnixFact]
    public void Terminate_ToAGuestThatStartsOverAgainAndAgain_Ends()
    {
        // mov dx, 3f8h; mov al, 'A'; out dx, al; mov al, 10; out dx, al; lidt [an empty table]; int3
        File.WriteAllBytes(_image, [0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xb0, 0x0a, 0xee, 0x0f, 0x01, 0x1e, 0x00, 0x05, 0xcc]);
        using Process process = EmuProcess.Start("-device", $"loader,file={_image},addr=0x7c00,cpu-num=0");
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal("A", process.StandardOutput.ReadLine());
        }

        Task rest = process.StandardOutput.ReadToEndAsync();
        AssertEnds(process, () => Send(process, Signal.Terminate), 143);
        rest.Wait();
    }

    [UnixTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Terminate_ToAGuestThatFloodsTheSerialPort_Ends(bool someoneReads)
    {
        // mov dx, 3f8h; mov al, 'A'; l: out dx, al; jmp l
        File.WriteAllBytes(_image, [0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xeb, 0xfd]);
        using Process process = EmuProcess.Start("-device", $"loader,file={_image},addr=0x7c00,cpu-num=0");
        char[] buffer = new char[65536];
        Assert.True(process.StandardOutput.Read(buffer) > 0);
        Task rest = someoneReads ? process.StandardOutput.BaseStream.CopyToAsync(Stream.Null) : Task.Delay(500);
        rest.Wait(500);

        AssertEnds(process, () => Send(process, Signal.Terminate), 143);
    }

    [TerminalFact]
    public void CtrlAX_InALoopWithInterruptsOff_EndsWithTheTerminalAsItWas()
    {
        using var terminal = new PseudoTerminal();
        string before = terminal.Settings;
        using Process process = terminal.Start(["-nographic", .. Looping.Split(' ')]);
        terminal.Expect("looping");
        Assert.NotEqual(before, terminal.Settings);

        // Ctrl-C is the guest's.
        terminal.Type("\u0003\u0001h");
        terminal.Expect("quit emu");
        AssertEnds(process, () => terminal.Type("\u0001x"), 0);

        Assert.Equal(before, terminal.Settings);
    }

    [TerminalTheory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Kill)]
    public void Signal_WithATerminal_LeavesItAsItWas(Signal signal)
    {
        using var terminal = new PseudoTerminal();
        string before = terminal.Settings;
        using Process process = terminal.Start(["-nographic", .. Looping.Split(' ')]);
        terminal.Expect("looping");
        Assert.NotEqual(before, terminal.Settings);

        AssertEnds(process, () => Assert.Equal(0, Kill(PseudoTerminal.EmuOf(process), (int)signal)), 128 + (int)signal);

        // After SIGKILL a watcher gives it back, a moment later.
        Assert.True(SpinWait.SpinUntil(() => terminal.Settings == before, TimeSpan.FromSeconds(2)), "the terminal stays raw");
    }

    [TerminalFact]
    public void StdioWithoutMonitor_CtrlC_EndsWithTheTerminalAsItWas()
    {
        using var terminal = new PseudoTerminal();
        string before = terminal.Settings;
        using Process process = terminal.Start(["-serial", "stdio", .. Looping.Split(' ')]);
        terminal.Expect("looping");

        AssertEnds(process, () => terminal.Type("\u0003"), 130);

        Assert.Equal(before, terminal.Settings);
    }

    [TerminalFact]
    public void StartPaused_RunsNothing_AndCtrlAXEnds()
    {
        using var terminal = new PseudoTerminal();
        string before = terminal.Settings;
        using Process process = terminal.Start(["-S", .. Looping.Split(' ')]);
        Assert.True(SpinWait.SpinUntil(() => terminal.Settings != before, TimeSpan.FromSeconds(10)), "the terminal does not become raw");
        Assert.False(process.WaitForExit(500));
        Assert.DoesNotContain("looping", terminal.Output, StringComparison.Ordinal);

        AssertEnds(process, () => terminal.Type("\u0001x"), 0);
    }

    private static void AssertEnds(Process process, Action end, int expectedCode)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            end();
            Assert.True(process.WaitForExit(TimeSpan.FromSeconds(10)), "the program goes on");
            TimeSpan time = Stopwatch.GetElapsedTime(start);

            Assert.Equal(expectedCode, process.ExitCode);
            Assert.True(time < EndLimit, $"the program ends after {time.TotalSeconds:0.0} s");
        }
        finally
        {
            process.Kill();
        }
    }

    private static void Send(Process process, Signal signal) => Assert.Equal(0, Kill(process.Id, (int)signal));

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}

/// <summary>Why tests that need a terminal are skipped, or null.</summary>
internal static class TerminalSupport
{
    public static string? WhySkip { get; } = !OperatingSystem.IsLinux() ? "needs Linux"
        : !File.Exists("/usr/bin/setsid") ? "setsid of util-linux is not installed"
        : null;
}

/// <summary>A fact that needs a pseudo-terminal.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TerminalFactAttribute : FactAttribute
{
    /// <summary>Decides on the skip.</summary>
    public TerminalFactAttribute() => Skip = TerminalSupport.WhySkip;
}

/// <summary>A theory that needs a pseudo-terminal.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class TerminalTheoryAttribute : TheoryAttribute
{
    /// <summary>Decides on the skip.</summary>
    public TerminalTheoryAttribute() => Skip = TerminalSupport.WhySkip;
}
