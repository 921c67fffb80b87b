using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Emu.Diff.Cases;
using Emu.Diff.Compare;
using Emu.Diff.Engines;

namespace Emu.Diff;

/// <summary>One thread's engines and batch.</summary>
internal sealed unsafe class DiffJob : IDisposable
{
    /// <summary>With a faster engine beside it, compiled code runs one case in so many: compiling an instruction costs 15–30 µs.</summary>
    public const int CompiledShare = 16;

    private readonly DiffRunner _runner;
    private readonly DiffOptions _options;
    private readonly CaseGenerator _generator;
    private readonly CaseBatch _batch;
    private readonly List<IDiffEngine> _engines = [];
    private readonly long[] _ticks;
    private readonly ulong[] _casesByEngine;
    private readonly ulong[] _casesByForm;
    private readonly ulong[] _agreedByForm;
    private readonly bool[] _differs = new bool[CaseLayout.BatchSize];
    private readonly ulong[] _faults = new ulong[33];
    private readonly Dictionary<string, ulong> _excluded = new(StringComparer.Ordinal);
    private ulong _cases;
    private ExceptionDispatchInfo? _failure;

    public DiffJob(DiffRunner runner, DiffOptions options, InstructionForm[] forms, Func<string, int, IDiffEngine> engines)
    {
        _runner = runner;
        _options = options;
        _batch = new CaseBatch(options.Mode);
        _generator = new CaseGenerator(CaseOptions.Of(options, forms), CasePlacement.Batch(options.Mode));
        try
        {
            // The reference comes first: a processor where there is one.
            _engines.AddRange(options.Engines.Select(name => engines(name, options.Mode)).OrderByDescending(engine => engine.IsSilicon));
        }
        catch
        {
            Dispose();
            throw;
        }

        _ticks = new long[_engines.Count];
        _casesByEngine = new ulong[_engines.Count];
        _casesByForm = new ulong[forms.Length];
        _agreedByForm = new ulong[forms.Length];
    }

    // The first; for a case with control registers of its own the first that can set them.
    private IDiffEngine ReferenceFor(DiffCase subject) =>
        subject.Control == 0 ? _engines[0] : _engines.Find(engine => engine.SetsControl) ?? _engines[0];

    /// <summary>Takes batches until there are none.</summary>
    public void Run(CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested && _runner.TryTake(out ulong first, out int count))
            {
                Generate(first, count);
                foreach (IDiffEngine engine in _engines)
                {
                    RunEngine(engine);
                }

                Count();
            }
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            _failure = ExceptionDispatchInfo.Capture(exception);
        }
    }

    /// <summary>Throws what ended <see cref="Run"/>, if something did.</summary>
    public void Rethrow() => _failure?.Throw();

    /// <summary>Adds this job's counts.</summary>
    public void AddTo(DiffSummary summary)
    {
        lock (_excluded)
        {
            summary.Cases += _cases;
            for (int i = 0; i < _casesByForm.Length; i++)
            {
                summary.CasesByForm[i] += _casesByForm[i];
                summary.AgreedByForm[i] += _agreedByForm[i];
            }

            for (int i = 0; i < _faults.Length; i++)
            {
                summary.FaultsByVector[i] += _faults[i];
                summary.Faults += _faults[i];
            }

            for (int i = 0; i < _engines.Count; i++)
            {
                (ulong cases, TimeSpan time) = summary.Engines.GetValueOrDefault(_engines[i].Name);
                summary.Engines[_engines[i].Name] = (cases + _casesByEngine[i], time + Stopwatch.GetElapsedTime(0, _ticks[i]));
            }

            foreach ((string name, ulong count) in _excluded)
            {
                summary.Excluded[name] = summary.Excluded.GetValueOrDefault(name) + count;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (IDiffEngine engine in _engines)
        {
            engine.Dispose();
        }

        _batch.Dispose();
    }

    private void Generate(ulong first, int count)
    {
        _batch.First = _generator.SlotOf(first);
        _batch.Count = count;
        Array.Clear(_differs);
        for (int i = 0; i < count; i++)
        {
            int slot = _batch.First + i;
            DiffCase subject = _batch.Cases[slot];
            _generator.Generate(first + (uint)i, subject, _batch.Input(slot));
            _generator.Code.CopyTo(_batch.CodeAt(subject.Entry));
        }
    }

    // Every engine but the first is compared with the first. Compiled code takes its share of the batch only.
    private void RunEngine(IDiffEngine engine)
    {
        int index = _engines.IndexOf(engine);
        int all = _batch.Count;
        bool share = engine.Name == "jit" && _engines.Count > 2;
        int count = share ? Math.Max(1, all / CompiledShare) : all;
        int first = _batch.First;
        if (share)
        {
            // Another part of the batch each time.
            _batch.First += (int)(_batch.Cases[first].Number / CaseLayout.BatchSize % CompiledShare) * count % Math.Max(1, all - count + 1);
        }

        _batch.Count = count;
        long start = Stopwatch.GetTimestamp();
        engine.Run(_batch);
        _ticks[index] += Stopwatch.GetTimestamp() - start;
        _casesByEngine[index] += (ulong)count;
        for (int slot = _batch.First; slot < _batch.First + count; slot++)
        {
            Compare(engine, slot);
        }

        (_batch.First, _batch.Count) = (first, all);
    }

    private void Compare(IDiffEngine engine, int slot)
    {
        DiffCase subject = _batch.Cases[slot];
        if (subject.Control != 0 && !engine.SetsControl)
        {
            Exclude(KnownDeviations.NoControl, slot);
            return;
        }

        IDiffEngine reference = ReferenceFor(subject);
        if (engine == reference)
        {
            return;
        }

        CaseRecord* expected = reference.Result(slot);
        CaseRecord* actual = engine.Result(slot);
        if (StateComparer.Equal(expected, actual, StateComparer.FlagMask(subject, expected->State.Fault)))
        {
            return;
        }

        if (KnownDeviations.Explain(reference, engine, subject, expected, actual) is KnownDeviation deviation)
        {
            Exclude(deviation, slot);
            return;
        }

        _differs[slot] = true;
        if (_runner.NoteMismatch(subject.MainCode))
        {
            _runner.Add(Mismatch.Of(_options, _batch, slot, reference, engine));
        }
    }

    private void Exclude(KnownDeviation deviation, int slot)
    {
        _differs[slot] = true;
        lock (_excluded)
        {
            _excluded[deviation.Name] = _excluded.GetValueOrDefault(deviation.Name) + 1;
        }
    }

    // The generator may have found no way to the form; a branch is not the last instruction.
    private static bool IsOfItsForm(DiffCase subject) =>
        subject.Instructions[^1].Instruction.Code == subject.MainCode || subject.Instructions.Exists(instruction => instruction.Instruction.Code == subject.MainCode);

    private void Count()
    {
        lock (_excluded)
        {
            for (int slot = _batch.First; slot < _batch.First + _batch.Count; slot++)
            {
                DiffCase subject = _batch.Cases[slot];
                long fault = ReferenceFor(subject).Result(slot)->State.Fault;
                if (fault != CaseState.NoFault)
                {
                    _faults[Math.Min(fault, 32)]++;
                }

                ulong form = subject.Number % (uint)_casesByForm.Length;
                _casesByForm[form]++;
                _agreedByForm[form] += !_differs[slot] && IsOfItsForm(subject) ? 1UL : 0;
            }

            _cases += (ulong)_batch.Count;
        }
    }
}
