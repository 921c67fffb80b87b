using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>What an x86 vCPU needs of the machine around it.</summary>
/// <param name="Index">Number of the vCPU; 0 is the boot processor.</param>
/// <param name="Memory">Guest-physical memory.</param>
/// <param name="Ports">Port space.</param>
/// <param name="Apic">The vCPU's local APIC.</param>
/// <param name="Clock">Virtual time; the TSC counts its nanoseconds.</param>
/// <param name="Model">CPUID and feature policy.</param>
public sealed record X86CpuEnvironment(int Index, AddressSpace Memory, AddressSpace Ports, ILocalApic Apic, IClock Clock, CpuModel Model)
{
    /// <summary>The machine has no other vCPU: whatever is done between two of its instructions is atomic.</summary>
    public bool IsUniprocessor { get; init; }
}

/// <summary>
/// One x86 CPU in software: architectural state in native memory (<see cref="X86CpuState"/>) and everything translated code
/// calls for. Split by topic: paging, segmentation, control transfers, interrupts, tasks, MSRs. Belongs to the vCPU's thread.
/// </summary>
public sealed unsafe partial class X86Cpu : IPageWalker, IDisposable
{
    private GCHandle _self;
    private GCHandle _mmu;
    private bool _disposed;

    /// <summary>Creates the CPU in its power-on state.</summary>
    public X86Cpu(X86CpuEnvironment environment)
    {
        Environment = environment;
        PhysicalMask = ((1UL << environment.Model.PhysicalAddressBits) - 1) & ~0xfffUL;
        _hasPse36 = environment.Model.Has(CpuFeature.Pse36);
        _hasGigabytePages = environment.Model.Has(CpuFeature.Pdpe1gb);
        State = (X86CpuState*)NativeMemory.AlignedAlloc(X86CpuState.Size, 64);
        NativeMemory.Clear(State, X86CpuState.Size);
        _self = GCHandle.Alloc(this);
        State->Header.Owner = GCHandle.ToIntPtr(_self);
        Mmu = new SoftMmu.SoftMmu(&State->Header, this, environment.Memory);
        _mmu = GCHandle.Alloc(Mmu);
        State->Header.Mmu = GCHandle.ToIntPtr(_mmu);
        Reset();
    }

    /// <summary>The machine around the CPU.</summary>
    public X86CpuEnvironment Environment { get; }

    /// <summary>The native state, valid until disposal.</summary>
    public X86CpuState* State { get; }

    /// <summary>Guest memory as this CPU sees it.</summary>
    public SoftMmu.SoftMmu Mmu { get; }

    /// <summary>The fault of the abandoned instruction, valid after a <see cref="GuestFaultException"/> or a failed access.</summary>
    public X86Fault PendingFault { get; internal set; }

    /// <summary>The managed CPU behind a native state pointer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static X86Cpu From(CpuHeader* header) => Unsafe.As<X86Cpu>(GCHandle.FromIntPtr(header->Owner).Target!);

    /// <inheritdoc cref="From(CpuHeader*)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static X86Cpu From(X86CpuState* state) => From(&state->Header);

    /// <summary>Abandons the current instruction with an exception.</summary>
    /// <exception cref="GuestFaultException">Always.</exception>
    [DoesNotReturn]
    public void Raise(X86Vector vector, uint errorCode = 0)
    {
        PendingFault = new X86Fault(vector, errorCode);
        throw GuestFaultException.Instance;
    }

    /// <summary>Abandons the current instruction with #GP.</summary>
    [DoesNotReturn]
    public void RaiseGeneralProtection(uint errorCode = 0) => Raise(X86Vector.GeneralProtection, errorCode);

    /// <summary>Abandons the current instruction with #UD.</summary>
    [DoesNotReturn]
    public void RaiseInvalidOpcode() => Raise(X86Vector.InvalidOpcode);

    /// <summary>Reads 1, 2, 4 or 8 bytes at a linear address with the current privilege; faults unwind.</summary>
    public ulong ReadLinear(ulong linear, int size) => ReadLinear(linear, size, Mmu.Mode);

    /// <summary>Reads 1, 2, 4 or 8 bytes at a linear address with the privilege of <paramref name="mode"/>; faults unwind.</summary>
    public ulong ReadLinear(ulong linear, int size, MmuMode mode)
    {
        if (!Mmu.TryRead(linear, size, mode, out ulong value))
        {
            throw GuestFaultException.Instance;
        }

        return value;
    }

    /// <summary>Writes 1, 2, 4 or 8 bytes at a linear address with the current privilege; faults unwind.</summary>
    public void WriteLinear(ulong linear, ulong value, int size) => WriteLinear(linear, value, size, Mmu.Mode);

    /// <summary>Writes 1, 2, 4 or 8 bytes at a linear address with the privilege of <paramref name="mode"/>; faults unwind.</summary>
    public void WriteLinear(ulong linear, ulong value, int size, MmuMode mode)
    {
        if (!Mmu.TryWrite(linear, value, size, mode))
        {
            throw GuestFaultException.Instance;
        }
    }

    /// <summary>Checks that <paramref name="size"/> bytes can be written without a fault, so that later writes of the instruction cannot fail.</summary>
    public void ProbeWrite(ulong linear, int size) => ProbeWrite(linear, size, Mmu.Mode);

    /// <inheritdoc cref="ProbeWrite(ulong, int)"/>
    public void ProbeWrite(ulong linear, int size, MmuMode mode)
    {
        if (!Mmu.TryProbe(linear, size, MmuAccess.Write, mode))
        {
            throw GuestFaultException.Instance;
        }
    }

    /// <summary>RFLAGS with the lazy flags evaluated.</summary>
    public ulong GetRflags() => State->SystemFlags | LazyFlags.Evaluate(&State->Header);

    /// <summary>
    /// Sets all of RFLAGS. The caller has applied privilege rules; this keeps the lazy flags, the string direction and the
    /// translation mode in step.
    /// </summary>
    public void SetRflags(ulong value)
    {
        LazyFlags.SetMaterialised(&State->Header, value & Rflags.Arithmetic);
        State->SystemFlags = (value & ~Rflags.Arithmetic & 0x3f_7fd5) | Rflags.Reserved1;
        State->StringStep = (value & Rflags.Df) != 0 ? -1 : 1;
        UpdateMode();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Mmu.Dispose();
            _self.Free();
            _mmu.Free();
            NativeMemory.AlignedFree(State);
        }
    }
}
