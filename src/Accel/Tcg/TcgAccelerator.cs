using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Jit;

namespace Emu.Accel.Tcg;

/// <summary>What the software CPUs of a machine share.</summary>
/// <param name="Memory">Guest-physical memory.</param>
/// <param name="Ports">Port space.</param>
/// <param name="Clock">Virtual time.</param>
/// <param name="Model">CPUID and feature policy.</param>
/// <param name="Lock">The machine lock.</param>
/// <param name="Options">Switches.</param>
public sealed record TcgEnvironment(AddressSpace Memory, AddressSpace Ports, IClock Clock, CpuModel Model, MachineLock Lock, TcgOptions Options);

/// <summary>Switches of the software CPU.</summary>
public sealed record TcgOptions
{
    /// <summary>Receives the lines of the log items below.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>Items of <c>-d</c>: unimp, int, op, in_asm, exec.</summary>
    public IReadOnlySet<string> DebugLogItems { get; init; } = new HashSet<string>();

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

    /// <summary>Creates the accelerator.</summary>
    public TcgAccelerator(TcgEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        _environment = environment;
        _codePages = new CodePageSet(environment.Memory);
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
        var vcpu = new TcgVcpu(index, apic, _environment, _codePages);
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
        _environment.Memory.RemoveListener(this);
        foreach (GuestRam ram in _watchedRam)
        {
            ram.CodeWritten -= OnCodeWritten;
        }
    }

    // A device wrote to a page with translated code; each vCPU drops its own translations before its next block.
    private void OnCodeWritten(GuestRam ram, ulong offset, int length) => _codePages.NotifyWrite(ram, offset, length, writer: null);
}
