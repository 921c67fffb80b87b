using Emu.Core.Cpu;

namespace Emu.Machine;

/// <summary>What a vCPU's thread does.</summary>
internal enum VcpuPhase
{
    /// <summary>Waits for a message; the vCPU's state may be read and replaced by others.</summary>
    Paused,

    /// <summary>Runs the guest.</summary>
    Running,

    /// <summary>The thread has ended or is about to.</summary>
    Finished,
}

/// <summary>
/// The thread of one vCPU: a state machine fed by messages. A message is acted on once the vCPU has left the guest, which
/// every sender but that of <see cref="Resume"/> hastens with a kick.
/// </summary>
internal sealed class VcpuThread
{
    private readonly object _gate = new();
    private readonly Queue<VcpuPhase> _messages = new();
    private readonly Action<VcpuThread, VcpuExit> _left;
    private readonly Thread _thread;
    private VcpuPhase _phase = VcpuPhase.Paused;

    /// <summary>Creates the thread, paused; <paramref name="left"/> is told on it when the guest was left for more than a kick.</summary>
    public VcpuThread(IVcpu vcpu, Action<VcpuThread, VcpuExit> left)
    {
        Vcpu = vcpu;
        _left = left;
        _thread = new Thread(Main) { Name = $"vcpu{vcpu.Index}", IsBackground = true };
    }

    /// <summary>The vCPU. Its state belongs to others while <see cref="WaitUntilPaused"/> has been true and nothing was sent since.</summary>
    public IVcpu Vcpu { get; }

    /// <summary>Starts the thread, paused.</summary>
    public void Start() => _thread.Start();

    /// <summary>Has the guest run.</summary>
    public void Resume() => Send(VcpuPhase.Running);

    /// <summary>Has the guest stop soon. Any thread, this one included; never waits.</summary>
    public void Pause()
    {
        Send(VcpuPhase.Paused);
        Vcpu.Kick();
    }

    /// <summary>Has the thread end soon.</summary>
    public void Finish()
    {
        Send(VcpuPhase.Finished);
        Vcpu.Kick();
    }

    /// <summary>Waits until every message has been acted on and the guest does not run; false after <paramref name="limit"/>.</summary>
    public bool WaitUntilPaused(TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        lock (_gate)
        {
            while (_messages.Count > 0 || _phase == VcpuPhase.Running)
            {
                long left = end - Environment.TickCount64;
                if (left <= 0)
                {
                    return false;
                }

                Monitor.Wait(_gate, (int)left);
            }

            return true;
        }
    }

    /// <summary>Waits for the thread to end; false after <paramref name="limit"/>.</summary>
    public bool Join(TimeSpan limit) => _thread.Join(limit);

    private void Send(VcpuPhase wanted)
    {
        lock (_gate)
        {
            _messages.Enqueue(wanted);
            Monitor.PulseAll(_gate);
        }
    }

    private void Main()
    {
        CurrentVcpu.Index = Vcpu.Index;
        while (NextPhase() != VcpuPhase.Finished)
        {
            VcpuExit exit = RunGuest();
            if (exit.Reason != VcpuExitReason.Kicked)
            {
                // Not before the vCPU is parked: whoever is told may look at its state.
                Park();
                _left(this, exit);
            }
        }
    }

    // Acts on all messages, waits while paused, and returns Running or Finished.
    private VcpuPhase NextPhase()
    {
        lock (_gate)
        {
            while (_messages.Count > 0 || _phase == VcpuPhase.Paused)
            {
                if (_messages.TryDequeue(out VcpuPhase wanted))
                {
                    _phase = wanted;
                }

                if (_phase == VcpuPhase.Finished)
                {
                    _messages.Clear();
                    Monitor.PulseAll(_gate);
                    break;
                }

                if (_messages.Count == 0)
                {
                    Monitor.PulseAll(_gate);
                    if (_phase == VcpuPhase.Paused)
                    {
                        Monitor.Wait(_gate);
                    }
                }
            }

            return _phase;
        }
    }

    private VcpuExit RunGuest()
    {
        try
        {
            return Vcpu.Run();
        }
        catch (Exception exception)
        {
            // A fault of the emulator, in a device as likely as in the CPU: it ends this machine, not the program around it.
            return new VcpuExit(VcpuExitReason.InternalError, InternalError.Describe(exception));
        }
    }

    private void Park()
    {
        lock (_gate)
        {
            _phase = VcpuPhase.Paused;
            Monitor.PulseAll(_gate);
        }
    }
}
