using Emu.Core.Memory;

namespace Emu.Machine.Pc;

/// <summary>The port space under construction: no port goes to two devices.</summary>
internal sealed class PortMap
{
    /// <summary>Number of ports of an x86 machine.</summary>
    public const ulong PortCount = 0x1_0000;

    /// <summary>The tree that the port space flattens.</summary>
    public MemoryRegion Root { get; } = MemoryRegion.Container("ports", PortCount);

    /// <summary>Gives <paramref name="region"/> the ports from <paramref name="port"/>; <paramref name="option"/> is blamed if they are taken.</summary>
    /// <exception cref="MachineConfigException">Another device has one of the ports.</exception>
    public void Claim(ushort port, MemoryRegion region, string option = "-machine")
    {
        CheckFree(port, region, option);
        Root.Add(port, region);
    }

    /// <summary>Sees that nobody has the ports from <paramref name="port"/> that <paramref name="region"/> will have.</summary>
    /// <exception cref="MachineConfigException">Another device has one of them.</exception>
    public void CheckFree(ushort port, MemoryRegion region, string option)
    {
        if (Root.FindOverlap(port, region.Size) is string owner)
        {
            string ports = region.Size == 1 ? $"port 0x{port:x}" : $"ports 0x{port:x}-0x{port + region.Size - 1:x}";
            throw new MachineConfigException(option, $"{region.Name} cannot have {ports}: {owner} is there; choose another iobase");
        }
    }
}
