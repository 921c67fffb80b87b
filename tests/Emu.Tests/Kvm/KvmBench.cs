using Emu.Accel.Kvm;
using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Devices.IrqChip;

namespace Emu.Tests.Kvm;

/// <summary>What a device region was asked.</summary>
internal readonly record struct Access(bool Write, ulong Offset, ulong Value, int Size);

/// <summary>A device that remembers every access and answers reads with a function of the offset.</summary>
internal sealed class AccessRecorder : IIoHandler
{
    public List<Access> Accesses { get; } = [];

    public Func<ulong, int, ulong> Answer { get; set; } = (offset, _) => 0x1122_3344_5566_7788UL + offset;

    public Action<ulong, ulong>? Written { get; set; }

    public ulong Read(ulong offset, int size)
    {
        ulong value = Answer(offset, size);
        value = size == 8 ? value : value & ((1UL << (size * 8)) - 1);
        Accesses.Add(new Access(false, offset, value, size));
        return value;
    }

    public void Write(ulong offset, ulong value, int size)
    {
        Accesses.Add(new Access(true, offset, value, size));
        Written?.Invoke(offset, value);
    }
}

/// <summary>
/// KVM with 2 MiB of RAM at 0, ROM at 300000h, a device at 400000h, a device whose writes may be coalesced at 500000h, and
/// recorded ports. Local APICs in user space unless told otherwise. Port F4h ends a run with a kick.
/// </summary>
internal sealed class KvmBench : IDisposable
{
    public const ulong CodeAddress = 0x1000;
    public const ulong RomAddress = 0x30_0000;
    public const ulong DeviceAddress = 0x40_0000;
    public const ulong CoalescedAddress = 0x50_0000;
    public const ushort Port = 0x80;
    public const ushort ExitPort = 0xf4;

    private readonly FakeKernel? _fake;

    public KvmBench(FakeKernel? fake = null, KernelIrqChipMode mode = KernelIrqChipMode.Off, int cpus = 1, string model = "max")
    {
        _fake = fake;
        Ram = new GuestRam("ram", 2 << 20);
        RomBytes = new GuestRam("rom", 0x1000);
        Root = MemoryRegion.Container("memory", 1UL << 40);
        Root.Add(0, MemoryRegion.OfRam("ram", Ram, 0, Ram.Size));
        Root.Add(RomAddress, MemoryRegion.OfRom("rom", RomBytes, 0, RomBytes.Size, RomWrites));
        DeviceRegion = MemoryRegion.OfIo("device", 0x1000, Device, IoAccess.UpToQword);
        Root.Add(DeviceAddress, DeviceRegion);
        Root.Add(CoalescedAddress, MemoryRegion.OfIo("coalesced", 0x1000, Coalesced, IoAccess.UpToQword, coalescesWrites: true));
        MemoryRegion ports = MemoryRegion.Container("ports", 0x10000);
        PortRegion = MemoryRegion.OfIo("port", 4, Ports, IoAccess.UpToDword);
        ports.Add(Port, PortRegion);
        ports.Add(ExitPort, MemoryRegion.OfIo("exit", 1, Exit, IoAccess.Bytes));
        Memory = new AddressSpace("memory", Root, Lock);
        Apics = new LocalApicSet(Lock, new TimerQueue(Clock), cpus);
        if (mode == KernelIrqChipMode.Off)
        {
            Root.Add(LocalApicSet.RegionAddress, Apics.Region);
        }

        var environment = new KvmEnvironment(Memory, new AddressSpace("ports", ports, Lock), Clock, CpuModel.Parse(model, cpus), Lock, mode);
        Accelerator = fake is null ? new KvmAccelerator(environment) : new KvmAccelerator(environment, fake);
        for (int i = 0; i < cpus; i++)
        {
            IVcpu vcpu = Accelerator.CreateVcpu(i, mode == KernelIrqChipMode.Off ? Apics[i] : null);
            Vcpus.Add(vcpu);
        }

        Exit.Written = (_, _) => Vcpus.ForEach(vcpu => vcpu.Kick());
    }

    public MachineLock Lock { get; } = new();

    public GuestRam Ram { get; }

    public GuestRam RomBytes { get; }

    public MemoryRegion Root { get; }

    public MemoryRegion DeviceRegion { get; }

    public MemoryRegion PortRegion { get; }

    public AddressSpace Memory { get; }

    public HostClock Clock { get; } = new(DateTimeOffset.UnixEpoch);

    public LocalApicSet Apics { get; }

    public KvmAccelerator Accelerator { get; }

    public List<IVcpu> Vcpus { get; } = [];

    public IVcpu Vcpu => Vcpus[0];

    public AccessRecorder Device { get; } = new();

    public AccessRecorder Coalesced { get; } = new();

    public AccessRecorder RomWrites { get; } = new();

    public AccessRecorder Ports { get; } = new();

    public AccessRecorder Exit { get; } = new();

    /// <summary>Runs real-mode code at 0:1000h until it writes port F4h or ends otherwise; a watchdog ends what hangs.</summary>
    public VcpuExit RunReal(params byte[] code)
    {
        Ram.Write(CodeAddress, code);
        Vcpu.SetState(RealMode());
        return Run();
    }

    /// <summary>Goes on from the present state.</summary>
    public VcpuExit Run()
    {
        bool late = false;
        using var watchdog = new Timer(
            _ =>
            {
                late = true;
                Vcpu.Kick();
            },
            null, 20_000, Timeout.Infinite);
        VcpuExit exit = Vcpu.Run();
        X86State? state = late ? Vcpu.GetState() : null;
        Assert.False(late, $"the guest hangs at {state?.Rip:x}, rax {state?.Gpr[0]:x}, rbx {state?.Gpr[3]:x}");
        return exit;
    }

    public static X86State RealMode()
    {
        var data = new SegmentState(0, 0, 0xffff, 0x93);
        var state = new X86State
        {
            Rip = CodeAddress,
            Rflags = 2,
            Segments = [data, new SegmentState(0, 0, 0xffff, 0x9b), data, data, data, data],
            Ldtr = new SegmentState(0, 0, 0xffff, 0x82),
            Tr = new SegmentState(0, 0, 0xffff, 0x8b),
            Gdtr = new DescriptorTableState(0, 0xffff),
            Idtr = new DescriptorTableState(0, 0xffff),
            Cr0 = 0x10,
            Xcr0 = 1,
            Dr = [0, 0, 0, 0, 0xffff0ff0, 0x400],
        };
        state.Gpr[4] = 0x8000;
        state.Xsave[0] = 0x7f;
        state.Xsave[1] = 0x03;
        state.Xsave[24] = 0x80;
        state.Xsave[25] = 0x1f;
        return state;
    }

    public void Dispose()
    {
        Vcpus.ForEach(vcpu => vcpu.Dispose());
        Accelerator.Dispose();
        Ram.Dispose();
        RomBytes.Dispose();
        Assert.Empty(_fake?.OpenFiles ?? []);
        _fake?.Dispose();
    }
}
