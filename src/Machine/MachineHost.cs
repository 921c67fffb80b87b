using Emu.Core;
using Emu.Core.Block;
using Emu.Devices.Serial;
using Emu.Net;

namespace Emu.Machine;

/// <summary>What the program around a machine gives it. Everything has a default, so that a test need not care.</summary>
public sealed record MachineHost
{
    /// <summary>The machine's lock; back ends that deliver input take it.</summary>
    public MachineLock Lock { get; init; } = new();

    /// <summary>The outside ends of the serial ports, COM1 first. The caller owns them and disposes of them after the machine.</summary>
    public IReadOnlyList<ISerialBackend> Serials { get; init; } = [];

    /// <summary>The networks that cards refer to by name. The caller owns them and disposes of them after the machine.</summary>
    public HostNetworks Networks { get; init; } = HostNetworks.Create([], [], _ => { });

    /// <summary>The outside end of the debug console.</summary>
    public ISerialBackend? DebugConsole { get; init; }

    /// <summary>The disks, by the id of <see cref="MachineConfig.Drives"/>. The caller owns them and disposes of them after the machine.</summary>
    public IReadOnlyDictionary<string, IBlockBackend> Drives { get; init; } = new Dictionary<string, IBlockBackend>();

    /// <summary>Takes one line for the user, such as why an accelerator was passed over.</summary>
    public Action<string> Notice { get; init; } = line => Console.Error.WriteLine($"emu: {line}");

    /// <summary>Takes the lines of <c>-d</c>, on any thread; null sends them where <see cref="MachineConfig.DebugLog"/> says.</summary>
    public Action<string>? Log { get; init; }
}
