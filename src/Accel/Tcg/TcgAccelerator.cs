using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Accel.Tcg;

// Placeholder of the board branch, only so that the machine compiles: the software CPU's own file replaces it on merge.

/// <summary>What the software CPU needs of the machine.</summary>
public sealed record TcgEnvironment(AddressSpace Memory, AddressSpace Ports, IClock Clock, CpuModel Model, MachineLock Lock, TcgOptions Options);

/// <summary>Switches of the software CPU.</summary>
public sealed record TcgOptions
{
    /// <summary>Takes the lines of <c>-d</c>.</summary>
    public Action<string>? Log { get; init; }

    /// <summary>The items of <c>-d</c> that are on.</summary>
    public IReadOnlySet<string> DebugLogItems { get; init; } = new HashSet<string>();
}

/// <summary>The software CPU.</summary>
public sealed class TcgAccelerator : IAccelerator
{
    /// <summary>Always fails.</summary>
    public TcgAccelerator(TcgEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        throw new NotSupportedException("not built into this version yet");
    }

    /// <inheritdoc/>
    public string Name => "tcg";

    /// <inheritdoc/>
    public IVcpu CreateVcpu(int index, ILocalApic apic) => throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
