using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Core;
using Emu.Core.Memory;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;
using Emu.Frontend.X86;

namespace Emu.Tests.Fpu;

/// <summary>
/// A CPU state block with just enough of an owner for helpers to raise exceptions and to access memory: linear addresses are
/// physical ones, and those outside RAM fault.
/// </summary>
internal sealed unsafe class FpuTestCpu : IPageWalker, IDisposable
{
    public const ulong MemorySize = 0x4000;

    private readonly GuestRam _ram = new("ram", MemorySize);
    private readonly SoftMmu _mmu;
    private GCHandle _owner;

    public FpuTestCpu()
    {
        State = (X86CpuState*)NativeMemory.AlignedAlloc(X86CpuState.Size, 64);
        NativeMemory.Clear(State, X86CpuState.Size);
        // The constructor needs a machine; a helper needs only the place where a fault is recorded.
        Owner = (X86Cpu)RuntimeHelpers.GetUninitializedObject(typeof(X86Cpu));
        _owner = GCHandle.Alloc(Owner);
        State->Header.Owner = GCHandle.ToIntPtr(_owner);
        MemoryRegion root = MemoryRegion.Container("root", 0x10000);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, MemorySize));
        _mmu = new SoftMmu(&State->Header, this, new AddressSpace("memory", root, new MachineLock()));
        SetField("<Mmu>k__BackingField", _mmu);
        SetField("<State>k__BackingField", Pointer.Box(State, typeof(X86CpuState*)));
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

    public Span<byte> Memory(ulong address, int length) => _ram.Slice(address, length);

    public bool TryTranslate(ulong linear, MmuAccess access, MmuMode mode, out PageTranslation translation)
    {
        translation = new PageTranslation(linear & ~0xfffUL, TlbPageFlags.Read | TlbPageFlags.Write);
        Owner.PendingFault = new X86Fault(X86Vector.PageFault, 0);
        return linear < MemorySize;
    }

    public void Dispose()
    {
        _mmu.Dispose();
        _ram.Dispose();
        _owner.Free();
        NativeMemory.AlignedFree(State);
    }

    private void SetField(string name, object value) => typeof(X86Cpu).GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.SetValue(Owner, value);
}
