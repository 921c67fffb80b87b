using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Jit;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;

namespace Emu.Accel.Tcg;

/// <summary>What the software CPUs of a machine share.</summary>
/// <param name="Memory">Guest-physical memory.</param>
/// <param name="Ports">Port space.</param>
/// <param name="Clock">Virtual time.</param>
/// <param name="Model">CPUID and feature policy.</param>
/// <param name="Lock">The machine lock.</param>
/// <param name="Options">Switches.</param>
public sealed record TcgEnvironment(AddressSpace Memory, AddressSpace Ports, IClock Clock, CpuModel Model, MachineLock Lock, TcgOptions Options)
{
    /// <summary>There will be one vCPU, for which locked instructions need no host atomics.</summary>
    public bool IsUniprocessor { get; init; }
}

/// <summary>Switches of the software CPU.</summary>
public sealed record TcgOptions
{
    /// <summary>The largest <see cref="RegionSize"/>.</summary>
    public const int LargestRegion = RegionOptions.LargestRegion;

    /// <summary>Receives the lines of the log items below.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>False interprets everything.</summary>
    public bool Jit { get; init; } = true;

    /// <summary>Executions after which a block is compiled; zero compiles all at first sight, on the vCPU's own thread.</summary>
    public int Threshold { get; init; } = RegionOptions.DefaultThreshold;

    /// <summary>Kernel code too is translated as what may be mapped anywhere. For tests, which switch pages in kernel code.</summary>
    internal bool RelativeKernel { get; init; }

    /// <summary>Compiles on the vCPU's own thread whatever the threshold: what runs when is then the same in every run.</summary>
    public bool CompileAtOnce { get; init; }

    /// <summary>Guest instructions that are compiled together, 1 to <see cref="LargestRegion"/>.</summary>
    public int RegionSize { get; init; } = RegionOptions.DefaultInstructions;

    /// <summary>Names of the families of operations for <see cref="JitOff"/>.</summary>
    public static IReadOnlyCollection<string> JitFamilies => [.. OpFamily.Names.Keys];

    /// <summary>Families of operations that stay interpreted.</summary>
    public IReadOnlyList<string> JitOff { get; init; } = [];

    /// <summary>Items of <c>-d</c>: unimp, int, in_asm, op, op_opt, il, out_asm, exec.</summary>
    public IReadOnlySet<string> DebugLogItems { get; init; } = new HashSet<string>();

    /// <summary>Makes host code of a region.</summary>
    internal Func<Region, CompiledRegion?> CompileRegion { get; init; } = RegionCompiler.Compile;

    /// <summary>Program counters (first, last) that in_asm, op, op_opt, il, out_asm and exec are logged of, by where block or region begin; empty for all.</summary>
    public IReadOnlyList<(ulong First, ulong Last)> DebugLogFilter { get; init; } = [];

    /// <summary>True when code at <paramref name="pc"/> is to be logged.</summary>
    public bool LogsCodeAt(ulong pc) => DebugLogFilter.Count == 0 || DebugLogFilter.Any(range => pc >= range.First && pc <= range.Last);

    /// <summary>True when <paramref name="item"/> is to be logged.</summary>
    public bool Logs(string item) => Log is not null && DebugLogItems.Contains(item);
}

/// <summary>The software accelerator: every vCPU interprets translated code on its own host thread.</summary>
public sealed class TcgAccelerator : IAccelerator, IMemoryListener
{
    private readonly TcgEnvironment _environment;
    private readonly List<TcgVcpu> _vcpus = [];
    private readonly HashSet<GuestRam> _watchedRam = [];
    private readonly CodePageSet _codePages;
    private readonly RegionQueue? _regionQueue;

    /// <summary>Creates the accelerator.</summary>
    public TcgAccelerator(TcgEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        _environment = environment;
        _codePages = new CodePageSet(environment.Memory);
        TcgOptions options = environment.Options;
        bool inBackground = options is { Jit: true, CompileAtOnce: false, Threshold: > 0 };
        _regionQueue = inBackground ? new RegionQueue(options.CompileRegion, Environment.ProcessorCount > 1 ? CommonOps.All() : null) : null;
        environment.Memory.AddListener(this);
    }

    /// <inheritdoc/>
    public string Name => "tcg";

    /// <inheritdoc/>
    public IKernelIrqChip? IrqChip => null;

    /// <inheritdoc/>
    public IVcpu CreateVcpu(int index, ILocalApic? apic)
    {
        ArgumentNullException.ThrowIfNull(apic);
        if (_environment.IsUniprocessor && _vcpus.Count > 0)
        {
            throw new InvalidOperationException("A second vCPU where the first was told that it is alone.");
        }

        var vcpu = new TcgVcpu(index, apic, _environment, _codePages, _regionQueue);
        _codePages.AddClient(vcpu);
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <inheritdoc/>
    public void SetClockRunning(bool running)
    {
        // Guest time is the machine's clock, which stops by itself.
    }

    /// <inheritdoc/>
    public void OnMapChanged(FlatView before, FlatView after, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added)
    {
        ArgumentNullException.ThrowIfNull(added);
        foreach (FlatRange range in added)
        {
            if (range.Region.Ram is GuestRam ram && _watchedRam.Add(ram))
            {
                ram.CodeWritten += OnCodeWritten;
            }
        }

        foreach (TcgVcpu vcpu in _vcpus)
        {
            vcpu.Post(VcpuRequest.FlushAll);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _regionQueue?.Dispose();
        _environment.Memory.RemoveListener(this);
        foreach (GuestRam ram in _watchedRam)
        {
            ram.CodeWritten -= OnCodeWritten;
        }
    }

    // A device wrote to a page with translated code; each vCPU drops its own translations before its next block.
    private void OnCodeWritten(GuestRam ram, ulong offset, int length) => _codePages.NotifyWrite(ram, offset, length, writer: null);
}
