using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>
/// The 256-byte type-0 configuration space of one PCI function (PCI 3.0, 6.1): bytes, a mask of what the guest may
/// write and one of what it clears by writing 1. On a <see cref="PciBus"/> its BARs show their regions where the guest puts
/// them. All members need the machine lock.
/// </summary>
public class PciFunction
{
    /// <summary>Bytes of configuration space.</summary>
    public const int ConfigSize = 256;

    /// <summary>Number of base address registers.</summary>
    public const int BarCount = 6;

    /// <summary>Offset of the command register.</summary>
    public const int CommandOffset = 0x04;

    /// <summary>Offset of the interrupt line, which firmware sets and drivers read.</summary>
    public const int InterruptLineOffset = 0x3c;

    internal const int BarOffset = 0x10;
    internal const int RomOffset = 0x30;
    internal const uint RomEnable = 1;

    // Command register bits (PCI 3.0, 6.2.2).
    internal const ushort CommandIo = 1 << 0;
    internal const ushort CommandMemory = 1 << 1;
    internal const ushort CommandBusMaster = 1 << 2;
    internal const ushort CommandInterruptDisable = 1 << 10;

    /// <summary>Offset of the vendor id.</summary>
    protected const int VendorIdOffset = 0x00;

    /// <summary>Offset of the device id.</summary>
    protected const int DeviceIdOffset = 0x02;

    /// <summary>Offset of the status register.</summary>
    protected const int StatusOffset = 0x06;

    /// <summary>Offset of the revision; the three class bytes follow.</summary>
    protected const int RevisionOffset = 0x08;

    /// <summary>Offset of the subsystem vendor id.</summary>
    protected const int SubsystemVendorIdOffset = 0x2c;

    /// <summary>Offset of the subsystem id.</summary>
    protected const int SubsystemIdOffset = 0x2e;

    /// <summary>Offset of the header type, whose bit 7 says that the device has several functions.</summary>
    protected const int HeaderTypeOffset = 0x0e;

    private const int CacheLineSizeOffset = 0x0c;
    private const int CapabilitiesOffset = 0x34;
    private const int FirstCapability = 0x40;
    private const ushort StatusInterrupt = 1 << 3;
    private const ushort StatusCapabilities = 1 << 4;
    private const int InterruptPinOffset = 0x3d;

    // I/O, memory, bus master, parity response, SERR, interrupt disable.
    private const ushort CommandWritable = 0x0547;

    // The error bits 15:11 and 8 are cleared by writing 1.
    private const ushort StatusWriteOneToClear = 0xf900;

    private readonly byte[] _config = new byte[ConfigSize];
    private readonly byte[] _writable = new byte[ConfigSize];
    private readonly byte[] _writeOneToClear = new byte[ConfigSize];
    private readonly PciBar?[] _bars = new PciBar?[BarCount];
    private byte[] _initial;
    private int _lastCapability;
    private int _nextCapability = FirstCapability;
    private bool _interruptAsserted;
    private bool _interruptDriven;

    /// <summary>Creates a function with its identity and the common registers.</summary>
    /// <param name="vendorId">Vendor id.</param>
    /// <param name="deviceId">Device id.</param>
    /// <param name="classCode">Class, subclass and programming interface, 24 bits.</param>
    /// <param name="revision">Revision id.</param>
    public PciFunction(ushort vendorId, ushort deviceId, uint classCode, byte revision)
    {
        Define(VendorIdOffset, 2, vendorId, 0);
        Define(DeviceIdOffset, 2, deviceId, 0);
        Define(CommandOffset, 2, 0, CommandWritable);
        DefineWriteOneToClear(StatusOffset, 2, StatusWriteOneToClear);
        Define(RevisionOffset, 4, (classCode << 8) | revision, 0);
        Define(CacheLineSizeOffset, 1, 0, 0xff);
        Define(InterruptLineOffset, 1, 0, 0xff);
        _initial = [.. _config];
    }

    /// <summary>Called after the guest wrote configuration space: offset and size in bytes.</summary>
    public Action<int, int>? ConfigWritten { get; set; }

    /// <summary>The configuration bytes as the guest reads them.</summary>
    public ReadOnlySpan<byte> Config => _config;

    /// <summary>The command register (PCI 3.0, 6.2.2).</summary>
    public ushort Command => (ushort)ReadConfig(CommandOffset, 2);

