using System.Diagnostics;
using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>What other threads may ask of a vCPU; bits of one word, looked at before each entry into the guest.</summary>
[Flags]
internal enum KvmRequest
{
    None = 0,
    Kick = 1,
    Nmi = 2,
    Init = 4,
    Sipi = 8,
}

/// <summary>
/// A vCPU of KVM. <see cref="Run"/> alternates between looking at requests and interrupts, KVM_RUN, and one method per exit
/// reason.
/// </summary>
/// <remarks>
/// No kick is lost: who asks first leaves the request, then sets <c>immediate_exit</c>, then signals if the vCPU says it is
/// in the guest. The vCPU clears <c>immediate_exit</c>, then looks at the requests, then says it is in the guest. Whatever
/// the order, either it sees the request, or KVM sees <c>immediate_exit</c>, or the signal ends KVM_RUN.
/// </remarks>
internal sealed partial class KvmVcpu : IVcpu
{
    private readonly KvmContext _context;
    private readonly IKvmKernel _kernel;
    private readonly int _fd;
    private readonly nint _map;
    private readonly KvmRunArea _run;
    private readonly ILocalApic? _apic;
    private readonly IInterruptSource? _interrupts;
    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0);
    private readonly Lock _threadGate = new();
    private nint _thread;
    private int _requests;
    private int _inGuest;
    private byte _sipiVector;
    private bool _halted;
    private bool _waitForSipi;
    private VcpuExit? _deferredExit;
    private bool _disposed;

    /// <summary>Creates the vCPU. <paramref name="apic"/> is null when the local APIC is in the kernel; then <paramref name="interrupts"/> may still be an 8259.</summary>
    public KvmVcpu(int index, KvmContext context, ILocalApic? apic, IInterruptSource? interrupts)
    {
        Index = index;
        _context = context;
        _kernel = context.Vm.System.Kernel;
        _apic = apic;
        _interrupts = apic ?? interrupts;
        _waitForSipi = apic is not null && index != 0;
        int size = context.Vm.System.GetVcpuMapSize();
        _fd = context.Vm.CreateVcpu(index);
        _map = _kernel.Map(_fd, size);
        if (_map == 0)
        {
            _kernel.Close(_fd);
            throw new KvmException($"KVM does not share its memory of vCPU {index}: the host is out of memory");
        }

        unsafe
        {
            // SAFETY: the mapping is of this size and stays until Dispose.
            _run = new KvmRunArea((byte*)_map, size);
        }

        _msrs = new KvmMsrs(this, context);
        SetCpuid();
        apic?.Connect(this);
    }

    /// <inheritdoc/>
    public int Index { get; }

    /// <summary>True while the vCPU may be in the guest.</summary>
    internal bool IsInGuest => Volatile.Read(ref _inGuest) != 0;

    internal KvmRunArea Shared => _run;

    /// <inheritdoc/>
    public VcpuExit Run() => OnThread(RunLoop);

    /// <inheritdoc/>
    public VcpuExit Step() => OnThread(StepOnce);

    /// <inheritdoc/>
    public void Kick() => Post(KvmRequest.Kick);

    /// <inheritdoc/>
    public void NotifyInterrupt() => Post(KvmRequest.None);

    /// <inheritdoc/>
    public void RaiseNmi() => Post(KvmRequest.Nmi);

    /// <inheritdoc/>
    public void RaiseInit() => Post(KvmRequest.Init);

    /// <inheritdoc/>
    public void RaiseSipi(byte vector)
    {
        Volatile.Write(ref _sipiVector, vector);
        Post(KvmRequest.Sipi);
    }

    /// <summary>Takes the vCPU out of the guest, or keeps it from entering once. Any thread.</summary>
    public void Interrupt()
    {
        _run.ImmediateExit = true;
        Interlocked.MemoryBarrier();
        if (IsInGuest)
        {
            lock (_threadGate)
            {
                if (_thread != 0 && IsInGuest)
                {
                    KickSignal.Send(_thread);
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _kernel.Unmap(_map, _run.Size);
            _kernel.Close(_fd);
            _wake.Dispose();
        }
    }

    /// <summary>An ioctl of the vCPU that must succeed.</summary>
    internal unsafe void Demand<T>(uint request, ref T argument, string name)
        where T : unmanaged
    {
        fixed (T* pointer = &argument)
        {
            int result = _kernel.Ioctl(_fd, request, (nint)pointer);
            if (result < 0)
            {
                throw KvmException.Failed($"{name} of vCPU {Index} failed", -result);
            }
        }
    }

    /// <summary>An ioctl of the vCPU; a negated errno on failure.</summary>
    internal int Ioctl(uint request, nint argument) => _kernel.Ioctl(_fd, request, argument);

    private void Post(KvmRequest request)
    {
        if (request != KvmRequest.None)
        {
            Interlocked.Or(ref _requests, (int)request);
        }

        Interrupt();
        _wake.Set();
    }

    // Kicks by signal reach the thread only while it runs the vCPU: later its handle may be that of another thread.
    private VcpuExit OnThread(Func<VcpuExit> run)
    {
        lock (_threadGate)
        {
            _thread = KickSignal.CurrentThread;
        }

        StartTimes();
        try
        {
            return run();
        }
        catch (KvmException exception)
        {
            return new VcpuExit(VcpuExitReason.InternalError, exception.Message);
        }
        finally
        {
            StopTimes();
            lock (_threadGate)
            {
                _thread = 0;
            }
        }
    }

    private VcpuExit RunLoop()
    {
        while (true)
        {
            if ((TakeRequests() ?? TakeDeferredExit()) is VcpuExit exit)
            {
                return exit;
            }

            if (IsWaiting())
            {
                Wait();
            }
            else
            {
                PrepareInterrupts();
                if (HandleRun(EnterGuest()) is VcpuExit left)
                {
                    return left;
                }
            }
        }
    }

    /// <summary>Handles what other threads asked for. Non-null ends <see cref="Run"/>.</summary>
    private VcpuExit? TakeRequests()
    {
        _run.ImmediateExit = false;
        var requests = (KvmRequest)Interlocked.Exchange(ref _requests, 0);
        if (requests == KvmRequest.None)
        {
            return null;
        }

        if ((requests & KvmRequest.Init) != 0)
        {
            TakeInit();
        }

        if ((requests & KvmRequest.Sipi) != 0 && _waitForSipi)
        {
            TakeSipi(Volatile.Read(ref _sipiVector));
        }

        if ((requests & KvmRequest.Nmi) != 0)
        {
            TakeNmi();
        }

        return (requests & KvmRequest.Kick) != 0 ? new VcpuExit(VcpuExitReason.Kicked) : null;
    }

    private VcpuExit? TakeDeferredExit()
    {
        VcpuExit? exit = _deferredExit;
        _deferredExit = null;
        return exit;
    }

    // With the local APIC in the kernel, KVM waits itself.
    private bool IsWaiting()
    {
        if (_waitForSipi)
        {
            return true;
        }

        if (!_halted)
        {
            return false;
        }

        if (_run.InterruptFlag && _interrupts!.HasPendingInterrupt)
        {
            _halted = false;
            return false;
        }

        _statistics.Halts++;
        return true;
    }

    private void Wait()
    {
        long start = Stopwatch.GetTimestamp();
        _wake.Wait();
        _wake.Reset();
        _outsideTicks += Stopwatch.GetTimestamp() - start;
    }

    private int EnterGuest()
    {
        while (true)
        {
            // A full fence between saying so and looking at the gate.
            Interlocked.Exchange(ref _inGuest, 1);
            if (!_context.Gate.IsClosed)
            {
                break;
            }

            Volatile.Write(ref _inGuest, 0);
            _context.Gate.WaitUntilOpen();
        }

        long start = Stopwatch.GetTimestamp();
        int result = _kernel.Ioctl(_fd, KvmIoctl.Run, 0);
        _outsideTicks += Stopwatch.GetTimestamp() - start;
        Volatile.Write(ref _inGuest, 0);
        return result;
    }
}
