namespace Emu.Devices.Pci;

/// <summary>
/// What firmware does with a PCI bus before it starts an operating system: addresses for the BARs, interrupt lines, decoding
/// on. For boards that start a kernel without firmware; the places are those that SeaBIOS would choose.
/// </summary>
public static class PciSetup
{
    /// <summary>ISA interrupts of PIRQ A–D.</summary>
    public static IReadOnlyList<int> PirqIrqs { get; } = [10, 10, 11, 11];

    private const ulong FirstPort = 0xc000;
    private const ulong PortLimit = 0x1_0000;

    // Bridges, whose command registers are not the business of whoever places BARs.
    private const byte BridgeClass = 0x06;
    private const int ClassOffset = 0x0b;

    /// <summary>
    /// Places every BAR of <paramref name="bus"/>: ports from C000H up, memory from the end of <paramref name="memory"/> down, the
    /// largest first. What does not fit stays off.
    /// </summary>
    /// <param name="bus">The bus, as after a reset.</param>
    /// <param name="memory">First and last byte of the window for memory BARs, below 4 GiB.</param>
    /// <returns>The functions with a BAR that did not fit.</returns>
    public static IReadOnlyList<PciFunction> Assign(PciBus bus, (uint First, uint Last) memory)
    {
        ArgumentNullException.ThrowIfNull(bus);
        var left = new List<PciFunction>();
        ulong port = FirstPort;
        ulong end = (ulong)memory.Last + 1;
        foreach (PciBar bar in Bars(bus, io: true))
        {
            port = (port + bar.Size - 1) & ~(bar.Size - 1);
            bool fits = port + bar.Size <= PortLimit;
            Place(bar, fits ? port : 0, left);
            port += fits ? bar.Size : 0;
        }

        foreach (PciBar bar in Bars(bus, io: false))
        {
            ulong place = (end - Math.Min(bar.Size, end)) & ~(bar.Size - 1);
            bool fits = place >= memory.First && place != 0;
            Place(bar, fits ? place : 0, left);
            end = fits ? place : end;
        }

        foreach ((int number, PciFunction function) in bus.Functions)
        {
            Enable(function, number >> 3);
        }

        return left;
    }

    private static IEnumerable<PciBar> Bars(PciBus bus, bool io) => bus.Functions
        .SelectMany(entry => entry.Function.Bars.OfType<PciBar>())
        .Where(bar => bar.Kind == PciBarKind.Io == io)
        .OrderByDescending(bar => bar.Size);

    private static void Place(PciBar bar, ulong address, List<PciFunction> left)
    {
        if (address == 0)
        {
            left.Add(bar.Function);
            return;
        }

        bar.Function.WriteConfig(bar.Offset, (uint)address, 4);
        if (bar.IsWide)
        {
            bar.Function.WriteConfig(bar.Offset + 4, 0, 4);
        }
    }

    private static void Enable(PciFunction function, int device)
    {
        if (function.InterruptPin != 0)
        {
            int irq = PirqIrqs[PciBus.PirqOf(device, function.InterruptPin)];
            function.WriteConfig(PciFunction.InterruptLineOffset, (uint)irq, 1);
        }

        if (function.Config[ClassOffset] != BridgeClass)
        {
            function.WriteConfig(PciFunction.CommandOffset, function.Command | (uint)(PciFunction.CommandIo | PciFunction.CommandMemory), 2);
        }
    }
}
