namespace Emu.Jit.Regions;

/// <summary>A machine's background compiler: one thread, which takes the hottest region first.</summary>
internal sealed class RegionQueue : IDisposable
{
    private const int Capacity = 256;

    private readonly Func<Region, CompiledRegion?> _compile;
    private readonly object _gate = new();
    private readonly List<RegionJob> _waiting = [];
    private readonly HashSet<RegionTiering> _gone = [];
    private Thread? _thread;
    private bool _stopping;

    /// <summary>Creates the compiler; its thread starts with the first region.</summary>
    public RegionQueue(Func<Region, CompiledRegion?> compile) => _compile = compile;

    /// <summary>Stops compiling; waits for the region in work.</summary>
    public void Dispose()
    {
        Thread? thread;
        lock (_gate)
        {
            _stopping = true;
            _waiting.Clear();
            thread = _thread;
            Monitor.PulseAll(_gate);
        }

        thread?.Join();
    }

    /// <summary>Queues a region; false when too many wait already.</summary>
    public bool TryAdd(RegionJob job)
    {
        lock (_gate)
        {
            if (_stopping || _waiting.Count >= Capacity)
            {
                return false;
            }

            _waiting.Add(job);
            if (_thread is null)
            {
                _thread = new Thread(CompileAll) { Name = "jit", IsBackground = true };
                _thread.Start();
            }

            Monitor.Pulse(_gate);
            return true;
        }
    }

    /// <summary>Forgets a vCPU; nothing is delivered to it afterwards.</summary>
    public void Remove(RegionTiering owner)
    {
        lock (_gate)
        {
            _gone.Add(owner);
            _waiting.RemoveAll(job => job.Owner == owner);
        }
    }

    private void CompileAll()
    {
        while (Take() is RegionJob job)
        {
            job.Compile(_compile);
            lock (_gate)
            {
                if (!_gone.Contains(job.Owner))
                {
                    job.Owner.Deliver(job);
                }
            }
        }
    }

    private RegionJob? Take()
    {
        lock (_gate)
        {
            while (true)
            {
                _waiting.RemoveAll(job => job.IsDropped);
                if (_stopping)
                {
                    return null;
                }

                if (_waiting.MaxBy(job => job.Heat) is RegionJob hottest)
                {
                    _waiting.Remove(hottest);
                    return hottest;
                }

                Monitor.Wait(_gate);
            }
        }
    }
}