    /// <summary>True while the function may read and write memory, and send messages, by itself.</summary>
    public bool IsBusMaster => (Command & CommandBusMaster) != 0;

    /// <summary>The interrupt pin: 1 for INTA# to 4 for INTD#, 0 for none.</summary>
    public int InterruptPin => _config[InterruptPinOffset];

    /// <summary>The base address registers that there are; of a 64-bit one only the first index.</summary>
    public IReadOnlyList<PciBar?> Bars => _bars;

    /// <summary>The expansion ROM, or null.</summary>
    public PciBar? Rom { get; private set; }

    /// <summary>The bus that the function is plugged in, or null.</summary>
    internal PciBus? Bus { get; private set; }

    /// <summary>Device number on <see cref="Bus"/>.</summary>
    internal int DeviceNumber { get; private set; }

    /// <summary>Reads 1, 2 or 4 bytes; bytes outside the space read as ones.</summary>
    public virtual uint ReadConfig(int offset, int size)
    {
        uint value = 0;
        for (int i = 0; i < size; i++)
        {
            int at = offset + i;
            value |= (uint)(at is >= 0 and < ConfigSize ? _config[at] : 0xff) << (8 * i);
        }

        return value;
    }

    /// <summary>Writes 1, 2 or 4 bytes as the guest does: read-only bits stay, write-1-to-clear bits clear.</summary>
    public virtual void WriteConfig(int offset, uint value, int size)
    {
        for (int i = 0; i < size; i++)
        {
            int at = offset + i;
            if (at is >= 0 and < ConfigSize)
            {
                byte written = (byte)(value >> (8 * i));
                int kept = _config[at] & ~_writable[at];
                _config[at] = (byte)((kept & ~(written & _writeOneToClear[at])) | (written & _writable[at]));
            }
        }

        OnConfigChanged(offset, size);
    }

    /// <summary>Returns all that the guest can change to its initial value.</summary>
    public void Reset()
    {
        _initial.CopyTo(_config, 0);
        _interruptAsserted = false;
        OnConfigChanged(0, ConfigSize);
    }

    /// <summary>Declares base address register <paramref name="index"/> to show <paramref name="region"/>, whose size is a power of two.</summary>
    public void DefineBar(int index, PciBarKind kind, MemoryRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        DefineBar(index, kind, region.Size, region);
    }

    /// <summary>Declares base address register <paramref name="index"/> to decode <paramref name="size"/> bytes, a power of two, where nothing is.</summary>
    public void DefineBar(int index, PciBarKind kind, ulong size) => DefineBar(index, kind, size, null);

    private void DefineBar(int index, PciBarKind kind, ulong size, MemoryRegion? region)
    {
        bool wide = kind is PciBarKind.Memory64 or PciBarKind.PrefetchableMemory64;
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, wide ? BarCount - 2 : BarCount - 1);
        ulong smallest = kind == PciBarKind.Io ? 4UL : 16UL;
        if (!ulong.IsPow2(size) || size < smallest || (!wide && size > 1UL << 31))
        {
            throw new ArgumentOutOfRangeException(nameof(size), size, "A BAR decodes a power of two, at least 4 ports or 16 bytes.");
        }

        uint type = kind switch { PciBarKind.Io => 1, PciBarKind.Memory64 => 4, PciBarKind.PrefetchableMemory32 => 8, PciBarKind.PrefetchableMemory64 => 12, _ => 0U };
        ulong mask = ~(size - 1);
        int offset = BarOffset + (4 * index);
        Define(offset, 4, type, (uint)mask);
        if (wide)
        {
            Define(offset + 4, 4, 0, (uint)(mask >> 32));
        }

