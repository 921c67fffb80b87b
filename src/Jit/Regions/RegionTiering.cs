using System.Collections.Concurrent;
using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// One vCPU's way from counted blocks to compiled regions: a block whose counter runs out becomes the start of a region, which is
/// compiled (elsewhere, or at once) and then takes the place of the counter in the block's head. Members belong to the vCPU's
/// thread, but for <see cref="Deliver"/>.
/// </summary>
internal sealed unsafe class RegionTiering : IDisposable
{
    // A counter that never gets there.
    private const long Never = long.MaxValue;
    private const int MaxPenalty = 16;
    private const int MaxVersion = 4;
    private const int MaxMerges = 2;
    private const int SmallestRetried = 50; // a compiler does not refuse less for its size
    private const int MaxRemembered = 4096;
    private const int EvictedShare = 4; // of what is installed goes at a time when there is no room
    private const int DeadShare = 8; // of the limit may be dropped and not collected

    private readonly CpuHeader* _cpu;
    private readonly RegionOptions _options;
    private readonly RegionBuilder _builder;
    private readonly HashSet<RegionJob> _jobs = [];
    private readonly ConcurrentQueue<RegionJob> _finished = new();
    private readonly Dictionary<BlockKey, int> _penalties = []; // of blocks that are gone, because their code is written again and again
    private long _installedBytes;
    private long _droppedBytes; // that the garbage collector may not have found yet
    private long _installations;

    /// <summary>Creates a tiering without regions.</summary>
    /// <param name="cpu">The vCPU's state.</param>
    /// <param name="options">Limits.</param>
    /// <param name="find">Finds a translated block.</param>
    /// <param name="addresses">What is known of code pages.</param>
    public RegionTiering(CpuHeader* cpu, RegionOptions options, Func<BlockKey, TranslationBlock?> find, CodeAddressCache addresses)
    {
        _cpu = cpu;
        _options = options;
        _builder = new RegionBuilder(options, find, addresses);
    }

    /// <summary>Counters.</summary>
    public RegionStatistics Statistics { get; } = new();

    private long FirstThreshold => Math.Max(1, _options.Threshold);

    /// <summary>How often <paramref name="block"/> has run in tier 0.</summary>
    public static long ExecutionsOf(TranslationBlock block) =>
        block.IsCounted && block.Heat.Start != Never ? block.Heat.Counted + block.Heat.Start - block.Entry->Imm : block.Heat.Counted;

    /// <summary>Writes the head of a new block.</summary>
    public void StartCounting(TranslationBlock block)
    {
        *block.Entry = new Op { Handler = HandlerTable.Count };
        if (_penalties.Count != 0 && _penalties.TryGetValue(block.Key, out int penalty))
        {
            block.Heat.Penalty = penalty;
        }

        SetCounter(block, FirstThreshold << block.Heat.Penalty);
    }

    /// <summary>The counter of <paramref name="block"/> has run out. Returns the op to go on with.</summary>
    public Op* NoteHot(TranslationBlock block)
    {
        if (block.Heat.Region is RegionJob waiting)
        {
            waiting.Heat += block.Heat.Start * waiting.InstructionCount;
            SetCounter(block, FirstThreshold);
            return block.Code;
        }

        if (block.Heat.Members.Exists(member => !member.IsInstalled))
        {
            block.Heat.IsTarget = true; // of that region, once it is there
            SetCounter(block, FirstThreshold);
            return block.Code;
        }

        if (_options.Queue is { IsFull: true })
        {
            SetCounter(block, FirstThreshold);
            return block.Code;
        }

        // The counter still stands at its end: the builder reads it.
        RegionJob? job = Form(block);
        if (job is null)
        {
            SetCounter(block, Never);
            return block.Code;
        }

        if (_options.Queue is not RegionQueue queue)
        {
            SetCounter(block, FirstThreshold);
            job.Compile(_options.Compile);
            Finish(job);
            return job.IsInstalled ? block.Entry : block.Code;
        }

        SetCounter(block, FirstThreshold);
        if (!queue.TryAdd(job))
        {
            Drop(job);
        }

        return block.Code;
    }

    /// <summary>A block's code was written: the regions it is in go, and what begins where they began is compiled later next time.</summary>
    public void NoteDropped(TranslationBlock block)
    {
        if (block.Heat.Members.Count == 0)
        {
            return;
        }

        foreach (RegionJob job in block.Heat.Members.ToArray())
        {
            foreach (TranslationBlock entry in job.Entries)
            {
                entry.Heat.Penalty = Math.Min(entry.Heat.Penalty + 1, MaxPenalty);
                if (!entry.IsValid)
                {
                    Remember(entry);
                }
            }

            Statistics.Dropped += job.IsInstalled ? 1UL : 0;
            Drop(job);
        }

        // A helper called by the region may have done the write: it must not go on to other blocks of the region.
        Volatile.Write(ref _cpu->ExitRequest, 1);
    }

    /// <summary>Installs what was compiled meanwhile. Outside translated code.</summary>
    public void InstallFinished()
    {
        while (_finished.TryDequeue(out RegionJob? job))
        {
            if (!job.IsDropped)
            {
                Finish(job);
            }
        }
    }

