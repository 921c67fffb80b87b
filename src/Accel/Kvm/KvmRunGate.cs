namespace Emu.Accel.Kvm;

/// <summary>Keeps vCPUs out of the guest while memory slots change, so that none sees a hole between a removal and an addition.</summary>
internal sealed class KvmRunGate
{
    private readonly object _opened = new();
    private readonly List<KvmVcpu> _vcpus = [];
    private int _closed;

    /// <summary>True while slots change. A vCPU that says it enters the guest and then reads true must not.</summary>
    public bool IsClosed => Volatile.Read(ref _closed) != 0;

    public void Add(KvmVcpu vcpu) => _vcpus.Add(vcpu);

    /// <summary>Waits until <see cref="IsClosed"/> is false.</summary>
    public void WaitUntilOpen()
    {
        lock (_opened)
        {
            while (IsClosed)
            {
                Monitor.Wait(_opened);
            }
        }
    }

    /// <summary>Runs <paramref name="change"/> with no vCPU in the guest. The machine lock is held, so there is one at a time.</summary>
    public void RunExclusively(Action change)
    {
        Interlocked.Exchange(ref _closed, 1);
        foreach (KvmVcpu vcpu in _vcpus)
        {
            var spin = new SpinWait();
            while (vcpu.IsInGuest)
            {
                vcpu.Interrupt();
                spin.SpinOnce();
            }
        }

        try
        {
            change();
        }
        finally
        {
            lock (_opened)
            {
                Volatile.Write(ref _closed, 0);
                Monitor.PulseAll(_opened);
            }
        }
    }
}
