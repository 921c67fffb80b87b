using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.IrqChip;

/// <summary>
/// The local APICs of a machine and the bus between them: carries interprocessor interrupts, IOAPIC messages and MSIs to
/// their destinations, and end-of-interrupt broadcasts back. CPU n has APIC id n.
/// </summary>
public sealed class LocalApicSet : IApicBus, IMsiSink, IIoHandler, IIrqSink
{
    /// <summary>Where <see cref="Region"/> belongs.</summary>
    public const ulong RegionAddress = ApicBase.DefaultAddress;

    /// <summary>Largest number of CPUs: ids that 8-bit destinations can name, FFH being the broadcast.</summary>
    public const int LargestCount = 255;

    private const ulong PageSize = 4096;

    // MSI address (SDM vol. 3, 11.11.1) and data (11.11.2).
    private const ulong MsiPrefix = 0xFEE;
    private const int MsiPrefixShift = 20;
    private const int MsiDestinationShift = 12;
    private const ulong MsiRedirectionHint = 1 << 3;
    private const ulong MsiLogical = 1 << 2;
    private const uint MsiAssert = 1 << 14;

    private readonly LocalApic[] _apics;
    private int _arbitration;

    /// <summary>Creates the APICs of <paramref name="count"/> CPUs, reset.</summary>
    public LocalApicSet(MachineLock machineLock, TimerQueue timers, int count)
    {
        ArgumentNullException.ThrowIfNull(timers);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, LargestCount);
        Lock = machineLock;
        _apics = [.. Enumerable.Range(0, count).Select(index => new LocalApic(this, index, timers))];
        Region = MemoryRegion.OfIo("lapic", PageSize, this, IoAccess.Dwords);
    }

    /// <summary>Number of CPUs.</summary>
    public int Count => _apics.Length;

    /// <summary>The register page, which shows each CPU its own APIC. For <see cref="RegionAddress"/>.</summary>
    public MemoryRegion Region { get; }

    /// <summary>Where the 8259 pair's INT output goes.</summary>
    public IrqLine PicOutput => new(this, 0);

    /// <summary>The interrupt-acknowledge cycle of the 8259 pair: returns the vector.</summary>
    public Func<int>? AcknowledgePic { get; set; }

    /// <inheritdoc/>
    public event Action<byte>? EndOfInterrupt;

    internal MachineLock Lock { get; }

    internal bool PicAsserted { get; private set; }

    /// <summary>The APIC of CPU <paramref name="index"/>.</summary>
    public LocalApic this[int index] => _apics[index];

    /// <inheritdoc/>
    public void Send(MsiMessage message)
    {
        const uint levelDeassert = 1 << 15;
        if (message.Address >> MsiPrefixShift != MsiPrefix || (message.Data & (levelDeassert | MsiAssert)) == levelDeassert)
        {
            return;
        }

        uint destination = ApicMessage.Widen((byte)(message.Address >> MsiDestinationShift));
        bool logical = (message.Address & MsiLogical) != 0;
        ApicMessage decoded = ApicMessage.Decode(message.Data, destination, logical);
        if (logical && (message.Address & MsiRedirectionHint) != 0 && decoded.Mode == ApicDeliveryMode.Fixed)
        {
            decoded = decoded with { Mode = ApicDeliveryMode.LowestPriority };
        }

        Deliver(decoded);
    }

    /// <summary>
    /// Carries <paramref name="message"/> to all its destinations but <paramref name="except"/>; false when no APIC
    /// accepted it. The machine lock must be held.
    /// </summary>
    public bool Deliver(in ApicMessage message, LocalApic? except = null)
    {
        if (message.Mode == ApicDeliveryMode.LowestPriority)
        {
            return Arbitrate(message, except)?.Receive(message) ?? false;
        }

        bool accepted = false;
        foreach (LocalApic apic in _apics)
        {
            if (apic != except && apic.Matches(message))
            {
                accepted |= apic.Receive(message);
            }
        }

        return accepted;
    }

    bool IApicBus.Deliver(in ApicMessage message) => Deliver(message);

    void IApicBus.SetRoute(int input, ApicMessage? message)
    {
        // The local APICs report every end of a level-triggered interrupt.
    }

    /// <summary>An edge on every CPU's LINT1 (monitor <c>nmi</c>). The machine lock must be held.</summary>
    public void PulseNmi()
    {
        foreach (LocalApic apic in _apics)
        {
            apic.PulseLint1();
        }
    }

    /// <summary>Power-on reset of every APIC.</summary>
    public void Reset()
    {
        foreach (LocalApic apic in _apics)
        {
            apic.Reset();
        }
    }

    void IIrqSink.SetIrq(int number, bool level)
    {
        if (level != PicAsserted)
        {
            PicAsserted = level;
            _apics[0].PicChanged(level);
        }
    }

    ulong IIoHandler.Read(ulong offset, int size) => Current is LocalApic apic ? apic.ReadPage(offset) : uint.MaxValue;

    void IIoHandler.Write(ulong offset, ulong value, int size) => Current?.WritePage(offset, (uint)value);

    internal void BroadcastEoi(byte vector) => EndOfInterrupt?.Invoke(vector);

    private LocalApic? Current => (uint)CurrentVcpu.Index < (uint)_apics.Length ? _apics[CurrentVcpu.Index] : null;

    // Lowest processor priority wins; equals take turns, so that interrupts spread.
    private LocalApic? Arbitrate(in ApicMessage message, LocalApic? except)
    {
        LocalApic? best = null;
        int bestIndex = 0;
        for (int i = 1; i <= _apics.Length; i++)
        {
            int index = (_arbitration + i) % _apics.Length;
            LocalApic candidate = _apics[index];
            if (candidate != except && candidate.CanAccept(message) && (best is null || candidate.ProcessorPriority < best.ProcessorPriority))
            {
                best = candidate;
                bestIndex = index;
            }
        }

        _arbitration = bestIndex;
        return best;
    }
}
