using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Accel.Kvm;
using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>
/// The host's processor through KVM: a batch of cases runs at privilege level 3 in one KVM_RUN. An exception goes through the guest's IDT to
/// a HLT; the exit is answered by sending the vCPU back to the driver, with what the processor pushed in the driver's cells.
/// </summary>
/// <remarks>Where KVM has no hardware underneath, user code runs on the processor all the same; <see cref="KnownDeviations"/> has what differs.</remarks>
internal sealed unsafe class KvmEngine : IDiffEngine
{
    private readonly KvmSystem _system;
    private readonly KvmVm _vm;
    private readonly GuestRam _ram = new("cases", CaseLayout.Size);
    private readonly byte* _memory;
    private readonly DriverCode _driver;
    private readonly KvmRunArea _run;
    private readonly int _fd;
    private readonly nint _map;
    private readonly EngineWatchdog _watchdog;
    private readonly KvmSregs _userSregs;
    private nint _thread;

    /// <summary>Opens <c>/dev/kvm</c> and makes a machine with one vCPU.</summary>
    /// <exception cref="KvmException">KVM cannot be used here, in one line.</exception>
    public KvmEngine(int bitness)
    {
        _system = KvmSystem.Open(HostKernel.Instance);
        _vm = _system.CreateVm();
        _vm.ReservePages();
        _memory = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_ram.Slice(0, CaseLayout.Size)));
        _driver = DriverCode.Create(bitness, native: false, SetsControl);
        BatchMemory.Initialize(new Span<byte>(_memory, CaseLayout.Size), _driver, ExceptionStubs.Halt);
        int errno = _vm.SetMemory(new KvmMemoryRegion { Size = CaseLayout.Size, HostAddress = (ulong)_memory });
        if (errno != 0)
        {
            throw KvmException.Failed("KVM takes no memory slot", errno);
        }

        _fd = _vm.CreateVcpu(0);
        int size = _system.GetVcpuMapSize();
        _map = _system.Kernel.Map(_fd, size);
        _run = _map != 0 ? new KvmRunArea((byte*)_map, size) : throw new KvmException("KVM does not share a vCPU's memory");
        SetCpuid();
        _run.ValidRegs = KvmRunArea.SyncAll;
        _run.ImmediateExit = true;
        _ = _system.Kernel.Ioctl(_fd, KvmIoctl.Run, 0);
        X86State start = BatchMemory.StartState(_driver);
        SetExtendedControl(start.Xcr0);
        _userSregs = KvmStateCodec.EncodeSregs(start, _run.Sregs.ApicBase);
        KickSignal.Install();
        _watchdog = new EngineWatchdog(Kick);
    }

    /// <inheritdoc/>
    public string Name => "kvm";

    /// <inheritdoc/>
    public string Description => KvmProbe.Host.RunsPrivilegedCode ? "the host's processor through KVM" : "the host's processor through a KVM without hardware virtualisation";

    /// <inheritdoc/>
    public bool IsSilicon => true;

    /// <inheritdoc/>
    public bool SetsControl => KvmProbe.Host.RunsPrivilegedCode;

    /// <inheritdoc/>
    public void Run(CaseBatch batch)
    {
        batch.Code.CopyTo(new Span<byte>(_memory + CaseLayout.SlotsOffset, CaseLayout.SlotsBytes));
        batch.Inputs(batch.First, batch.Count).CopyTo(new Span<byte>(Result(batch.First), batch.Count * CaseRecord.Size));
        *(ulong*)(_memory + DriverCells.Record) = CaseLayout.Base + CaseLayout.RecordsOffset + (ulong)(batch.First * CaseRecord.Size);
        *(ulong*)(_memory + DriverCells.Count) = (ulong)batch.Count;
        Enter(DriverCode.Start, default);
        while (!RunOnce(batch.Count))
        {
        }
    }

    /// <inheritdoc/>
    public CaseRecord* Result(int slot) => (CaseRecord*)(_memory + CaseLayout.RecordsOffset) + slot;

    /// <inheritdoc/>
    public void Dispose()
    {
        _watchdog.Dispose();
        _system.Kernel.Unmap(_map, _run.Size);
        _system.Kernel.Close(_fd);
        _vm.Dispose();
        _system.Dispose();
        _ram.Dispose();
    }

    // True at the end of the batch.
    private bool RunOnce(int cases)
    {
        Volatile.Write(ref _thread, KickSignal.CurrentThread);
        _run.ImmediateExit = false;
        _watchdog.Begin(cases);
        int result = _system.Kernel.Ioctl(_fd, KvmIoctl.Run, 0);
        bool stuck = _watchdog.End();
        if (stuck)
        {
            return SkipCase(CaseState.Stuck);
        }

        if (result < 0)
        {
            return result == -Errno.Interrupted ? false : throw KvmException.Failed("KVM_RUN failed", -result);
        }

        if (_run.ExitReason == KvmExitReason.Io && _run.IoPort == DriverCode.ExitPort)
        {
            return true;
        }

        int vector = _run.ExitReason == KvmExitReason.Hlt ? BatchMemory.VectorAt(_run.Regs.Rip) : -1;
        return vector >= 0 ? NoteException(vector) : SkipCase(CaseState.EngineFailed);
    }

    // The frame on the stack of privilege level 0: error code where the vector has one, RIP, CS, RFLAGS, RSP, SS.
    private bool NoteException(int vector)
    {
        ulong frame = _run.Regs.Rsp - CaseLayout.Base;
        if (frame > CaseLayout.Size - 64)
        {
            return SkipCase(CaseState.EngineFailed);
        }

        ulong* words = (ulong*)(_memory + frame);
        bool hasError = BatchMemory.HasErrorCode(vector);
        *(ulong*)(_memory + DriverCells.Vector) = (ulong)vector;
        *(ulong*)(_memory + DriverCells.Error) = hasError ? *words++ : 0;
        *(ulong*)(_memory + DriverCells.Address) = _run.Sregs.Cr2;
        *(ulong*)(_memory + DriverCells.Rip) = words[0];
        *(ulong*)(_memory + DriverCells.Rflags) = words[2];
        *(ulong*)(_memory + DriverCells.Rsp) = words[3];
        Enter(_driver.FaultReturn, _run.Regs);
        return false;
    }

    private void Enter(ulong rip, in KvmRegs registers)
    {
        _run.Regs = registers with { Rip = rip, Rsp = CaseLayout.Base + DriverCells.Stack, Rflags = 0x202 };
        _run.Sregs = _userSregs;
        _run.DirtyRegs = 3;
    }

    private bool SkipCase(long outcome)
    {
        ulong* cells = (ulong*)(_memory + DriverCells.Record);
        int slot = (int)((cells[0] - CaseLayout.Base - CaseLayout.RecordsOffset) / CaseRecord.Size);
        if ((uint)slot < CaseLayout.BatchSize)
        {
            Result(slot)->State.Fault = outcome;
        }

        // Whatever the case did to the system tables must not last.
        BatchMemory.Initialize(new Span<byte>(_memory, CaseLayout.Size), _driver, ExceptionStubs.Halt);

        cells[0] += CaseRecord.Size;
        if (--cells[1] == 0)
        {
            return true;
        }

        Enter(_driver.Next, default);
        return false;
    }

    private void SetCpuid()
    {
        KvmCpuidEntry[] entries = _system.GetSupportedCpuid();
        byte[] buffer = new byte[8 + (entries.Length * sizeof(KvmCpuidEntry))];
        fixed (byte* start = buffer)
        {
            *(uint*)start = (uint)entries.Length;
            entries.CopyTo(new Span<KvmCpuidEntry>(start + 8, entries.Length));
            int result = _system.Kernel.Ioctl(_fd, KvmIoctl.SetCpuid2, (nint)start);
            if (result < 0)
            {
                throw KvmException.Failed("KVM refuses its own CPUID", -result);
            }
        }
    }

    private void SetExtendedControl(ulong components)
    {
        var xcrs = new KvmXcrs { Count = 1, Value = components };
        int result = _system.Kernel.Ioctl(_fd, KvmIoctl.SetXcrs, (nint)(&xcrs));
        if (result < 0)
        {
            throw KvmException.Failed("KVM takes no AVX state (KVM_SET_XCRS)", -result);
        }
    }

    private void Kick()
    {
        _run.ImmediateExit = true;
        KickSignal.Send(Volatile.Read(ref _thread));
    }
}
