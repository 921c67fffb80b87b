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
    private const ushort PicMasterPort = 0x20;
    private const ushort PicSlavePort = 0xA0;
    private const ushort ElcrPort = 0x4D0;
    private const ushort PitPort = 0x40;
    private const ushort SystemControlPortB = 0x61;
    private const ushort RtcPort = 0x70;
    private const ushort KeyboardDataPort = 0x60;
    private const ushort KeyboardCommandPort = 0x64;
    private const ushort SystemControlPortA = 0x92;
    private const ushort PostPort = 0x80;
    private const ushort PciAddressPort = 0xCF8;
    private const ushort PciDataPort = 0xCFC;

    private const int TimerIrq = 0;
    private const int KeyboardIrq = 1;
    private const int RtcIrq = 8;
    private const int MouseIrq = 12;

    private static readonly (ushort Port, int Irq)[] ComPorts = [(0x3F8, 4), (0x2F8, 3), (0x3E8, 4), (0x2E8, 3)];

    private (LocalApicSet Apics, GsiRouter Irqs) AddInterruptControllers()
    {
        var apics = new LocalApicSet(_host.Lock, Timers, _config.Smp.Cpus);
        for (int cpu = 0; cpu < apics.Count; cpu++)
        {
            Add(apics[cpu]);
        }

        // The 8259s' INT is LINT0 of the boot processor, which acknowledges there.
        Pic8259 pic = Add(new Pic8259("pic") { Output = apics.PicOutput });
        apics.AcknowledgePic = pic.Acknowledge;
        IoApic ioApic = Add(new IoApic("ioapic", apics));
        _memory.Root.Add(LocalApicSet.RegionAddress, apics.Region);
        _memory.Root.Add(IoApic.RegionAddress, ioApic.Region);
        _ports.Claim(PicMasterPort, pic.MasterRegisters);
        _ports.Claim(PicSlavePort, pic.SlaveRegisters);
        _ports.Claim(ElcrPort, pic.ElcrRegisters);
        _ioApic = ioApic;
        return (apics, new GsiRouter(pic, ioApic));
    }

    // The accelerator has the local APICs, and perhaps the rest; what it leaves out is the board's and sends messages there.
    private GsiRouter AddInterruptControllers(IKernelIrqChip chip)
    {
        if (chip.HasIoChips)
        {
            return new GsiRouter(chip.Inputs);
        }

        Pic8259 pic = Add(new Pic8259("pic") { Output = chip.PicOutput });
        chip.AcknowledgePic = pic.Acknowledge;
        _ioApic = Add(new IoApic("ioapic", new KernelApicBus(chip)));
        _memory.Root.Add(IoApic.RegionAddress, _ioApic.Region);
        _ports.Claim(PicMasterPort, pic.MasterRegisters);
        _ports.Claim(PicSlavePort, pic.SlaveRegisters);
        _ports.Claim(ElcrPort, pic.ElcrRegisters);
        return new GsiRouter(pic, _ioApic);
    }

    private UserIrqNotifier CreateUserNotifier(int gsi, Action? resample)
    {
        IrqLine line = _irqs.Line(gsi);
        if (resample is null)
        {
            return new UserIrqNotifier(_host.Lock, line.Pulse);
        }

        _ioApic!.InputEnded += input =>
        {
            if (input == gsi)
            {
                line.Set(false);
                resample();
            }
        };
        return new UserIrqNotifier(_host.Lock, () => line.Set(true));
    }

    private Rtc146818 AddTimers()
    {
        if (_kernelChip is not { HasIoChips: true })
        {
            Pit8254 pit = Add(new Pit8254("pit", _irqs.Line(TimerIrq), Timers));
            _ports.Claim(PitPort, pit.Registers);
            _ports.Claim(SystemControlPortB, pit.SystemControlPort);
        }

        Rtc146818 rtc = Add(new Rtc146818("rtc", _irqs.Line(RtcIrq), Timers));
        PcFirmwareConfig.Fill(rtc, _layout, _config.Smp.Cpus);
        _ports.Claim(RtcPort, rtc.Registers);
        if (HasHpet)
        {
            Hpet hpet = Add(new Hpet("hpet", Timers, _irqs.HpetInputs, SetHpetLegacyReplacement));
            _memory.Root.Add(Hpet.RegionAddress, hpet.Region);
        }

        return rtc;
    }

    private (PciHostBridge Pci, PmDevice Pm, PiixIde Ide) AddChipset()
    {
        ResetRegister reset = Add(new ResetRegister("reset", _signals.Reset));
        PciHostBridge pci = Add(new PciHostBridge("pci") { ResetControl = reset });
        _ports.Claim(PciAddressPort, pci.AddressPort);
        _ports.Claim(PciDataPort, pci.DataPort);

        PmDevice pm = Add(new PmDevice("pm", Timers, _irqs.Line(PmDevice.SciIrq), _signals.PowerOff));
        _ports.Claim(PmDevice.SmiCommandPort, pm.SmiCommandRegion);
        return (pci, pm, AddPiix(pci.Bus, pm));
    }

    private FwCfg AddLegacyDevices()
    {
        I8042 keyboard = Add(new I8042("i8042", _irqs.Line(KeyboardIrq), _irqs.Line(MouseIrq))
        {
            ResetRequested = _signals.Reset,
            A20Changed = SetA20,
        });
        Input = new GuestInput(keyboard, _host.Lock);
        _ports.Claim(KeyboardDataPort, keyboard.DataPort);
        _ports.Claim(KeyboardCommandPort, keyboard.CommandPort);

        Port92 port92 = Add(new Port92("port92") { ResetRequested = _signals.Reset, A20Changed = SetA20 });
        _ports.Claim(SystemControlPortA, port92.Registers);
        _ports.Claim(PostPort, Add(new Port80("port80")).Registers);

        FwCfg fwCfg = Add(new FwCfg("fw_cfg", Memory));
        PcFirmwareConfig.Fill(fwCfg, _layout, _config.Smp.Cpus, HasVga);
        _ports.Claim(FwCfg.DefaultPort, fwCfg.Registers);
        return fwCfg;
    }

    private void AddSerialPorts()
    {
        if (SerialCount > ComPorts.Length)
        {
            throw new MachineConfigException("-serial", $"a PC has at most {ComPorts.Length} serial ports, not {SerialCount}");
        }

        var lines = new Dictionary<int, SharedLine>();
        for (int i = 0; i < SerialCount; i++)
        {
            (ushort port, int irq) = ComPorts[i];
            if (!lines.TryGetValue(irq, out SharedLine? line))
            {
                line = lines[irq] = new SharedLine(_irqs.Line(irq));
            }

            ISerialBackend backend = i < _host.Serials.Count ? _host.Serials[i] : NullSerialBackend.Instance;
            Uart16550 uart = Add(new Uart16550($"serial{i}", backend, line.Connect(), Timers));
            _ports.Claim(port, uart.Registers);
        }
    }

    private void AddDebugPorts()
    {
        if (_config.DebugConsole is DebugConsoleSpec console)
        {
            DebugCon device = Add(new DebugCon("debugcon", _host.DebugConsole ?? NullSerialBackend.Instance));
            _ports.Claim(console.IoBase, device.Registers, "-debugcon");
        }

        if (_config.DebugExit is DebugExitSpec exit)
        {
            IsaDebugExit device = Add(new IsaDebugExit("isa-debug-exit", _signals.Exit, exit.IoBase, exit.IoSize));
            _ports.Claim(exit.IoBase, device.Registers, "-device");
        }
    }

    private void SetHpetLegacyReplacement(bool on)
    {
        _irqs.HpetLegacyReplacement = on;
        if (_kernelChip is { HasIoChips: true })
        {
            _kernelChip.SetHpetLegacyReplacement(on);
        }
    }

    private void SetA20(bool level) => A20Gate = level;

    private T Add<T>(T device)
        where T : Device
    {
        _devices.Add(device);
        return device;
    }
}
