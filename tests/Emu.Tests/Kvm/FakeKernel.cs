using System.Runtime.InteropServices;
using Emu.Accel.Kvm.Native;

namespace Emu.Tests.Kvm;

/// <summary>A KVM that does what the test wants: every ioctl succeeds unless told otherwise, and KVM_RUN runs a script.</summary>
internal sealed unsafe class FakeKernel : IKvmKernel, IDisposable
{
    public const int MapSize = 3 * 4096;

    private const int SystemFd = 100;
    private const int VmFd = 101;
    private const int FirstVcpuFd = 102;
    private readonly List<nint> _maps = [];
    private int _vcpus;

    /// <summary>What KVM_RUN does and answers, on a vCPU's shared memory.</summary>
    public Func<KvmRunArea, int> OnRun { get; set; } = _ => -Errno.Interrupted;

    /// <summary>Answers by request number; else 0.</summary>
    public Dictionary<uint, Func<nint, int>> Answers { get; } = [];

    /// <summary>What KVM_CHECK_EXTENSION says of a capability; else it is there.</summary>
    public Dictionary<KvmCapability, int> Capabilities { get; } = new() { [KvmCapability.SyncRegs] = 7, [KvmCapability.CoalescedMmio] = 2, [KvmCapability.MaxMemorySlots] = 8 };

    public int OpenResult { get; set; } = SystemFd;

    public bool RefusesMaps { get; set; }

    /// <summary>Requests in order, without KVM_RUN and KVM_CHECK_EXTENSION.</summary>
    public List<uint> Requests { get; } = [];

    public List<KvmMemoryRegion> Slots { get; } = [];

    public List<uint> Interrupts { get; } = [];

    public HashSet<int> OpenFiles { get; } = [];

    public int Runs { get; private set; }

    public int Open(string path) => Opened(OpenResult);

    public void Close(int fd) => Assert.True(OpenFiles.Remove(fd));

    public nint Map(int fd, int size)
    {
        if (RefusesMaps)
        {
            return 0;
        }

        nint map = (nint)NativeMemory.AlignedAlloc((nuint)size, 4096);
        new Span<byte>((void*)map, size).Clear();
        *(ulong*)(map + 24) = 0xFEE0_0900; // kvm_run.apic_base: what the guest would have found
        _maps.Add(map);
        return map;
    }

    public void Unmap(nint address, int size)
    {
        Assert.True(_maps.Remove(address));
        NativeMemory.AlignedFree((void*)address);
    }

    public int Ioctl(int fd, uint request, nint argument)
    {
        Assert.Contains(fd, OpenFiles);
        switch (request)
        {
            case KvmIoctl.Run:
                Runs++;
                return Run(new KvmRunArea((byte*)_maps[fd - FirstVcpuFd], MapSize));
            case KvmIoctl.CheckExtension:
                return Capabilities.GetValueOrDefault((KvmCapability)argument, 1);
        }

        Requests.Add(request);
        if (Answers.TryGetValue(request, out Func<nint, int>? answer))
        {
            return answer(argument);
        }

        switch (request)
        {
            case KvmIoctl.GetApiVersion: return 12;
            case KvmIoctl.GetVcpuMmapSize: return MapSize;
            case KvmIoctl.CreateVm: return Opened(VmFd);
            case KvmIoctl.CreateVcpu: return Opened(FirstVcpuFd + _vcpus++);
            case KvmIoctl.SetUserMemoryRegion: Slots.Add(*(KvmMemoryRegion*)argument); return 0;
            case KvmIoctl.Interrupt: Interrupts.Add(*(uint*)argument); return 0;
            case KvmIoctl.GetMsrs: return *(int*)argument;
            case KvmIoctl.SetMsrs: return *(int*)argument;
            case KvmIoctl.GetSupportedCpuid: *(uint*)argument = 0; return 0;
            case KvmIoctl.GetMsrIndexList: *(uint*)argument = 0; return 0;
            default: return 0;
        }
    }

    public void Dispose()
    {
        _maps.ForEach(map => NativeMemory.AlignedFree((void*)map));
        _maps.Clear();
    }

    // immediate_exit as KVM has it: nothing runs.
    private int Run(KvmRunArea run) => run.ImmediateExit ? -Errno.Interrupted : OnRun(run);

    private int Opened(int fd)
    {
        if (fd >= 0)
        {
            OpenFiles.Add(fd);
        }

        return fd;
    }
}

/// <summary>Writes exits into a vCPU's shared memory as KVM does.</summary>
internal static unsafe class FakeExits
{
    public const int DataOffset = 4096;

    public static int Exit(this KvmRunArea run, KvmExitReason reason)
    {
        run.ExitReason = reason;
        return 0;
    }

    public static int Io(this KvmRunArea run, bool write, ushort port, int size, params byte[] data)
    {
        byte* start = Start(run);
        start[32] = write ? (byte)1 : (byte)0;
        start[33] = (byte)size;
        *(ushort*)(start + 34) = port;
        *(uint*)(start + 36) = (uint)(data.Length / size);
        *(ulong*)(start + 40) = DataOffset;
        data.CopyTo(new Span<byte>(start + DataOffset, data.Length));
        return run.Exit(KvmExitReason.Io);
    }

    public static int Mmio(this KvmRunArea run, bool write, ulong address, params byte[] data)
    {
        byte* start = Start(run);
        *(ulong*)(start + 32) = address;
        data.CopyTo(new Span<byte>(start + 40, 8));
        *(uint*)(start + 48) = (uint)data.Length;
        start[52] = write ? (byte)1 : (byte)0;
        return run.Exit(KvmExitReason.Mmio);
    }

    /// <summary>An exit whose union begins with two 32-bit words and data.</summary>
    public static int Coded(this KvmRunArea run, KvmExitReason reason, uint code, uint count, params ulong[] data)
    {
        byte* start = Start(run);
        *(uint*)(start + 32) = code;
        *(uint*)(start + 36) = count;
        data.CopyTo(new Span<ulong>(start + 40, data.Length));
        return run.Exit(reason);
    }

    public static ReadOnlySpan<byte> IoData(this KvmRunArea run, int length) => new(Start(run) + DataOffset, length);

    public static void Coalesce(this KvmRunArea run, ulong address, uint value, bool isPort)
    {
        byte* ring = Start(run) + (2 * 4096);
        byte* entry = ring + 8 + (*(uint*)(ring + 4) * 24);
        *(ulong*)entry = address;
        *(uint*)(entry + 8) = 4;
        *(uint*)(entry + 12) = isPort ? 1u : 0;
        *(ulong*)(entry + 16) = value;
        (*(uint*)(ring + 4))++;
    }

    // The registers lie at a known place of the area, so that its start can be told.
    private static byte* Start(KvmRunArea run) => (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref run.Regs) - 304;
}
