using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.Pci;

namespace Emu.Devices.Display;

/// <summary>Saved state of a <see cref="VgaCard"/>. Video memory is saved as other RAM is.</summary>
public sealed record VgaCardState(VgaRegisters Registers, byte[] Config) : DeviceState;

/// <summary>
/// QEMU's standard VGA (PCI 1234:1111; docs/specs/standard-vga): an IBM VGA with Bochs' display interface and a linear frame
/// buffer in BAR 0. Without the VGA part it is QEMU's bochs-display. Video memory interleaves the planes: byte 4n + p is byte n of plane p.
/// </summary>
public sealed partial class VgaCard : Device
{
    /// <summary>First of the VGA's ports.</summary>
    public const ushort FirstPort = 0x3b0;

    /// <summary>First port of Bochs' display interface.</summary>
    public const ushort DispiPort = 0x1ce;

    /// <summary>Address of the window to video memory.</summary>
    public const ulong WindowAddress = 0xa_0000;

    private const ulong WindowSize = 128 << 10;
    private const ulong PortCount = 0x30;
    private const ulong DispiPortCount = 3;
    private const ulong RegisterBarSize = 4096;
    private const ushort Vendor = 0x1234;
    private const ushort DeviceId = 0x1111;
    private const uint VgaClass = 0x03_0000;
    private const uint OtherDisplayClass = 0x03_8000;
    private const byte Revision = 2;

    private readonly GuestRam _memory;
    private readonly IClock _clock;
    private VgaRegisters _r = new();

    /// <summary>Creates the card.</summary>
    /// <param name="name">Name in the machine.</param>
    /// <param name="hasVga">False for bochs-display: no ports, no window, no text.</param>
    /// <param name="memory">Video memory, a power of two of at least 1 MiB. Belongs to the caller.</param>
    /// <param name="rom">Expansion ROM, a region of a power of two, or null.</param>
    /// <param name="clock">Virtual time, for the retrace.</param>
    public VgaCard(string name, bool hasVga, GuestRam memory, MemoryRegion? rom, IClock clock)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
        _clock = clock;
        HasVga = hasVga;
        Window = MemoryRegion.Container($"{name}-window", WindowSize);
        Window.Add(0, MemoryRegion.OfIo($"{name}-planes", WindowSize, new WindowHandler(this), IoAccess.Bytes));
        Ports = PortRegion.OfBytes($"{name}-ports", PortCount, offset => ReadPort(FirstPort + offset), (offset, value) => WritePort(FirstPort + offset, value));
        DispiPorts = MemoryRegion.OfIo($"{name}-dispi", DispiPortCount, new DispiPortHandler(this), new IoAccess(1, 2));
        Function = new VgaFunction(hasVga ? VgaClass : OtherDisplayClass);
        Function.DefineBar(0, PciBarKind.PrefetchableMemory32, MemoryRegion.OfRam($"{name}-memory", memory, 0, memory.Size));
        Function.DefineBar(2, PciBarKind.Memory32, MemoryRegion.OfIo($"{name}-registers", RegisterBarSize, new RegisterBarHandler(this), IoAccess.UpToDword));
        if (rom is not null)
        {
            Function.DefineRom(rom);
        }

        Reset();
    }

    /// <summary>False for bochs-display.</summary>
    public bool HasVga { get; }

    /// <summary>The PCI function.</summary>
    public PciFunction Function { get; }

    /// <summary>The window, for <see cref="WindowAddress"/>.</summary>
    public MemoryRegion Window { get; }

    /// <summary>The VGA's ports, for <see cref="FirstPort"/>.</summary>
    public MemoryRegion Ports { get; }

    /// <summary>The display interface, for <see cref="DispiPort"/>.</summary>
    public MemoryRegion DispiPorts { get; }

    /// <summary>Video memory.</summary>
    public GuestRam Memory => _memory;

    /// <summary>The registers as they are now. Needs the machine lock.</summary>
    public VgaRegisters Capture() => _r.Clone();

    /// <summary>What a VGA BIOS would have done at power-on, for guests that are started without: text mode 3 with a font and colours.</summary>
    public void SetUpTextMode()
    {
        if (HasVga)
        {
            VgaTextMode.SetUp(_r, _memory);
            UpdateMapping();
        }
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _r = new VgaRegisters { DacMask = 0xff };
        _r.Dispi[VbeDispi.Id] = VbeDispi.NewestId;
        Function.Reset();
        UpdateMapping();
    }

    /// <inheritdoc/>
    public override VgaCardState Save() => new(_r.Clone(), Function.SaveConfig());

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        VgaCardState s = this.Expect<VgaCardState>(state);
        this.Require(s.Registers is not null);
        this.Require(s.Registers.IsValid());
        this.Require(Function.TryRestoreConfig(s.Config));
        _r = s.Registers.Clone();
        UpdateMapping();
    }

    private sealed class VgaFunction : PciFunction
    {
        public VgaFunction(uint classCode)
            : base(Vendor, DeviceId, classCode, Revision)
        {
            Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
            Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
        }
    }
}
