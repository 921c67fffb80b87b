using System.ComponentModel;
using System.Diagnostics;

namespace Emu.Cli.Terminal;

/// <summary>
/// A small shell process that gives the terminal back when this one dies without a word: a crash of the runtime, SIGKILL.
/// No handler of ours runs then. It notices by the end of its standard input; an orderly end tells it to leave first. It
/// touches the terminal only when it is still as this process left it, since an interactive shell may have been quicker.
/// </summary>
internal sealed class TerminalGuard : IDisposable
{
    // Reads: a line when the terminal is raw, and a line at an orderly end. Signals meant for the emulator are ignored.
    private const string Script = """
        trap '' INT QUIT TERM HUP TSTP TTIN TTOU
        saved=$(stty -g </dev/tty) || exit
        echo saved
        read -r line || exit
        raw=$(stty -g </dev/tty)
        read -r line && exit
        [ "$(stty -g </dev/tty)" = "$raw" ] && stty "$saved" </dev/tty
        """;

    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(1);

    private readonly Process _process;

    private TerminalGuard(Process process) => _process = process;

    /// <summary>Starts the guard while the terminal is still as it was; null where there is no such shell.</summary>
    public static TerminalGuard? Start()
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        try
        {
            Process process = Process.Start(start)!;
            Task<string?> ready = process.StandardOutput.ReadLineAsync();
            if (ready.Wait(ReadyLimit) && ready.Result is not null)
            {
                return new TerminalGuard(process);
            }

            process.Dispose();
            return null;
        }
        catch (Exception exception) when (exception is Win32Exception or IOException or AggregateException)
        {
            return null;
        }
    }

    /// <summary>Tells the guard that the terminal is raw now.</summary>
    public void TerminalIsRaw() => Tell("raw");

    /// <summary>An orderly end: the terminal has been given back.</summary>
    public void Dispose()
    {
        Tell("done");
        _process.Dispose();
    }

    private void Tell(string line)
    {
        try
        {
            _process.StandardInput.WriteLine(line);
            _process.StandardInput.Flush();
        }
        catch (Exception exception) when (exception is IOException or InvalidOperationException)
        {
            // Somebody killed the guard: then there is just none.
        }
    }
}
