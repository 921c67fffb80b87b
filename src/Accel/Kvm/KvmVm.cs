using Emu.Accel.Kvm.Native;
using Emu.Core;

namespace Emu.Accel.Kvm;

/// <summary>One virtual machine of KVM: the ioctls of its file descriptor.</summary>
internal sealed unsafe class KvmVm : IDisposable
{
    // Three pages and one that Intel's real-mode emulation needs, out of the way below the firmware (KVM API, 4.40 and 4.41).
    private const long TssAddress = 0xfffb_d000;
    private const ulong IdentityMapAddress = 0xfffb_c000;

    private readonly int _fd;
    private bool _disposed;

    public KvmVm(KvmSystem system, int fd)
    {
        System = system;
        _fd = fd;
    }

    /// <summary>The host.</summary>
    public KvmSystem System { get; }

    private IKvmKernel Kernel => System.Kernel;

    /// <summary>Places the pages that Intel processors need for themselves. Before any vCPU.</summary>
    public void ReservePages()
    {
        if (System.Has(KvmCapability.SetTssAddress) != 0)
        {
            ulong identity = IdentityMapAddress;
            _ = Kernel.Ioctl(_fd, KvmIoctl.SetIdentityMapAddress, (nint)(&identity)); // AMD hosts have no use for it
            Demand(Kernel.Ioctl(_fd, KvmIoctl.SetTssAddress, unchecked((nint)TssAddress)), "KVM_SET_TSS_ADDR");
        }
    }

    /// <summary>Creates a vCPU; returns its file descriptor.</summary>
    public int CreateVcpu(int index)
    {
        int fd = Kernel.Ioctl(_fd, KvmIoctl.CreateVcpu, index);
        return fd >= 0 ? fd : throw KvmException.Failed($"KVM cannot create vCPU {index}", -fd);
    }

    /// <summary>Sets, changes or (with size 0) deletes a memory slot. The answer is an error number or 0.</summary>
    public int SetMemory(in KvmMemoryRegion region)
    {
        fixed (KvmMemoryRegion* argument = &region)
        {
            return -Kernel.Ioctl(_fd, KvmIoctl.SetUserMemoryRegion, (nint)argument);
        }
    }

    /// <summary>Reads and clears the dirty log of <paramref name="slot"/>: one bit per page.</summary>
    public void GetDirtyLog(uint slot, Span<ulong> bitmap)
    {
        fixed (ulong* bits = bitmap)
        {
            var log = new KvmDirtyLog { Slot = slot, Bitmap = (nint)bits };
            Demand(Kernel.Ioctl(_fd, KvmIoctl.GetDirtyLog, (nint)(&log)), "KVM_GET_DIRTY_LOG");
        }
    }

    /// <summary>Keeps the local APICs in the kernel and leaves 8259, I/O APIC and 8254 out (<paramref name="pins"/> routes are reserved for that I/O APIC).</summary>
    public void SplitIrqchip(int pins)
    {
        var capability = new KvmEnableCap { Capability = (uint)KvmCapability.SplitIrqchip, Argument0 = (ulong)pins };
        Demand(Kernel.Ioctl(_fd, KvmIoctl.EnableCap, (nint)(&capability)), "KVM_CAP_SPLIT_IRQCHIP");
    }

    /// <summary>Keeps all interrupt controllers and the 8254, with port 61H, in the kernel.</summary>
    public void CreateIrqchip()
    {
        Demand(Kernel.Ioctl(_fd, KvmIoctl.CreateIrqchip, 0), "KVM_CREATE_IRQCHIP");
        var pit = new KvmPitConfig { Flags = KvmPitConfig.SpeakerPort };
        Demand(Kernel.Ioctl(_fd, KvmIoctl.CreatePit2, (nint)(&pit)), "KVM_CREATE_PIT2");
    }

    /// <summary>The state of chip <paramref name="id"/> (8259 master, slave, I/O APIC), as KVM keeps it.</summary>
    public KvmIrqchip GetIrqchip(uint id)
    {
        var chip = new KvmIrqchip { ChipId = id };
        Demand(Kernel.Ioctl(_fd, KvmIoctl.GetIrqchip, (nint)(&chip)), "KVM_GET_IRQCHIP");
        return chip;
    }

