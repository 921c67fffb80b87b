using Emu.Core;
using Emu.Devices.Acpi;
using Emu.Devices.Ide;
using Emu.Devices.IrqChip;
using Emu.Devices.Legacy;
using Emu.Devices.Pci;
using Emu.Devices.Serial;
using Emu.Devices.Timer;
using Emu.Machine.Display;

namespace Emu.Machine.Pc;

/// <content>The devices and where they are, in the order in which they are built; reset goes backwards.</content>
internal sealed partial class PcBoard
{
    private const ushort ElcrPort = 0x4D0;
    private const ushort KeyboardDataPort = 0x60;
    private const ushort KeyboardCommandPort = 0x64;
    private const ushort SystemControlPortA = 0x92;
    private const ushort PostPort = 0x80;
    private const ushort PciAddressPort = 0xCF8;
    private const ushort PciDataPort = 0xCFC;

    private const int KeyboardIrq = 1;
    private const int MouseIrq = 12;

    private (PciHostBridge Pci, PmDevice Pm, PiixIde Ide) AddChipset()
    {
        ResetRegister reset = Add(new ResetRegister("reset", Signals.Reset));
        PciHostBridge pci = Add(new PciHostBridge("pci") { ResetControl = reset });
        PortMap.Claim(PciAddressPort, pci.AddressPort);
        PortMap.Claim(PciDataPort, pci.DataPort);

        PmDevice pm = Add(new PmDevice("pm", Timers, Irqs.Line(PmDevice.SciIrq), Signals.PowerOff));
        PortMap.Claim(PmDevice.SmiCommandPort, pm.SmiCommandRegion);
        return (pci, pm, AddPiix(pci.Bus, pm));
    }

    private FwCfg AddLegacyDevices()
    {
        I8042 keyboard = Add(new I8042("i8042", Irqs.Line(KeyboardIrq), Irqs.Line(MouseIrq))
        {
            ResetRequested = Signals.Reset,
            A20Changed = SetA20,
        });
        Input = new GuestInput(keyboard, Host.Lock);
        PortMap.Claim(KeyboardDataPort, keyboard.DataPort);
        PortMap.Claim(KeyboardCommandPort, keyboard.CommandPort);

        Port92 port92 = Add(new Port92("port92") { ResetRequested = Signals.Reset, A20Changed = SetA20 });
        PortMap.Claim(SystemControlPortA, port92.Registers);
        PortMap.Claim(PostPort, Add(new Port80("port80")).Registers);

        FwCfg fwCfg = Add(new FwCfg("fw_cfg", Memory));
        PcFirmwareConfig.Fill(fwCfg, Layout, Config.Smp.Cpus, HasVga);
        PortMap.Claim(FwCfg.DefaultPort, fwCfg.Registers);
        return fwCfg;
    }

    private void SetA20(bool level) => A20Gate = level;

    private void AddHpet()
    {
        if (HasHpet)
        {
            Hpet hpet = Add(new Hpet("hpet", Timers, Irqs.HpetInputs, SetHpetLegacyReplacement));
            MemoryMap.Root.Add(Hpet.RegionAddress, hpet.Region);
        }
    }

    private void SetHpetLegacyReplacement(bool on)
    {
        Irqs.HpetLegacyReplacement = on;
        if (KernelChip is { HasIoChips: true })
        {
            KernelChip.SetHpetLegacyReplacement(on);
        }
    }
}
