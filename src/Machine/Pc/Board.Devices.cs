using Emu.Core;
using Emu.Core.Cpu;
using Emu.Devices.IrqChip;
using Emu.Devices.Legacy;
using Emu.Devices.Serial;
using Emu.Devices.Timer;

namespace Emu.Machine.Pc;

/// <content>Interrupt controllers, timers and ports that boards have alike.</content>
internal abstract partial class Board
{
    private const ushort PicMasterPort = 0x20;
    private const ushort PicSlavePort = 0xA0;
    private const ushort ElcrPort = 0x4D0;
    private const ushort PitPort = 0x40;
    private const ushort SystemControlPortB = 0x61;
    private const ushort RtcPort = 0x70;

    private const int TimerIrq = 0;
    private const int RtcIrq = 8;

    /// <summary>Ports and IRQs of serial ports, COM1 first.</summary>
    protected static readonly (ushort Port, int Irq)[] ComPorts = [(0x3F8, 4), (0x2F8, 3), (0x3E8, 4), (0x2E8, 3)];

    /// <summary>What messages call the board.</summary>
    protected virtual string Kind => "a PC";

    /// <summary>True when there are 8259s.</summary>
    protected virtual bool HasPic => true;

    /// <summary>The 8254, unless the accelerator has it.</summary>
    protected void AddPit()
    {
        if (KernelChip is not { HasIoChips: true })
        {
            Pit8254 pit = Add(new Pit8254("pit", Irqs.Line(TimerIrq), Timers));
            PortMap.Claim(PitPort, pit.Registers);
            PortMap.Claim(SystemControlPortB, pit.SystemControlPort);
        }
    }

    /// <summary>The real-time clock with its CMOS bytes.</summary>
    protected Rtc146818 AddRtc()
    {
        Rtc146818 rtc = Add(new Rtc146818("rtc", Irqs.Line(RtcIrq), Timers));
        PcFirmwareConfig.Fill(rtc, Layout, Config.Smp.Cpus);
        PortMap.Claim(RtcPort, rtc.Registers);
        return rtc;
    }

    /// <summary>How many serial ports the user wants.</summary>
    protected int SerialCount => Math.Max(Config.Serials.Count, Host.Serials.Count);

    /// <summary>The serial ports: at most <paramref name="most"/>.</summary>
    protected void AddSerialPorts(int most = 4)
    {
        if (SerialCount > most)
        {
            throw new MachineConfigException("-serial", $"{Kind} has at most {most} serial port{(most == 1 ? "" : "s")}, not {SerialCount}");
        }

        var lines = new Dictionary<int, SharedLine>();
        for (int i = 0; i < SerialCount; i++)
        {
            (ushort port, int irq) = ComPorts[i];
            if (!lines.TryGetValue(irq, out SharedLine? line))
            {
                line = lines[irq] = new SharedLine(Irqs.Line(irq));
            }

            ISerialBackend backend = i < Host.Serials.Count ? Host.Serials[i] : NullSerialBackend.Instance;
            Uart16550 uart = Add(new Uart16550($"serial{i}", backend, line.Connect(), Timers));
            PortMap.Claim(port, uart.Registers);
        }
    }

    /// <summary>Debug console and exit device.</summary>
    protected void AddDebugPorts()
    {
        if (Config.DebugConsole is DebugConsoleSpec console)
        {
            DebugCon device = Add(new DebugCon("debugcon", Host.DebugConsole ?? NullSerialBackend.Instance));
            PortMap.Claim(console.IoBase, device.Registers, "-debugcon");
        }

        if (Config.DebugExit is DebugExitSpec exit)
        {
            IsaDebugExit device = Add(new IsaDebugExit("isa-debug-exit", Signals.Exit, exit.IoBase, exit.IoSize));
            PortMap.Claim(exit.IoBase, device.Registers, "-device");
        }
    }

    /// <summary>Makes <paramref name="device"/> part of the board: it is reset with it, backwards in the order of the calls.</summary>
    protected T Add<T>(T device)
        where T : Device
    {
        _devices.Add(device);
        return device;
    }

    private Pic8259 AddPic(IrqLine output)
    {
        Pic8259 pic = Add(new Pic8259("pic") { Output = output });
        PortMap.Claim(PicMasterPort, pic.MasterRegisters);
        PortMap.Claim(PicSlavePort, pic.SlaveRegisters);
        PortMap.Claim(ElcrPort, pic.ElcrRegisters);
        return pic;
    }

    private GsiRouter AddInterruptControllers()
    {
        var apics = new LocalApicSet(Host.Lock, Timers, Config.Smp.Cpus);
        for (int cpu = 0; cpu < apics.Count; cpu++)
        {
            Add(apics[cpu]);
        }

        // The 8259s' INT is LINT0 of the boot processor, which acknowledges there.
        IIrqSink pic = NoInputs.Instance;
        if (HasPic)
        {
            Pic8259 pair = AddPic(apics.PicOutput);
            apics.AcknowledgePic = pair.Acknowledge;
            pic = pair;
        }

        IoApic ioApic = Add(new IoApic("ioapic", apics));
        MemoryMap.Root.Add(LocalApicSet.RegionAddress, apics.Region);
        MemoryMap.Root.Add(IoApic.RegionAddress, ioApic.Region);
        _ioApic = ioApic;
        _apics = apics;
        return new GsiRouter(pic, ioApic);
    }

    // The accelerator has the local APICs, and perhaps the rest; what it leaves out is the board's and sends messages there.
    private GsiRouter AddInterruptControllers(IKernelIrqChip chip)
    {
        if (chip.HasIoChips)
        {
            return new GsiRouter(chip.Inputs);
        }

        IIrqSink pic = NoInputs.Instance;
        if (HasPic)
        {
            Pic8259 pair = AddPic(chip.PicOutput);
            chip.AcknowledgePic = pair.Acknowledge;
            pic = pair;
        }

        _ioApic = Add(new IoApic("ioapic", new KernelApicBus(chip)));
        MemoryMap.Root.Add(IoApic.RegionAddress, _ioApic.Region);
        return new GsiRouter(pic, _ioApic);
    }

    private UserIrqNotifier CreateUserNotifier(int gsi, Action? resample)
    {
        IrqLine line = Irqs.Line(gsi);
        if (resample is null)
        {
            return new UserIrqNotifier(Host.Lock, line.Pulse);
        }

        _ioApic!.InputEnded += input =>
        {
            if (input == gsi)
            {
                line.Set(false);
                resample();
            }
        };
        return new UserIrqNotifier(Host.Lock, () => line.Set(true));
    }

    /// <summary>In place of the 8259s.</summary>
    private sealed class NoInputs : IIrqSink
    {
        public static readonly NoInputs Instance = new();

        public void SetIrq(int number, bool level)
        {
        }
    }
}
