using Emu.Core;
using Emu.Core.Block;
using Emu.Core.Net;
using Emu.Devices.Serial;

namespace Emu.Machine;

/// <summary>What the program around a machine gives it. Everything has a default, so that a test need not care.</summary>
public sealed record MachineHost
{
    /// <summary>The machine's lock; back ends that deliver input take it.</summary>
    public MachineLock Lock { get; init; } = new();

    /// <summary>The outside ends of the serial ports, COM1 first. The caller owns them and disposes of them after the machine.</summary>
    public IReadOnlyList<ISerialBackend> Serials { get; init; } = [];

    /// <summary>The outside end of the debug console.</summary>
    public ISerialBackend? DebugConsole { get; init; }

    /// <summary>The disks, by the id of <see cref="MachineConfig.Drives"/>. The caller owns them and disposes of them after the machine.</summary>
    public IReadOnlyDictionary<string, IBlockBackend> Drives { get; init; } = new Dictionary<string, IBlockBackend>();

    /// <summary>The outside ends of network cards, by the id that devices name as <c>netdev</c>. The caller owns them.</summary>
    public IReadOnlyDictionary<string, INetBackend> Networks { get; init; } = new Dictionary<string, INetBackend>();

    /// <summary>Takes one line for the user, such as why an accelerator was passed over.</summary>
    public Action<string> Notice { get; init; } = line => Console.Error.WriteLine($"emu: {line}");

    /// <summary>Takes the lines of <c>-d</c>, on any thread; null sends them where <see cref="MachineConfig.DebugLog"/> says.</summary>
    public Action<string>? Log { get; init; }
}
