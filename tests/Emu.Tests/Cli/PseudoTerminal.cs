using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Emu.Tests.Cli;

/// <summary>A terminal without a screen: the test types and reads at one end, the program runs at the other.</summary>
internal sealed unsafe partial class PseudoTerminal : IDisposable
{
    private const int ReadWrite = 2;
    private const int NoControllingTerminal = 0x100;
    private const int TermiosBytes = 256;

    private readonly int _master;
    private readonly int _slave;
    private readonly StringBuilder _output = new();

    public PseudoTerminal()
    {
        _master = Check(OpenMaster(ReadWrite | NoControllingTerminal));
        Check(Grant(_master));
        Check(Unlock(_master));
        byte* name = stackalloc byte[256];
        Check(SlaveName(_master, name, 256));
        SlavePath = Marshal.PtrToStringUTF8((nint)name)!;

        // Held open, so that its settings outlive the program.
        _slave = Check(Open(SlavePath, ReadWrite | NoControllingTerminal));
        new Thread(ReadLoop) { IsBackground = true, Name = "terminal" }.Start();
    }

    /// <summary>Path of the program's end.</summary>
    public string SlavePath { get; }

    /// <summary>What the program has written.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>The terminal's settings, comparable.</summary>
    public string Settings
    {
        get
        {
            // The flag words and control characters of Linux's struct termios; the speeds behind them do not change.
            byte[] settings = new byte[TermiosBytes];
            Check(GetAttributes(_slave, settings));
            return Convert.ToHexString(settings.AsSpan(0, 36));
        }
    }

    /// <summary>
    /// Starts emu from a shell whose terminal this is, as users do: a session, and with it the terminal, ends with its first
    /// process. The shell ends with the same exit code.
    /// </summary>
    public Process Start(params IEnumerable<string> arguments)
    {
        // The second command keeps the shell from becoming emu; after a kill it gives the terminal's watcher time.
        const string Session = "\"$@\"; status=$?; [ $status != 137 ] || sleep 1; exit $status";
        const string Outer = "t=$1; shift; exec setsid -c /bin/sh -c \"$@\" <\"$t\" >\"$t\" 2>&1";
        var start = new ProcessStartInfo("/bin/sh", ["-c", Outer, "sh", SlavePath, Session, "sh", .. EmuProcess.Command, .. arguments])
        {
            WorkingDirectory = Repository.Root,
        };
        return Process.Start(start)!;
    }

    /// <summary>The process id of the emu that <paramref name="shell"/> runs.</summary>
    public static int EmuOf(Process shell) =>
        int.Parse(File.ReadAllText($"/proc/{shell.Id}/task/{shell.Id}/children").Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Types <paramref name="text"/>.</summary>
    public void Type(string text)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(text);
        fixed (byte* start = bytes)
        {
            Check((int)Write(_master, start, (nuint)bytes.Length));
        }
    }

    /// <summary>Waits until the program has written <paramref name="text"/>.</summary>
    public void Expect(string text) =>
        Assert.True(SpinWait.SpinUntil(() => Output.Contains(text, StringComparison.Ordinal), TimeSpan.FromSeconds(20)), $"'{text}' is missing in:\n{Output}");

    /// <inheritdoc/>
    public void Dispose()
    {
        // The reader ends with an error once both are closed.
        _ = Close(_slave);
        _ = Close(_master);
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private void ReadLoop()
    {
        byte* buffer = stackalloc byte[4096];
        while (Read(_master, buffer, 4096) is nint length and > 0)
        {
            lock (_output)
            {
                _output.Append(Encoding.Latin1.GetString(buffer, (int)length));
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "posix_openpt", SetLastError = true)]
    private static partial int OpenMaster(int flags);

    [LibraryImport("libc", EntryPoint = "grantpt", SetLastError = true)]
    private static partial int Grant(int master);

    [LibraryImport("libc", EntryPoint = "unlockpt", SetLastError = true)]
    private static partial int Unlock(int master);

    [LibraryImport("libc", EntryPoint = "ptsname_r", SetLastError = true)]
    private static partial int SlaveName(int master, byte* name, nuint size);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(int descriptor, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int descriptor, byte* buffer, nuint size);

    [LibraryImport("libc", EntryPoint = "tcgetattr", SetLastError = true)]
    private static partial int GetAttributes(int descriptor, byte[] attributes);
}
