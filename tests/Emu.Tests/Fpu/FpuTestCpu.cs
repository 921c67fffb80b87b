using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;

namespace Emu.Tests.Fpu;

/// <summary>A CPU state block with just enough of an owner for helpers to raise exceptions.</summary>
internal sealed unsafe class FpuTestCpu : IDisposable
{
    private GCHandle _owner;

    public FpuTestCpu()
    {
        State = (X86CpuState*)NativeMemory.AlignedAlloc(X86CpuState.Size, 64);
        NativeMemory.Clear(State, X86CpuState.Size);
        // The constructor needs a machine; a helper needs only the place where a fault is recorded.
        Owner = (X86Cpu)RuntimeHelpers.GetUninitializedObject(typeof(X86Cpu));
        _owner = GCHandle.Alloc(Owner);
        State->Header.Owner = GCHandle.ToIntPtr(_owner);
        State->Mxcsr = 0x1f80;
        State->X87Control = 0x37f;
        State->X87Empty = 0xff;
        State->Cr0 = ControlBits.Cr0Pe | ControlBits.Cr0Ne | ControlBits.Cr0Mp;
        State->Cr4 = ControlBits.Cr4Osfxsr | ControlBits.Cr4Osxmmexcpt;
    }

    public X86Cpu Owner { get; }

    public X86CpuState* State { get; }

    public CpuHeader* Header => &State->Header;

    public byte* Vector(int number) => State->Vector + (number * X86CpuState.VectorStride);

    public byte* Mmx(int number) => State->X87 + (number * 16);

    /// <summary>Runs an action; returns the vector of the fault it raised, or null.</summary>
    public X86Vector? Faults(Action action)
    {
        try
        {
            action();
            return null;
        }
        catch (GuestFaultException)
        {
            return Owner.PendingFault.Vector;
        }
    }

    public void Dispose()
    {
        _owner.Free();
        NativeMemory.AlignedFree(State);
    }
}
