using System.Diagnostics;
using Emu.Accel.Kvm;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Bench;

/// <summary>
/// The guest of <c>kvm-exits.c</c> on emu's accelerator: 64-bit code that loops on one OUT to port 80h or one store to a device, at
/// privilege level 0 or 3. The device counts, and kicks the vCPU when it has seen enough.
/// </summary>
internal sealed class KvmGuest : IDisposable
{
    private const ulong PageMap = 0x1000;
    private const ulong Tss = 0x4000;
    private const ulong Code = 0x8000;
    private const ulong DeviceLinear = 1 << 21;
    private const ulong Device = 0x4000_0000;
    private const ushort BitmapOffset = 0x68;

    private readonly GuestRam _ram = new("ram", 1 << 21);
    private readonly KvmAccelerator _accelerator;
    private readonly IVcpu _vcpu;
    private readonly Counter _counter = new();

    /// <summary>Creates the machine; <paramref name="kind"/> is pio0, pio3, mmio0, mmio3 or spin.</summary>
    public KvmGuest(string kind)
    {
        var machineLock = new MachineLock();
        MemoryRegion memory = MemoryRegion.Container("memory", 1UL << 40);
        memory.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        memory.Add(Device, MemoryRegion.OfIo("device", 0x1000, _counter, IoAccess.UpToDword));
        MemoryRegion ports = MemoryRegion.Container("ports", 0x10000);
        ports.Add(0x80, MemoryRegion.OfIo("port", 1, _counter, IoAccess.Bytes));
        var environment = new KvmEnvironment(
            new AddressSpace("memory", memory, machineLock), new AddressSpace("ports", ports, machineLock), new HostClock(DateTimeOffset.UnixEpoch),
            CpuModel.Parse("max"), machineLock, KernelIrqChipMode.Split);
        _accelerator = new KvmAccelerator(environment);
        _vcpu = _accelerator.CreateVcpu(0, apic: null);
        Load(kind);
        _vcpu.SetState(State(level: kind.EndsWith('0') ? 0 : 3));
    }

    /// <summary>Time from a kick to the end of Run, in microseconds: the guest spins at privilege level 3.</summary>
    public static double MeasureKick()
    {
        const int Kicks = 200;
        using var guest = new KvmGuest("spin");
        using var running = new SemaphoreSlim(0);
        long left = 0;
        var thread = new Thread(() =>
        {
            for (int i = 0; i < Kicks; i++)
            {
                running.Release();
                _ = guest._vcpu.Run();
                Volatile.Write(ref left, Stopwatch.GetTimestamp());
            }
        });
        thread.Start();
        double total = 0;
        for (int i = 0; i < Kicks; i++)
        {
            running.Wait();
            Thread.Sleep(1);
            long start = Stopwatch.GetTimestamp();
            Volatile.Write(ref left, 0);
            guest._vcpu.Kick();
            SpinWait.SpinUntil(() => Volatile.Read(ref left) != 0);
            total += Stopwatch.GetElapsedTime(start, Volatile.Read(ref left)).TotalMicroseconds;
        }

        thread.Join();
        return total / Kicks;
    }

    /// <summary>Time from nothing to the guest's first exit, in milliseconds.</summary>
    public static double MeasureCreation()
    {
        long start = Stopwatch.GetTimestamp();
        using var guest = new KvmGuest("pio3");
        guest.RunExits(1);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Nanoseconds an exit, after a tenth as many to warm up.</summary>
    public double MeasureExits(int count)
    {
        RunExits(count / 10);
        long start = Stopwatch.GetTimestamp();
        RunExits(count);
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / count;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _vcpu.Dispose();
        _accelerator.Dispose();
        _ram.Dispose();
    }

    private void RunExits(int count)
    {
        _counter.Expect(count, _vcpu.Kick);
        VcpuExit exit = _vcpu.Run();
        if (exit.Reason != VcpuExitReason.Kicked)
        {
            throw new InvalidOperationException($"the guest ended with {exit.Reason}: {exit.Detail}");
        }
    }

    private void Load(string kind)
    {
        // One page table each level; 2 MiB of RAM, and the device behind it, open to user mode.
        _ram.WriteValue(PageMap, (PageMap + 0x1000) | 7, 8);
        _ram.WriteValue(PageMap + 0x1000, (PageMap + 0x2000) | 7, 8);
        _ram.WriteValue(PageMap + 0x2000, 0x87, 8);
        _ram.WriteValue(PageMap + 0x2008, Device | 0x87, 8);
        _ram.WriteValue(Tss + 0x66, BitmapOffset, 2);
        _ram.WriteValue(Tss + BitmapOffset + 0x2000, 0xff, 1);
        _ram.Write(Code, kind[0] switch
        {
            'm' => [0x89, 0x03, 0xEB, 0xFC], // mov [rbx], eax; jmp back
            'p' => [0xE6, 0x80, 0xEB, 0xFC], // out 80h, al; jmp back
            _ => [0xEB, 0xFE], // jmp here
        });
    }

    private static X86State State(int level)
    {
        uint rights = 0x93 | ((uint)level << 5);
        var data = new SegmentState((ushort)(0x18 | level), 0, uint.MaxValue, rights | 0xC000);
        var state = new X86State
        {
            Rip = Code,
            Rflags = 2,
            Segments = [data, new SegmentState((ushort)(0x10 | level), 0, uint.MaxValue, rights | 0xA008), data, data, data, data],
            Ldtr = new SegmentState(0, 0, 0xffff, 0x82),
            Tr = new SegmentState(0x28, Tss, BitmapOffset + 0x2000, 0x8b),
            Cr0 = 0x8005_0033,
            Cr3 = PageMap,
            Cr4 = 0x620,
            Xcr0 = 1,
            Dr = [0, 0, 0, 0, 0xffff_0ff0, 0x400],
        };
        state.Msrs[0xc000_0080] = 0xd01;
        state.Gpr[3] = DeviceLinear;
        state.Gpr[4] = 0x10_0000;

        // FCW and MXCSR as after reset.
        (state.Xsave[0], state.Xsave[1], state.Xsave[24], state.Xsave[25]) = (0x7f, 0x03, 0x80, 0x1f);
        return state;
    }

    private sealed class Counter : IIoHandler
    {
        private int _left;
        private Action? _done;

        public void Expect(int count, Action done) => (_left, _done) = (count, done);

        public ulong Read(ulong offset, int size) => 0;

        public void Write(ulong offset, ulong value, int size)
        {
            if (--_left == 0)
            {
                _done?.Invoke();
            }
        }
    }
}
