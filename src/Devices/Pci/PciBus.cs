using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>PCI bus 0: its functions, the two spaces in which their BARs appear, and the interrupt pins joined to PIRQ A–D.</summary>
public sealed class PciBus
{
    /// <summary>Devices on a bus.</summary>
    public const int DeviceCount = 32;

    /// <summary>Functions of a device.</summary>
    public const int FunctionCount = 8;

    /// <summary>Interrupt lines that the pins of all functions are joined to.</summary>
    public const int PirqCount = 4;

    private const ulong MemorySize = 1UL << 52;
    private const ulong PortCount = 1UL << 16;

    private readonly PciFunction?[] _functions = new PciFunction?[DeviceCount * FunctionCount];
    private readonly int[] _pirqDrivers = new int[PirqCount];

    /// <summary>Creates an empty bus; <paramref name="name"/> is for messages.</summary>
    public PciBus(string name)
    {
        Name = name;
        Memory = MemoryRegion.Container($"{name}-memory", MemorySize);
        Ports = MemoryRegion.Container($"{name}-io", PortCount);
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>Memory as the bus shows it: for the board's memory, below everything else there.</summary>
    public MemoryRegion Memory { get; }

    /// <summary>Ports as the bus shows them: for the board's ports, below everything else there.</summary>
    public MemoryRegion Ports { get; }

    /// <summary>Where PIRQ A–D go: inputs 0–3 of the interrupt router.</summary>
    public IIrqSink? PirqOutput { get; set; }

    /// <summary>Every function, in order of its number, with that number: device in bits 7:3, function in bits 2:0.</summary>
    public IEnumerable<(int Number, PciFunction Function)> Functions =>
        _functions.Select((function, number) => (number, function!)).Where(entry => entry.Item2 is not null);

    /// <summary>The function <paramref name="number"/> (device in bits 7:3, function in bits 2:0), or null.</summary>
    public PciFunction? this[int number] => _functions[number];

    /// <summary>The PIRQ (0 for A) that interrupt pin <paramref name="pin"/> (1 for INTA#) of a device is wired to, as on boards with a PIIX3.</summary>
    public static int PirqOf(int device, int pin) => (device + pin - 2) & (PirqCount - 1);

    /// <summary>Places <paramref name="function"/> at <paramref name="device"/> (0–31) and <paramref name="number"/> (0–7).</summary>
    /// <exception cref="InvalidOperationException">Something is there.</exception>
    public void Plug(int device, int number, PciFunction function)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)device, (uint)DeviceCount - 1, nameof(device));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)number, (uint)FunctionCount - 1, nameof(number));
        ref PciFunction? slot = ref _functions[(device << 3) | number];
        if (slot is not null)
        {
            throw new InvalidOperationException($"{Name}: 00:{device:x2}.{number} is taken.");
        }

        slot = function;
        function.Connect(this, device);
    }

    /// <summary>The first device number without a function, or -1.</summary>
    public int FindFreeDevice() =>
        Enumerable.Range(0, DeviceCount).Where(device => Array.TrueForAll(_functions[(device << 3)..((device + 1) << 3)], slot => slot is null))
            .DefaultIfEmpty(-1).First();

    // Several functions share a PIRQ, which is asserted while any of them drives it. Each function reports changes only.
    internal void DriveInterrupt(int device, int pin, bool asserted)
    {
        int pirq = PirqOf(device, pin);
        _pirqDrivers[pirq] += asserted ? 1 : -1;
        PirqOutput?.SetIrq(pirq, _pirqDrivers[pirq] > 0);
    }
}