        _bars[index] = new PciBar(this, index, kind, size, region);
    }

    /// <summary>Declares the expansion ROM (PCI 3.0, 6.2.5.2) to show <paramref name="region"/>, whose size is a power of two of at least 2 KiB.</summary>
    public void DefineRom(MemoryRegion region)
    {
        ArgumentNullException.ThrowIfNull(region);
        if (!ulong.IsPow2(region.Size) || region.Size is < 2048 or > 16 << 20)
        {
            throw new ArgumentOutOfRangeException(nameof(region), region.Size, "An expansion ROM decodes a power of two from 2 KiB to 16 MiB.");
        }

        Define(RomOffset, 4, 0, (uint)~(region.Size - 1) | RomEnable);
        Rom = new PciBar(this, BarCount, PciBarKind.Rom, region.Size, region);
    }

    /// <summary>
    /// Adds a capability (PCI 3.0, 6.7) of <paramref name="length"/> bytes, with its header, to the list and returns its offset;
    /// the caller defines the registers behind the two bytes of the header.
    /// </summary>
    public int AddCapability(byte id, int length)
    {
        int offset = _nextCapability;
        if (offset + length > ConfigSize)
        {
            throw new InvalidOperationException("The capabilities do not fit into configuration space.");
        }

        _nextCapability = (offset + length + 3) & ~3;
        Define(offset, 2, id, 0);
        Define(_lastCapability == 0 ? CapabilitiesOffset : _lastCapability + 1, 1, (uint)offset, 0);
        Define(StatusOffset, 1, _config[StatusOffset] | (uint)StatusCapabilities, 0);
        _lastCapability = offset;
        return offset;
    }

    /// <summary>Asserts or releases the function's interrupt pin, as far as the command register lets it through.</summary>
    public void SetInterrupt(bool asserted)
    {
        _interruptAsserted = asserted;
        UpdateInterrupt();
    }

    /// <summary>Sets the interrupt pin: 1 for INTA# to 4 for INTD#, 0 for none (PCI 3.0, 6.2.4).</summary>
    public void DefineInterruptPin(byte pin) => Define(InterruptPinOffset, 1, pin, 0);

    /// <summary>Copies the configuration bytes, for the state record of the device that owns the function.</summary>
    public byte[] SaveConfig() => [.. _config];

    /// <summary>Takes saved configuration bytes; false, with nothing changed, when they differ where the guest cannot write.</summary>
    public bool TryRestoreConfig(byte[]? saved)
    {
        if (saved is null || saved.Length != ConfigSize)
        {
            return false;
        }

        for (int i = 0; i < ConfigSize; i++)
        {
            int changeable = _writable[i] | _writeOneToClear[i];
            if (((saved[i] ^ _initial[i]) & ~changeable) != 0)
            {
                return false;
            }
        }

        saved.CopyTo(_config, 0);
        _interruptAsserted = (saved[StatusOffset] & StatusInterrupt) != 0;
        OnConfigChanged(0, ConfigSize);
        return true;
    }

    internal void Connect(PciBus bus, int deviceNumber)
    {
        Bus = bus;
        DeviceNumber = deviceNumber;
    }

    /// <summary>Changes configuration bytes as the function itself does, not the guest.</summary>
    protected internal void SetConfig(int offset, int size, uint value)
    {
        for (int i = 0; i < size; i++)
        {
            _config[offset + i] = (byte)(value >> (8 * i));
        }
    }

    /// <summary>Configuration bytes changed, by the guest, a reset or a restore: the function takes up what they say.</summary>
    protected virtual void OnConfigChanged(int offset, int size)
    {
        if (offset < RomOffset + 4 && offset + size > CommandOffset)
        {
            foreach (PciBar? bar in _bars)
            {
                bar?.Update();
            }

            Rom?.Update();

            UpdateInterrupt();
        }

        ConfigWritten?.Invoke(offset, size);
    }

    /// <summary>Defines a little-endian register of 1, 2 or 4 bytes: its initial value and the bits the guest may write.</summary>
    protected internal void Define(int offset, int size, uint value, uint writable)
    {
        for (int i = 0; i < size; i++)
        {
            _config[offset + i] = (byte)(value >> (8 * i));
            _writable[offset + i] = (byte)(writable >> (8 * i));
        }

        _initial = [.. _config];
    }

    /// <summary>Declares bits that the guest clears by writing 1.</summary>
    protected void DefineWriteOneToClear(int offset, int size, uint bits)
    {
        for (int i = 0; i < size; i++)
        {
            _writeOneToClear[offset + i] = (byte)(bits >> (8 * i));
        }
    }

    // The status bit tells the cause whether or not the pin is disabled (PCI 3.0, 6.2.3).
    private void UpdateInterrupt()
    {
        int status = _config[StatusOffset] & ~StatusInterrupt;
        _config[StatusOffset] = (byte)(status | (_interruptAsserted ? StatusInterrupt : 0));
        bool drive = _interruptAsserted && (Command & CommandInterruptDisable) == 0 && InterruptPin != 0;
        if (Bus is not null && drive != _interruptDriven)
        {
            _interruptDriven = drive;
            Bus.DriveInterrupt(DeviceNumber, InterruptPin, drive);
        }
    }
}