    /// <summary>Forgets all regions, because all blocks go.</summary>
    public void Forget()
    {
        foreach (RegionJob job in _jobs)
        {
            job.IsDropped = true;
        }

        _jobs.Clear();
        _finished.Clear();
        _penalties.Clear();
        _droppedBytes += _installedBytes;
        _installedBytes = 0;
    }

    /// <summary>Takes a compiled region. Called on the compiling thread.</summary>
    public void Deliver(RegionJob job)
    {
        _finished.Enqueue(job);
        _options.Finished?.Invoke();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _options.Queue?.Remove(this);
        Forget();
    }

    // A block in the middle of a region becomes one more entry of it; that takes compiling it again. So does one beside a region that control
    // leaves for it and comes back from.
    private RegionJob? Form(TranslationBlock head)
    {
        ulong page = _cpu->PcPage;
        ReplacedRegion? old = head.Heat.Members.Find(member => member.IsInstalled && member.Version < MaxVersion) is RegionJob member
            ? new ReplacedRegion(member, head.Key.Pc - member.PcOf(head))
            : null;
        Region? region = _builder.Build(head, page, old, out TranslationBlock[] blocks);
        if (region is null)
        {
            return null;
        }

        if (old is null && _builder.FindPartner(region, blocks, page) is { Job.Version: < MaxMerges } partner)
        {
            old = partner;
            region = _builder.Build(head, page, old, out blocks) ?? region;
        }

        var job = new RegionJob(this, region, blocks) { Replaces = old?.Job, Version = old is null ? 0 : old.Value.Job.Version + 1 };
        job.Heat = blocks.Sum(block => ExecutionsOf(block) * block.Instructions.Length);
        foreach (TranslationBlock block in blocks)
        {
            block.Heat.Members.Add(job);
        }

        foreach (TranslationBlock entry in job.Entries)
        {
            entry.Heat.Region ??= job;
        }

        _jobs.Add(job);
        return job;
    }

    private void Finish(RegionJob job)
    {
        Statistics.CompileTime += job.CompileTime;
        if (job.Failure is not null)
        {
            _options.Failed?.Invoke($"the region at {job.FormedAt:x16} was not compiled: {job.Failure}");
        }

        if (job.Code is null)
        {
            Refuse(job);
            return;
        }

        long bytes = EstimateBytes(job);
        if (_installedBytes + bytes > _options.CodeCacheBytes)
        {
            EvictOldest();
        }

        if (job.Replaces is RegionJob { IsInstalled: true } old)
        {
            Drop(old);
            Statistics.Replaced++;
        }

        job.Replaces = null;
        _installedBytes += bytes;
        Statistics.Compiled++;
        Statistics.Instructions += (uint)job.InstructionCount;
        job.IsInstalled = true;
        job.Installation = ++_installations;
        foreach (TranslationBlock entry in job.Entries)
        {
            if (entry.Heat.Region is null || entry.Heat.Region == job)
            {
                entry.Heat.Region = job;
                entry.Entry->Handler = job.Code.Entry;
            }
        }

        GiveBack();
    }

    // A smaller one may do. What cannot be compiled alone stays in tier 0.
    private void Refuse(RegionJob job)
    {
        Statistics.Refused++;
        TranslationBlock head = job.Blocks[0];
        Drop(job);
        if (job.InstructionCount > SmallestRetried)
        {
            head.Heat.SizeLimit = job.InstructionCount / 2;
        }
        else
        {
            SetCounter(head, Never);
        }
    }

    private void Drop(RegionJob job)
    {
        job.IsDropped = true;
        _jobs.Remove(job);
        foreach (TranslationBlock block in job.Blocks)
        {
            block.Heat.Members.Remove(job);
        }

        if (job.IsInstalled)
        {
            job.IsInstalled = false;
            _installedBytes -= EstimateBytes(job);
            _droppedBytes += EstimateBytes(job);
        }

        foreach (TranslationBlock entry in job.Entries)
        {
            if (entry.Heat.Region == job)
            {
                entry.Heat.Region = null;
                entry.Entry->Handler = HandlerTable.Count;
                SetCounter(entry, FirstThreshold << entry.Heat.Penalty);
            }
        }
    }

    // What is still hot comes back, what is not does not.
    private void EvictOldest()
    {
        RegionJob[] installed = [.. _jobs.Where(job => job.IsInstalled).OrderBy(job => job.Installation)];
        foreach (RegionJob job in installed.Take(1 + (installed.Length / EvictedShare)))
        {
            Statistics.Dropped++;
            Drop(job);
        }
    }

    // Most of a method's memory is not the collector's, which therefore sees no reason to look for dead ones: told now and then, it does.
    private void GiveBack()
    {
        if (_droppedBytes > _options.CodeCacheBytes / DeadShare)
        {
            _droppedBytes = 0;
            GC.Collect();
        }
    }

    private void Remember(TranslationBlock head)
    {
        if (_penalties.Count >= MaxRemembered)
        {
            _penalties.Clear();
        }

        _penalties[head.Key] = head.Heat.Penalty;
    }

    private static void SetCounter(TranslationBlock block, long count)
    {
        block.Heat.Counted = ExecutionsOf(block);
        block.Heat.Start = count;
        block.Entry->Imm = count;
    }

    // A DynamicMethod costs about 8 KiB; an instruction about 250 bytes of code with its exits.
    private static long EstimateBytes(RegionJob job) => 8192 + (job.InstructionCount * 250L);
}
