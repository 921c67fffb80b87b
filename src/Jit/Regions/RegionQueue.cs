using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// A machine's background compiler: one thread, which takes the region that is hottest now first, and prepares tier 0 while none waits.
/// </summary>
internal sealed class RegionQueue : IDisposable
{
    private const int Capacity = 256;

    private readonly Func<Region, CompiledRegion?> _compile;
    private readonly object _gate = new();
    private readonly List<RegionJob> _waiting = [];
    private readonly HashSet<RegionTiering> _gone = [];
    private readonly IEnumerator<IrOp>? _handlers; // the thread's
    private Thread? _thread;
    private bool _stopping;

    /// <summary>Creates the compiler.</summary>
    /// <param name="compile">Makes host code of a region.</param>
    /// <param name="handlers">Ops whose tier-0 handlers are compiled when there is nothing else to do. Without any, the thread starts with the first region.</param>
    public RegionQueue(Func<Region, CompiledRegion?> compile, IEnumerable<IrOp>? handlers = null)
    {
        _compile = compile;
        _handlers = handlers?.GetEnumerator();
        if (_handlers is not null)
        {
            Start();
        }
    }

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

    /// <summary>True when so many regions wait that another is not worth forming. Without the lock: it may be out of date.</summary>
    public bool IsFull => _waiting.Count >= Capacity;

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
                Start();
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

    private void Start()
    {
        _thread = new Thread(Work) { Name = "jit", IsBackground = true };
        _thread.Start();
    }

    private void Work()
    {
        while (Take() is Action work)
        {
            work();
        }
    }

    private void Compile(RegionJob job)
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

    // What to do next; null to end.
    private Action? Take()
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

                if (_waiting.MaxBy(job => (job.LastHot, job.Heat)) is RegionJob hottest)
                {
                    _waiting.Remove(hottest);
                    return () => Compile(hottest);
                }

                if (_handlers?.MoveNext() == true)
                {
                    IrOp op = _handlers.Current;
                    return () => HandlerTable.For(op);
                }

                Monitor.Wait(_gate);
            }
        }
    }
}
