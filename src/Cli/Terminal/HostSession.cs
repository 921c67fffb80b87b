using System.Runtime.InteropServices;
using Emu.Core;
using Emu.Machine;
using Emu.Machine.Chardev;
using Emu.Machine.Display;
using Emu.Machine.Hmp;

namespace Emu.Cli.Terminal;

/// <summary>
/// What the process owes the host: signals, the terminal, and an orderly end. Whoever runs a machine sets
/// <see cref="StopMachine"/>; a signal or Ctrl-A x calls it, and ends the process by force when that does not help.
/// </summary>
internal sealed class HostSession : IMuxCommands, IDisposable
{
    private const int SignalExitBase = 128;
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(2);

    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly Stack<Action> _atExit = new();
    private readonly Lock _gate = new();
    private RawTerminal? _terminal;
    private TerminalGuard? _guard;
    private StreamBackend? _stdio;
    private int _requestedExit = -1;

    /// <summary>Takes over the signals.</summary>
    public HostSession()
    {
        Handle(PosixSignal.SIGINT, 2);
        Handle(PosixSignal.SIGTERM, 15);
        Handle(PosixSignal.SIGHUP, 1);
        Handle(PosixSignal.SIGQUIT, 3);
        if (!OperatingSystem.IsWindows())
        {
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGTSTP, StopJob));
            _signals.Add(PosixSignalRegistration.Create(PosixSignal.SIGCONT, ResumeJob));
        }

        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
    }

    /// <summary>Asks the machine to stop soon; called once, from any thread. Its runner then returns <see cref="RequestedExitCode"/>.</summary>
    public Action? StopMachine { get; set; }

    /// <summary>The monitor behind Ctrl-A c, once there is a machine.</summary>
    public MonitorSession? Monitor { get; set; }

    /// <summary>Exit code of a stop that was asked for from outside the guest, or null.</summary>
    public int? RequestedExitCode => Volatile.Read(ref _requestedExit) is int code and >= 0 ? code : null;

    /// <summary>Makes the back end on standard input and output, with the terminal in the mode that <paramref name="spec"/> asks for.</summary>
    public CharBackend CreateStdio(string name, CharSpec spec, MachineLock machineLock)
    {
        EnterTerminal(keepSignals: !spec.Mux);
        var backend = new StreamBackend(name, machineLock, StandardStreams.OpenInput(), StandardStreams.OpenOutput());
        if (spec.Mux)
        {
            backend.Filter = new MuxFilter(this);
        }

        _stdio = backend;
        AtExit(backend.Dispose);
        return backend;
    }

    /// <summary>Has <paramref name="action"/> done at the end, whichever way that comes; the last added first.</summary>
    public void AtExit(Action action)
    {
        lock (_gate)
        {
            _atExit.Push(action);
        }
    }

    /// <inheritdoc/>
    public void Quit() => RequestStop(0);

    /// <inheritdoc/>
    public void SendBreak() => _stdio?.SendBreak();

    /// <inheritdoc/>
    public void SetMonitor(bool on)
    {
        if (on && Monitor is MonitorSession monitor)
        {
            Show("\n");
            monitor.ShowPrompt();
        }
        else
        {
            Show(on ? "\nemu: the monitor is not ready yet\n" : "\n");
        }
    }

    /// <inheritdoc/>
    public void TypeIntoMonitor(byte key) => Monitor?.Receive([key]);

    /// <summary>Has <paramref name="keys"/> get what is typed on the terminal, less the Ctrl-A commands.</summary>
    public void TakeTerminal(TerminalKeys keys)
    {
        EnterTerminal(keepSignals: false);
        var filter = new MuxFilter(this);
        Stream input = StandardStreams.OpenInput();
        new Thread(() => ReadTerminal(input, filter, keys)) { Name = "terminal", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public void Show(string text) => _stdio?.Write(System.Text.Encoding.UTF8.GetBytes(text));

    /// <summary>Stops the machine and ends with <paramref name="exitCode"/>; by force when it has not ended soon.</summary>
    public void RequestStop(int exitCode)
    {
        if (Interlocked.CompareExchange(ref _requestedExit, exitCode, -1) != -1)
        {
            return;
        }

        // A reader who has gone away must not delay what was asked for from outside.
        _stdio?.EndSoon();

        // On a thread of its own: neither the terminal's reader nor a signal handler may wait for a machine that hangs.
        new Thread(() =>
        {
            if (StopMachine is Action stop)
            {
                ThreadPool.UnsafeQueueUserWorkItem(_ => stop(), null);
                Thread.Sleep(StopLimit);
            }

            Environment.Exit(exitCode);
        })
        { Name = "stop", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
        Finish();
        _signals.ForEach(signal => signal.Dispose());
        _signals.Clear();
    }

    private static void ReadTerminal(Stream input, MuxFilter filter, TerminalKeys keys)
    {
        byte[] raw = new byte[4096];
        byte[] kept = new byte[raw.Length];
        try
        {
            for (int length = input.Read(raw); length > 0; length = input.Read(raw))
            {
                keys.Type(kept.AsSpan(0, filter.Filter(raw.AsSpan(0, length), kept)));
            }
        }
        catch (IOException)
        {
            // The terminal has gone away: no more input. SIGHUP says the rest.
        }
    }

    private void EnterTerminal(bool keepSignals)
    {
        if (Console.IsInputRedirected)
        {
            return;
        }

        _guard = TerminalGuard.Start();
        _terminal = RawTerminal.Enter(keepSignals);
        _guard?.TerminalIsRaw();
    }

    private void Handle(PosixSignal signal, int number)
    {
        _signals.Add(PosixSignalRegistration.Create(signal, context =>
        {
            context.Cancel = true;
            RequestStop(SignalExitBase + number);
        }));
    }

    // Ctrl-Z with "-serial stdio": the shell gets its terminal back, and "fg" brings ours.
    private void StopJob(PosixSignalContext context)
    {
        context.Cancel = true;
        if (!OperatingSystem.IsWindows())
        {
            _terminal?.Suspend();
            RawTerminal.StopProcess();
        }
    }

    private void ResumeJob(PosixSignalContext context)
    {
        // The runtime's own reaction would put the terminal back to what it was when the process started.
        context.Cancel = true;
        _terminal?.Resume();
    }

    private void OnProcessExit(object? sender, EventArgs e) => Finish();

    // The runtime prints the exception after this: the terminal first, so that it can be read.
    private void OnUnhandledException(object sender, UnhandledExceptionEventArgs e)
    {
        _terminal?.Restore();
        Finish();
    }

    private void Finish()
    {
        while (true)
        {
            Action? action;
            lock (_gate)
            {
                _atExit.TryPop(out action);
            }

            if (action is null)
            {
                break;
            }

            try
            {
                action();
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or InvalidOperationException)
            {
                Console.Error.WriteLine($"emu: at exit: {exception.Message}");
            }
        }

        _terminal?.Restore();
        Interlocked.Exchange(ref _guard, null)?.Dispose();
    }
}
