using Emu.Core;

namespace Emu.Devices.Pci;

/// <summary>
/// The ISA bridge of the PIIX3 (Intel 290550), 00:01.0: routes PIRQ A–D to ISA interrupts. Several PIRQs may share one.
/// </summary>
public sealed class Piix3Isa : PciFunction, IIrqSink
{
    /// <summary>Device number on bus 0.</summary>
    public const int Device = 1;

    /// <summary>Offset of PIRQRCA; B–D follow (290550, 2.2.10).</summary>
    public const int RouteOffset = 0x60;

    private const ushort IntelVendor = 0x8086;
    private const ushort Device82371Sb = 0x7000;
    private const uint IsaBridgeClass = 0x060100;
    private const ushort CommandInitial = 0x0007;
    private const ushort StatusInitial = 0x0200;
    private const byte MultiFunction = 0x80;
    private const byte RouteDisabled = 0x80;
    private const byte RouteIrqMask = 0x0f;

    // IRQs 0, 1, 2, 8 and 13 cannot be chosen.
    private const int RoutableIrqs = 0xdef8;

    private readonly IIrqSink _isa;
    private int _asserted;
    private int _driven;

    /// <summary>Creates the function; <paramref name="isa"/> takes ISA interrupts 0–15.</summary>
    public Piix3Isa(IIrqSink isa)
        : base(IntelVendor, Device82371Sb, IsaBridgeClass, 0)
    {
        _isa = isa;
        Define(CommandOffset, 2, CommandInitial, 0x0108);
        Define(StatusOffset, 2, StatusInitial, 0);
        Define(HeaderTypeOffset, 1, MultiFunction, 0);
        Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
        Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
        Define(0x4c, 1, 0x4d, 0xff); // ISA recovery timer
        Define(0x4e, 2, 0x0003, 0xffff); // X-bus chip select
        for (int i = 0; i < PciBus.PirqCount; i++)
        {
            Define(RouteOffset + i, 1, RouteDisabled, RouteDisabled | RouteIrqMask);
        }

        Define(0x69, 1, 0x02, 0xfe); // top of memory
        Define(0x80, 1, 0, 0x0f); // APIC base relocation
    }

    /// <summary>Drives PIRQ <paramref name="number"/> (0 for A) to <paramref name="level"/>.</summary>
    public void SetIrq(int number, bool level)
    {
        int bit = 1 << number;
        _asserted = level ? _asserted | bit : _asserted & ~bit;
        Route();
    }

    /// <inheritdoc/>
    protected override void OnConfigChanged(int offset, int size)
    {
        base.OnConfigChanged(offset, size);
        if (offset < RouteOffset + PciBus.PirqCount && offset + size > RouteOffset)
        {
            Route();
        }
    }

    private void Route()
    {
        int wanted = 0;
        for (int pirq = 0; pirq < PciBus.PirqCount; pirq++)
        {
            byte route = Config[RouteOffset + pirq];
            if ((_asserted & (1 << pirq)) != 0 && (route & RouteDisabled) == 0)
            {
                wanted |= 1 << (route & RouteIrqMask);
            }
        }

        wanted &= RoutableIrqs;
        int changed = wanted ^ _driven;
        _driven = wanted;
        for (int irq = 0; changed >> irq != 0; irq++)
        {
            if ((changed & (1 << irq)) != 0)
            {
                _isa.SetIrq(irq, (wanted & (1 << irq)) != 0);
            }
        }
    }
}
