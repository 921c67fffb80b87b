using System.Diagnostics;
using System.Runtime.InteropServices;
using Emu.Accel.Kvm.Native;

namespace Emu.Accel.Kvm;

/// <summary>
/// What the host's KVM turned out to be when a tiny machine was tried on it. Some KVMs have no hardware to stand on and run
/// privileged code in KVM's instruction emulator, which knows few instructions: they offer the same interface and
/// cannot boot a system.
/// </summary>
/// <param name="Problem">Why KVM cannot be used at all, in one line, or null.</param>
/// <param name="RunsPrivilegedCode">True when the processor itself runs code at privilege level 0.</param>
/// <param name="Observation">What was seen.</param>
/// <param name="Duration">Time it took.</param>
public sealed record KvmProbe(string? Problem, bool RunsPrivilegedCode, string Observation, TimeSpan Duration)
{
    /// <summary>The one line about a KVM that does not run privileged code itself.</summary>
    public const string EmulatesPrivilegedCode =
        "this host's KVM has no hardware virtualisation and cannot run a system: it only emulates privileged code, and not all of it";

    // popcnt eax, ecx; hlt. The emulator of KVM has no POPCNT; every processor with virtualisation does.
    private static readonly byte[] Code = [0xF3, 0x0F, 0xB8, 0xC1, 0xF4];
    private static readonly Lazy<KvmProbe> OfThisHost = new(() => Run(HostKernel.Instance));

    /// <summary>The probe of this host, done once in the process; without <c>/dev/kvm</c> nothing is tried.</summary>
    public static KvmProbe Host => OfThisHost.Value;

    /// <summary>Tries a machine of one page in 32-bit protected mode.</summary>
    internal static KvmProbe Run(IKvmKernel kernel, string device = KvmSystem.DefaultDevice)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            using KvmSystem system = KvmSystem.Open(kernel, device);
            using KvmVm vm = system.CreateVm();
            (bool privileged, string observation) = Try(system, vm);
            return new KvmProbe(null, privileged, observation, Stopwatch.GetElapsedTime(start));
        }
        catch (KvmException exception)
        {
            return new KvmProbe(exception.Message, false, exception.Message, Stopwatch.GetElapsedTime(start));
        }
    }

    private static unsafe (bool Privileged, string Observation) Try(KvmSystem system, KvmVm vm)
    {
        const int PageSize = 4096;
        const ulong Address = 0x1000;
        IKvmKernel kernel = system.Kernel;
        vm.ReservePages();
        int size = system.GetVcpuMapSize();
        byte* page = (byte*)NativeMemory.AlignedAlloc(PageSize, PageSize);
        int fd = -1;
        nint map = 0;
        try
        {
            // SAFETY: the page and the mapping stay until the vCPU, their only user, is closed below.
            new Span<byte>(page, PageSize).Fill(Code[^1]);
            Code.CopyTo(new Span<byte>(page, PageSize));
            var memory = new KvmMemoryRegion { GuestAddress = Address, Size = PageSize, HostAddress = (ulong)page };
            int errno = vm.SetMemory(memory);
            if (errno != 0)
            {
                throw KvmException.Failed("KVM takes no memory slot", errno);
            }

            fd = vm.CreateVcpu(0);
            map = kernel.Map(fd, size);
            return map != 0 ? Observe(kernel, fd, new KvmRunArea((byte*)map, size), Address) : throw new KvmException("KVM does not share a vCPU's memory");
        }
        finally
        {
            if (map != 0)
            {
                kernel.Unmap(map, size);
            }

            if (fd >= 0)
            {
                kernel.Close(fd);
            }

            NativeMemory.AlignedFree(page);
        }
    }

    private static (bool Privileged, string Observation) Observe(IKvmKernel kernel, int fd, KvmRunArea run, ulong address)
    {
        const ulong Operand = 0x7F;
        run.ValidRegs = KvmRunArea.SyncAll;
        run.ImmediateExit = true;
        _ = kernel.Ioctl(fd, KvmIoctl.Run, 0);
        var flat = new KvmSegment { Limit = uint.MaxValue, Selector = 8, Type = 3, Present = 1, Db = 1, S = 1, G = 1 };
        ref KvmSregs sregs = ref run.Sregs;
        sregs.Cs = flat with { Type = 11 };
        sregs.Ds = sregs.Es = sregs.Fs = sregs.Gs = sregs.Ss = flat with { Selector = 16 };
        sregs.Cr0 |= 1;
        run.Regs = new KvmRegs { Rip = address, Rcx = Operand, Rflags = 2 };
        run.DirtyRegs = KvmRunArea.SyncAll & ~4UL;
        run.ImmediateExit = false;
        int result;
        do
        {
            result = kernel.Ioctl(fd, KvmIoctl.Run, 0);
        }
        while (result == -Errno.Interrupted);
        if (result < 0)
        {
            throw KvmException.Failed("KVM does not run a machine of one page", -result);
        }

        return run.ExitReason switch
        {
            KvmExitReason.Hlt when run.Regs.Rax == (ulong)System.Numerics.BitOperations.PopCount(Operand) =>
                (true, "POPCNT at privilege level 0 ran on the processor"),
            KvmExitReason.InternalError => (false, $"POPCNT at privilege level 0 ended in internal error {run.Code} of KVM: it is emulated"),
            KvmExitReason reason => (false, $"POPCNT at privilege level 0 ended in exit {reason}"),
        };
    }
}
