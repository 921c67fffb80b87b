using System.Diagnostics;
using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Emu.Diff.Engines;

namespace Emu.Diff;

/// <summary>Compares engines over generated cases, with one thread a job.</summary>
internal sealed class DiffRunner : IDisposable
{
    private readonly DiffOptions _options;
    private readonly List<DiffJob> _jobs = [];
    private readonly Lock _gate = new();
    private readonly List<Mismatch> _mismatches = [];
    private readonly HashSet<Iced.Intel.Code> _reported = [];
    private readonly long _start = Stopwatch.GetTimestamp();
    private ulong _next;
    private ulong _mismatchCount;
    private int _stop;

    /// <summary>Makes the engines of every job.</summary>
    /// <exception cref="DiffOptionException">Something cannot be had on this host.</exception>
    public DiffRunner(DiffOptions options, Func<string, int, IDiffEngine>? engines = null)
    {
        _options = options;
        _next = options.First;
        Forms = FormTable.Select(options.Isa, options.Mode);
        if (options.Engines.Contains("native") && options.Jobs > 1)
        {
            throw new DiffOptionException("--jobs: the native engine has one address space and runs one job; use --jobs 1, or kvm instead of native");
        }

        for (int i = 0; i < options.Jobs; i++)
        {
            _jobs.Add(new DiffJob(this, options, Forms, engines ?? ((name, bitness) => EngineFactory.Create(name, bitness))));
        }
    }

    /// <summary>The forms that cases are about.</summary>
    public InstructionForm[] Forms { get; }

    /// <summary>Mismatches so far, each shrunk: the first of every form.</summary>
    public IReadOnlyList<Mismatch> Mismatches
    {
        get
        {
            lock (_gate)
            {
                return [.. _mismatches];
            }
        }
    }

    /// <summary>Runs until the count, the time or the mismatches are up, or <paramref name="cancel"/> says so.</summary>
    public void Run(Action<DiffSummary>? progress = null, CancellationToken cancel = default)
    {
        Thread[] threads = [.. _jobs.Select(job => new Thread(() => job.Run(cancel)) { IsBackground = true, Name = "diff" })];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            while (!thread.Join(500))
            {
                progress?.Invoke(Summary());
            }
        }

        foreach (DiffJob job in _jobs)
        {
            job.Rethrow();
        }
    }

    /// <summary>What has been done so far.</summary>
    public DiffSummary Summary()
    {
        var summary = new DiffSummary(Forms, Stopwatch.GetElapsedTime(_start), Volatile.Read(ref _mismatchCount));
        foreach (DiffJob job in _jobs)
        {
            job.AddTo(summary);
        }

        return summary;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (DiffJob job in _jobs)
        {
            job.Dispose();
        }
    }

    /// <summary>The numbers of the next batch; false when there is no more to do.</summary>
    internal bool TryTake(out ulong first, out int count)
    {
        lock (_gate)
        {
            first = _next;
            ulong slots = (ulong)CaseLayout.SlotCount(_options.Mode);
            ulong left = _options.Count == 0 ? ulong.MaxValue : _options.First + _options.Count - _next;
            count = (int)Math.Min(slots - (first % slots), left);
            bool late = _options.Time is TimeSpan time && Stopwatch.GetElapsedTime(_start) >= time;
            _next += (ulong)count;
            return count > 0 && !late && Volatile.Read(ref _stop) == 0;
        }
    }

    /// <summary>Counts a mismatch; true when it is the first of its form and should be looked into.</summary>
    internal bool NoteMismatch(Iced.Intel.Code code)
    {
        lock (_gate)
        {
            _mismatchCount++;
            bool first = _reported.Count < _options.MaxMismatches && _reported.Add(code);
            if (_reported.Count >= _options.MaxMismatches)
            {
                Volatile.Write(ref _stop, 1);
            }

            return first;
        }
    }

    internal void Add(Mismatch mismatch)
    {
        lock (_gate)
        {
            _mismatches.Add(mismatch);
        }
    }
}