    public void SetIrqchip(in KvmIrqchip chip)
    {
        fixed (KvmIrqchip* argument = &chip)
        {
            Demand(Kernel.Ioctl(_fd, KvmIoctl.SetIrqchip, (nint)argument), "KVM_SET_IRQCHIP");
        }
    }

    public KvmPitState GetPit()
    {
        KvmPitState state = default;
        Demand(Kernel.Ioctl(_fd, KvmIoctl.GetPit2, (nint)(&state)), "KVM_GET_PIT2");
        return state;
    }

    public void SetPit(in KvmPitState state)
    {
        fixed (KvmPitState* argument = &state)
        {
            Demand(Kernel.Ioctl(_fd, KvmIoctl.SetPit2, (nint)argument), "KVM_SET_PIT2");
        }
    }

    public void SetIrqLine(int gsi, bool level)
    {
        var line = new KvmIrqLevel { Irq = (uint)gsi, Level = level ? 1u : 0 };
        Demand(Kernel.Ioctl(_fd, KvmIoctl.IrqLine, (nint)(&line)), "KVM_IRQ_LINE");
    }

    /// <summary>Sends a message; false when no local APIC took it.</summary>
    public bool SignalMsi(MsiMessage message)
    {
        var msi = new KvmMsi { AddressLow = (uint)message.Address, AddressHigh = (uint)(message.Address >> 32), Data = message.Data };
        return Kernel.Ioctl(_fd, KvmIoctl.SignalMsi, (nint)(&msi)) > 0;
    }

    /// <summary>Replaces all routes from global system interrupts to chips and messages.</summary>
    public void SetRouting(ReadOnlySpan<KvmRoutingEntry> routes)
    {
        byte[] buffer = new byte[8 + (routes.Length * sizeof(KvmRoutingEntry))];
        fixed (byte* start = buffer)
        {
            *(uint*)start = (uint)routes.Length;
            routes.CopyTo(new Span<KvmRoutingEntry>(start + 8, routes.Length));
            Demand(Kernel.Ioctl(_fd, KvmIoctl.SetGsiRouting, (nint)start), "KVM_SET_GSI_ROUTING");
        }
    }

    /// <summary>Connects an eventfd to a global system interrupt, or takes it off. The answer is an error number or 0.</summary>
    public int SetIrqFd(in KvmIrqFd irqFd)
    {
        fixed (KvmIrqFd* argument = &irqFd)
        {
            return -Kernel.Ioctl(_fd, KvmIoctl.IrqFd, (nint)argument);
        }
    }

    /// <summary>Connects an eventfd to a write, or takes it off. The answer is an error number or 0.</summary>
    public int SetIoEventFd(in KvmIoEventFd ioEventFd)
    {
        fixed (KvmIoEventFd* argument = &ioEventFd)
        {
            return -Kernel.Ioctl(_fd, KvmIoctl.IoEventFd, (nint)argument);
        }
    }

    /// <summary>Turns coalescing of writes on or off for a range of addresses or ports. The answer is an error number or 0.</summary>
    public int SetCoalescing(ulong address, uint size, bool isPort, bool on)
    {
        var zone = new KvmCoalescedZone { Address = address, Size = size, IsPort = isPort ? 1u : 0 };
        return -Kernel.Ioctl(_fd, on ? KvmIoctl.RegisterCoalescedMmio : KvmIoctl.UnregisterCoalescedMmio, (nint)(&zone));
    }

    /// <summary>The time of kvm-clock in nanoseconds.</summary>
    public ulong GetClock()
    {
        KvmClockData data = default;
        Demand(Kernel.Ioctl(_fd, KvmIoctl.GetClock, (nint)(&data)), "KVM_GET_CLOCK");
        return data.Clock;
    }

    public void SetClock(ulong nanoseconds)
    {
        var data = new KvmClockData { Clock = nanoseconds };
        Demand(Kernel.Ioctl(_fd, KvmIoctl.SetClock, (nint)(&data)), "KVM_SET_CLOCK");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Kernel.Close(_fd);
        }
    }

    private static void Demand(int result, string what)
    {
        if (result < 0)
        {
            throw KvmException.Failed($"{what} failed", -result);
        }
    }
}
