using System.Collections.Concurrent;
using System.Diagnostics;
using Emu.Core.Cpu;
using Emu.Machine.Host;

namespace Emu.Machine;

/// <content>Life cycle: requests from anywhere, and the machine thread that acts on them one after the other.</content>
public sealed partial class Machine
{
    private readonly ConcurrentQueue<MachineRequest> _requests = new();
    private readonly Stopwatch _runTime = new();
    private Thread? _runner;
    private int? _exitCode;
    private int _resetPending;
    private int _lastResetCause;
    private bool _startPaused;

    /// <summary>Runs the machine to its end and returns the exit code. Once only.</summary>
    public int Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var runner = new Thread(RunLoop) { Name = "machine", IsBackground = true };
        if (Interlocked.CompareExchange(ref _runner, runner, null) is not null)
        {
            throw new InvalidOperationException("A machine runs only once; make another one.");
        }

        runner.Start();
        runner.Join();
        return _exitCode ?? 0;
    }

    /// <summary>
    /// Ends the machine soon with <paramref name="exitCode"/>, whatever the guest does. Returns at once. Before
    /// <see cref="Run"/> it makes that return at once.
    /// </summary>
    public void RequestStop(int exitCode = 0)
    {
        StopVcpus();
        Post(new MachineRequest(MachineRequestKind.Exit, exitCode));
    }

    /// <summary>Resets the machine soon, as its reset button would. Returns at once.</summary>
    public void RequestReset() => RequestReset(MachineResetCause.Requested);

    /// <summary>Presses the power button: a guest with ACPI shuts down.</summary>
    public void PressPowerButton()
    {
        using (Lock.Enter())
        {
            _board.PressPowerButton();
        }
    }

    /// <summary>Sends a non-maskable interrupt to every CPU.</summary>
    public void PulseNmi()
    {
        using (Lock.Enter())
        {
            _board.PulseNmi();
        }
    }

    /// <summary>
    /// Stops the CPUs and virtual time, and waits until they stand still. Before <see cref="Run"/> it makes the machine
    /// start paused. Not with the machine lock held, and not from one of the machine's own threads.
    /// </summary>
    public void Pause() => PostAndWait(MachineRequestKind.Pause);

    /// <summary>Lets a paused machine go on, and waits until it does. Restrictions as for <see cref="Pause"/>.</summary>
    public void Resume() => PostAndWait(MachineRequestKind.Resume);

    private void RequestReset(MachineResetCause cause)
    {
        // A guest often tries several ways to reset before the first one takes effect.
        if (Interlocked.Exchange(ref _resetPending, 1) == 0)
        {
            Volatile.Write(ref _lastResetCause, (int)cause);
            StopVcpus();
            Post(new MachineRequest(MachineRequestKind.Reset));
        }
    }

    private void OnPowerOff()
    {
        StopVcpus();
        Post(new MachineRequest(MachineRequestKind.PowerOff));
    }

    private void OnGuestExit(int exitCode)
    {
        StopVcpus();
        Post(new MachineRequest(MachineRequestKind.Exit, exitCode));
    }

    private void OnVcpuLeft(VcpuThread thread, VcpuExit exit)
    {
        if (exit.Reason == VcpuExitReason.Shutdown)
        {
            _log?.Invoke($"vcpu{thread.Vcpu.Index}: triple fault{(exit.Detail is null ? "" : $": {exit.Detail}")}");
            RequestReset(MachineResetCause.TripleFault);
            return;
        }

        FailureDump = exit.Dump;
        Fail($"vcpu{thread.Vcpu.Index}: {exit.Detail ?? exit.Reason.ToString()}");
    }

    private void OnWorkerFailed(Exception exception) => Fail(InternalError.Describe(exception));

    private void Fail(string detail)
    {
        StopVcpus();
        Post(new MachineRequest(MachineRequestKind.Fail, ExitCode: 1, detail));
    }

    // At once and on the caller's thread, so that the guest gets no further than it must; the machine thread follows.
    private void StopVcpus()
    {
        lock (_vcpusGate)
        {
            if (!_disposed)
            {
                Array.ForEach(_threads, thread => thread.Pause());
            }
        }
    }

    private void Post(MachineRequest request)
    {
        _requests.Enqueue(request);
        _waiter.Wake();
    }

    private void PostAndWait(MachineRequestKind kind)
    {
        if (_runner is null)
        {
            _startPaused = kind == MachineRequestKind.Pause;
            return;
        }

        using var done = new ManualResetEventSlim();
        Post(new MachineRequest(kind, Done: done));
        while (Status != MachineStatus.Finished && !done.Wait(TimeSpan.FromMilliseconds(20)))
        {
            // The machine may end instead, with the request unseen.
        }
    }

    private void OnDeadlineMoved()
    {
        // The machine thread looks at the deadlines anyway before it sleeps.
        if (Thread.CurrentThread != _runner)
        {
            _waiter.Wake();
        }
    }

    private void RunLoop()
    {
        try
        {
            Start();
            HandleRequests();
            if (!_startPaused)
            {
                Go();
            }

            while (_exitCode is null)
            {
                HandleRequests();
                RunTimers();
                if (_exitCode is null && _requests.IsEmpty)
                {
                    _waiter.Wait(TimeToNextTimer());
                }
            }
        }
        catch (Exception exception)
        {
            // As on vCPU threads: a fault of the emulator ends this machine only.
            Report(InternalError.Describe(exception));
        }
        finally
        {
            End();
        }
    }

    private void Start()
    {
        Array.ForEach(_threads, thread => thread.Start());
        _runTime.Start();
        SetStatus(MachineStatus.Paused);
    }

    private void End()
    {
        SetStatus(MachineStatus.Finished);
        _runTime.Stop();
        Array.ForEach(_threads, thread => thread.Finish());
        foreach (VcpuThread thread in _threads)
        {
            if (!thread.Join(StopLimit))
            {
                _threadsLost = true;
                _host.Notice($"vcpu{thread.Vcpu.Index} does not stop; its memory is not freed");
            }
        }

        _clock.Pause();
    }

    private void HandleRequests()
    {
        while (_exitCode is null && _requests.TryDequeue(out MachineRequest? request))
        {
            Handle(request);
            request.Done?.Set();
        }
    }

    private void Handle(MachineRequest request)
    {
        switch (request.Kind)
        {
            case MachineRequestKind.Pause:
            case MachineRequestKind.PowerOff when _config.NoShutdown:
                Halt();
                break;
            case MachineRequestKind.Resume:
                Go();
                break;
            case MachineRequestKind.Reset when !_config.NoReboot:
                ResetMachine();
                break;
            case MachineRequestKind.Fail:
                Report(request.Detail!);
                break;
            default:
                _exitCode = request.ExitCode;
                break;
        }
    }

    private void Go()
    {
        if (_exitCode is null && Status != MachineStatus.Running)
        {
            using (Lock.Enter())
            {
                _clock.Resume();
                _accelerator.SetClockRunning(true);
            }

            SetStatus(MachineStatus.Running);
            Array.ForEach(_threads, thread => thread.Resume());
        }
    }

    private void Halt()
    {
        if (AwaitVcpus() && Status == MachineStatus.Running)
        {
            // Under the lock nobody reads the clock while it stops, and sees time go back.
            using (Lock.Enter())
            {
                _clock.Pause();
                _accelerator.SetClockRunning(false);
            }

            SetStatus(MachineStatus.Paused);
        }
    }

    private void ResetMachine()
    {
        if (!AwaitVcpus())
        {
            return;
        }

        // From here on no CPU runs, so that a further request is a new one.
        Volatile.Write(ref _resetPending, 0);
        using (Lock.Enter())
        {
            _board.Reset();
            PowerOn();
        }

        if (Status == MachineStatus.Running)
        {
            Array.ForEach(_threads, thread => thread.Resume());
        }
    }

    // The lock must not be held: a CPU in the middle of an I/O instruction needs it to get out.
    private bool AwaitVcpus()
    {
        StopVcpus();
        foreach (VcpuThread thread in _threads)
        {
            if (!thread.WaitUntilPaused(StopLimit))
            {
                Report($"vcpu{thread.Vcpu.Index} does not stop");
                return false;
            }
        }

        return true;
    }

    private void RunTimers()
    {
        if (Status == MachineStatus.Running && _timers.NextDeadlineNs <= _clock.NowNs)
        {
            using (Lock.Enter())
            {
                _timers.RunExpired();
            }
        }
    }

    private long TimeToNextTimer() => Status == MachineStatus.Running && _timers.NextDeadlineNs is long deadline
        ? Math.Max(0, deadline - _clock.NowNs)
        : HostWaiter.Forever;

    private void Report(string detail)
    {
        Failure = $"internal error: {detail}";
        _exitCode = 1;
    }

    private void SetStatus(MachineStatus status) => Volatile.Write(ref _status, (int)status);
}
