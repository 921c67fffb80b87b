using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.IrqChip;

/// <summary>State of an <see cref="IoApic"/>.</summary>
public sealed record IoApicState : DeviceState
{
    /// <summary>Index register.</summary>
    public byte Select { get; init; }

    /// <summary>Identification register, bits 27:24.</summary>
    public uint Id { get; init; }

    /// <summary>Redirection table.</summary>
    public ulong[] Redirection { get; init; } = new ulong[IoApic.InputCount];

    /// <summary>Input levels, bit n for input n.</summary>
    public uint Lines { get; init; }
}

/// <summary>
/// The I/O APIC (82093AA data sheet; version 20H adds the EOI register): 24 inputs, each routed to local APICs by its
/// redirection entry.
/// </summary>
/// <remarks>
/// An <see cref="IrqLine"/> says "asserted", not a voltage, so the polarity bit is kept for the guest to read back but
/// inverts nothing: the board's wiring and the tables that describe it agree by construction.
/// </remarks>
public sealed class IoApic : Device, IIrqSink, IIoHandler
{
    /// <summary>Number of inputs.</summary>
    public const int InputCount = 24;

    /// <summary>Where <see cref="Region"/> belongs.</summary>
    public const ulong RegionAddress = 0xFEC0_0000;

    private const ulong RegionSize = 4096;

    // Memory-mapped registers.
    private const ulong OffsetSelect = 0x00;
    private const ulong OffsetWindow = 0x10;
    private const ulong OffsetEoi = 0x40;

    // Indexed registers.
    private const byte IndexId = 0x00;
    private const byte IndexVersion = 0x01;
    private const byte IndexArbitration = 0x02;
    private const byte IndexRedirection = 0x10;

    private const uint IdMask = 0x0F00_0000;
    private const uint VersionValue = 0x20 | ((InputCount - 1) << 16);

    // Redirection entry (data sheet 3.2.4).
    private const ulong Logical = 1 << 11;
    private const ulong RemoteIrr = 1 << 14;
    private const ulong LevelTriggered = 1 << 15;
    private const ulong Masked = 1 << 16;
    private const int DestinationShift = 56;
    private const ulong Writable = 0xFF00_0000_0001_AFFF;

    private readonly IApicBus _apics;
    private readonly ulong[] _redirection = new ulong[InputCount];
    private byte _select;
    private uint _id;
    private uint _lines;

    /// <summary>Creates the IOAPIC, reset, sending to <paramref name="apics"/>.</summary>
    public IoApic(string name, IApicBus apics)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(apics);
        _apics = apics;
        apics.EndOfInterrupt += EndOfInterrupt;
        Region = MemoryRegion.OfIo(name, RegionSize, this, IoAccess.Dwords);
        Reset();
    }

    /// <summary>Raised with the number of a level-triggered input whose interrupt the guest has ended, before the input is looked at again.</summary>
    public event Action<int>? InputEnded;

    /// <summary>The registers, for <see cref="RegionAddress"/>.</summary>
    public MemoryRegion Region { get; }

    /// <inheritdoc/>
    public void SetIrq(int number, bool level)
    {
        if ((uint)number >= InputCount)
        {
            return;
        }

        uint bit = 1u << number;
        bool rising = level && (_lines & bit) == 0;
        _lines = level ? _lines | bit : _lines & ~bit;
        if (!rising)
        {
            return;
        }

        if ((_redirection[number] & LevelTriggered) != 0)
        {
            ServiceLevel(number);
        }
        else if ((_redirection[number] & Masked) == 0)
        {
            // An edge at a masked input is lost, as the data sheet says.
            _apics.Deliver(MessageOf(_redirection[number]));
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _select = 0;
        _id = 0;
        _lines = 0;
        Array.Fill(_redirection, Masked);
        AnnounceAll();
    }

    /// <inheritdoc/>
    public override IoApicState Save() => new() { Select = _select, Id = _id, Redirection = [.. _redirection], Lines = _lines };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        if (state is not IoApicState { Redirection.Length: InputCount } s
            || (s.Id & ~IdMask) != 0 || s.Lines >> InputCount != 0 || s.Redirection.Any(entry => (entry & ~(Writable | RemoteIrr)) != 0))
        {
            throw new InvalidDeviceStateException(Name, "a field is out of range or the record is of another device");
        }

        _select = s.Select;
        _id = s.Id;
        _lines = s.Lines;
        s.Redirection.CopyTo(_redirection, 0);
        AnnounceAll();
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size) => offset switch
    {
        OffsetSelect => _select,
        OffsetWindow => ReadIndexed(),
        _ => 0,
    };

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        switch (offset)
        {
            case OffsetSelect:
                _select = (byte)value;
                break;
            case OffsetWindow:
                WriteIndexed((uint)value);
                break;
            case OffsetEoi:
                EndOfInterrupt((byte)value);
                break;
        }
    }

    private static ApicMessage MessageOf(ulong entry) =>
        ApicMessage.Decode((uint)entry, ApicMessage.Widen((byte)(entry >> DestinationShift)), (entry & Logical) != 0);

    private uint ReadIndexed()
    {
        switch (_select)
        {
            case IndexId:
            case IndexArbitration:
                return _id;
            case IndexVersion:
                return VersionValue;
            default:
                return TryGetEntry(out int input, out int shift) ? (uint)(_redirection[input] >> shift) : 0;
        }
    }

    private void WriteIndexed(uint value)
    {
        if (_select == IndexId)
        {
            _id = value & IdMask;
        }
        else if (TryGetEntry(out int input, out int shift))
        {
            ulong old = _redirection[input];
            ulong mask = Writable & (0xFFFF_FFFFUL << shift);
            ulong entry = (old & ~mask) | (((ulong)value << shift) & mask);

            // Remote IRR means nothing for edges; clearing it here is how old kernels acknowledge without an EOI register.
            _redirection[input] = (entry & LevelTriggered) == 0 ? entry & ~RemoteIrr : entry;
            Announce(input);
            ServiceLevel(input);
        }
    }

    private bool TryGetEntry(out int input, out int shift)
    {
        int index = _select - IndexRedirection;
        input = index >> 1;
        shift = (index & 1) * 32;
        return index >= 0 && input < InputCount;
    }

    private void AnnounceAll()
    {
        for (int input = 0; input < InputCount; input++)
        {
            Announce(input);
        }
    }

    private void Announce(int input) =>
        _apics.SetRoute(input, (_redirection[input] & Masked) == 0 ? MessageOf(_redirection[input]) : null);

    // Remote IRR stays clear when nobody took the message, so that the next write or edge tries again.
    private void ServiceLevel(int input)
    {
        ref ulong entry = ref _redirection[input];
        bool asserted = (_lines & (1u << input)) != 0;
        if (asserted && (entry & (LevelTriggered | Masked | RemoteIrr)) == LevelTriggered && _apics.Deliver(MessageOf(entry)))
        {
            entry |= RemoteIrr;
        }
    }

    private void EndOfInterrupt(byte vector)
    {
        for (int input = 0; input < InputCount; input++)
        {
            ref ulong entry = ref _redirection[input];
            if ((byte)entry == vector && (entry & (LevelTriggered | RemoteIrr)) == (LevelTriggered | RemoteIrr))
            {
                entry &= ~RemoteIrr;
                InputEnded?.Invoke(input);
                ServiceLevel(input);
            }
        }
    }
}
