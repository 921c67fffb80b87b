using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Emu.Cli.Terminal;

/// <summary>
/// The terminal on standard input without line editing and echo. <see cref="Restore"/> may be called from any thread,
/// any number of times, also while the process dies.
/// </summary>
internal sealed partial class RawTerminal
{
    // Larger than any system's struct termios: it is filled and changed by libc, apart from two flag words.
    private const int TermiosBytes = 256;
    private const int StandardInput = 0;
    private const int ApplyNow = 0;
    private const uint OutputProcessing = 1;

    private readonly byte[] _saved = new byte[TermiosBytes];
    private readonly byte[] _raw = new byte[TermiosBytes];
    private int _restored;

    private RawTerminal()
    {
    }

    /// <summary>
    /// Makes the terminal raw; null when standard input is none. With <paramref name="keepSignals"/> Ctrl-C, Ctrl-Z and
    /// Ctrl-\ go on acting on the emulator, else they are the guest's.
    /// </summary>
    public static RawTerminal? Enter(bool keepSignals)
    {
        if (Console.IsInputRedirected)
        {
            return null;
        }

        var terminal = new RawTerminal();
        if (OperatingSystem.IsWindows())
        {
            Console.TreatControlCAsInput = !keepSignals;
            return terminal;
        }

        return terminal.EnterUnix(keepSignals) ? terminal : null;
    }

    /// <summary>Gives the terminal back as it was.</summary>
    public void Restore()
    {
        if (Interlocked.Exchange(ref _restored, 1) != 0)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Console.TreatControlCAsInput = false;
            return;
        }

        Apply(_saved);
    }

    /// <summary>Gives the terminal back for the time that the process is stopped.</summary>
    [UnsupportedOSPlatform("windows")]
    public void Suspend() => Apply(_saved);

    /// <summary>Makes it raw again when a stopped process goes on, unless <see cref="Restore"/> was last.</summary>
    public void Resume()
    {
        if (!OperatingSystem.IsWindows() && Volatile.Read(ref _restored) == 0)
        {
            Apply(_raw);
        }
    }

    /// <summary>Stops this process as Ctrl-Z does. May return before it has stopped; SIGCONT tells when it goes on.</summary>
    [UnsupportedOSPlatform("windows")]
    public static void StopProcess() => _ = Kill(Environment.ProcessId, OperatingSystem.IsMacOS() ? 17 : 19);

    [UnsupportedOSPlatform("windows")]
    private bool EnterUnix(bool keepSignals)
    {
        if (GetAttributes(StandardInput, _saved) != 0)
        {
            return false;
        }

        _saved.CopyTo(_raw, 0);
        MakeRaw(_raw);

        // struct termios begins with the words iflag, oflag, cflag, lflag: 32 bits each on Linux, 64 on macOS, where ISIG
        // is another bit too. "\n" goes on meaning a new line, for guests that print no "\r".
        bool mac = OperatingSystem.IsMacOS();
        int word = mac ? 8 : 4;
        _raw[word] |= (byte)OutputProcessing;
        if (keepSignals)
        {
            _raw[3 * word] |= (byte)(mac ? 0x80 : 0x01);
        }

        return Apply(_raw);
    }

    [UnsupportedOSPlatform("windows")]
    private static bool Apply(byte[] attributes) => SetAttributes(StandardInput, ApplyNow, attributes) == 0;

    [LibraryImport("libc", EntryPoint = "tcgetattr")]
    private static partial int GetAttributes(int descriptor, [Out] byte[] attributes);

    [LibraryImport("libc", EntryPoint = "tcsetattr")]
    private static partial int SetAttributes(int descriptor, int action, byte[] attributes);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [LibraryImport("libc", EntryPoint = "cfmakeraw")]
    private static partial void MakeRaw([In, Out] byte[] attributes);
}
