using Emu.Core.Cpu;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Flags that depend on privilege, port I/O and its permissions (SDM vol. 1, ch. 19).</summary>
public sealed unsafe partial class X86Cpu
{
    private const uint IoMapPointerOffset = 0x66;
    private const int LahfMask = 0xd5;

    /// <summary>PUSHF: the image to push.</summary>
    internal ulong ReadFlagsImage(int size)
    {
        CheckVm86Iopl();
        return GetRflags() & ~(Rflags.Vm | Rflags.Rf) & SizeMask(size);
    }

    /// <summary>POPF (SDM vol. 2, table 4-16).</summary>
    internal void PopFlagsImage(ulong image, int size)
    {
        CheckVm86Iopl();
        ulong writable = FlagsAlways | (size > 2 ? Rflags.Ac | Rflags.Id | Rflags.Rf : 0);
        writable |= State->Cpl <= Iopl ? Rflags.If : 0;
        writable |= State->Cpl == 0 ? Rflags.Iopl : 0;
        MergeFlags(image & ~Rflags.Rf, writable);
    }

    /// <summary>CLI.</summary>
    internal void Cli()
    {
        CheckInterruptFlagAccess();
        State->SystemFlags &= ~Rflags.If;
    }

    /// <summary>STI. Interrupts stay off for one more instruction if they were off.</summary>
    internal void Sti()
    {
        CheckInterruptFlagAccess();
        if ((State->SystemFlags & Rflags.If) == 0)
        {
            State->InterruptShadow = 1;
        }

        State->SystemFlags |= Rflags.If;
    }

    /// <summary>STI in a block that ends behind the next instruction, where <see cref="CpuHeader.ExitRequest"/> is looked at.</summary>
    internal void StiInBlock()
    {
        CheckInterruptFlagAccess();
        State->SystemFlags |= Rflags.If;
        RequestDispatch();
    }

    /// <summary>
    /// Asks for the dispatcher at the end of this block when it has something to do before the next one: an event to deliver, or instructions to
    /// be executed one at a time. For what may change that and then goes on without it.
    /// </summary>
    internal void RequestDispatch()
    {
        X86CpuState* s = State;
        bool isSpecial = (s->SystemFlags & (Rflags.Tf | Rflags.Rf)) != 0 || s->InterruptShadow != 0 || s->Halted != 0
            || s->PendingDebugTraps != 0 || s->NmiPending != 0 || HasBreakpoints;
        if (isSpecial || ((s->SystemFlags & Rflags.If) != 0 && Environment.Apic.HasPendingInterrupt))
        {
            Volatile.Write(ref s->Header.ExitRequest, 1);
        }
    }

    /// <summary>STAC and CLAC.</summary>
    internal void SetAlignmentCheck(bool on)
    {
        if (!Environment.Model.Has(CpuFeature.Smap) || State->Cpl != 0)
        {
            RaiseInvalidOpcode();
        }

        State->SystemFlags = on ? State->SystemFlags | Rflags.Ac : State->SystemFlags & ~Rflags.Ac;
        UpdateMode();
    }

    /// <summary>STD and CLD.</summary>
    internal void SetDirection(bool down)
    {
        State->SystemFlags = down ? State->SystemFlags | Rflags.Df : State->SystemFlags & ~Rflags.Df;
        State->StringStep = down ? -1 : 1;
    }

    /// <summary>LAHF.</summary>
    internal ulong Lahf() => (LazyFlags.Evaluate(&State->Header) & LahfMask) | Rflags.Reserved1;

    /// <summary>SAHF.</summary>
    internal void Sahf(byte ah) =>
        LazyFlags.SetMaterialised(&State->Header, (LazyFlags.Evaluate(&State->Header) & Rflags.Of) | (ah & (ulong)LahfMask));

    /// <summary>IN.</summary>
    internal ulong In(ushort port, int size)
    {
        CheckIoPermission(port, size);
        return ReadPort(port, size);
    }

    /// <summary>OUT.</summary>
    internal void Out(ushort port, ulong value, int size)
    {
        CheckIoPermission(port, size);
        WritePort(port, value, size);
    }

    /// <summary>Port accesses so far.</summary>
    public ulong PortAccesses { get; private set; }

    /// <summary>Reads ports whose permission was checked.</summary>
    internal ulong ReadPort(ushort port, int size)
    {
        PortAccesses++;
        if (HasPortBreakpoints)
        {
            NotePortAccess(port, size);
        }

        return Environment.Ports.Read(port, size);
    }

    /// <summary>Writes ports whose permission was checked.</summary>
    internal void WritePort(ushort port, ulong value, int size)
    {
        PortAccesses++;
        if (HasPortBreakpoints)
        {
            NotePortAccess(port, size);
        }

        Environment.Ports.Write(port, value & SizeMask(size), size);
    }

    /// <summary>True when no port asks for permission or traps: then elements of INS and OUTS may move as a block.</summary>
    internal bool MayMovePortBlocks => !HasPortBreakpoints && HasAllPorts;

    /// <summary>
    /// Reads a port once for each element of <paramref name="size"/> bytes, while nobody asks for the CPU. Returns the elements read, at least one.
    /// Needs <see cref="MayMovePortBlocks"/>.
    /// </summary>
    internal int ReadPortBlock(ushort port, Span<byte> data, int size)
    {
        int elements = Environment.Ports.ReadRepeated(port, data, size, in State->Header.ExitRequest);
        PortAccesses += (ulong)elements;
        return elements;
    }

    /// <summary>Writes each element to a port, as <see cref="ReadPortBlock"/> reads.</summary>
    internal int WritePortBlock(ushort port, ReadOnlySpan<byte> data, int size)
    {
        int elements = Environment.Ports.WriteRepeated(port, data, size, in State->Header.ExitRequest);
        PortAccesses += (ulong)elements;
        return elements;
    }

    private bool HasAllPorts => !IsProtected || (!IsVm86 && State->Cpl <= Iopl);

    /// <summary>IOPL, or the I/O permission bitmap of a 32- or 64-bit TSS; #GP(0) when neither allows the ports.</summary>
    internal void CheckIoPermission(ushort port, int size)
    {
        if (HasAllPorts)
        {
            return;
        }

        ref SegmentCache tr = ref State->Segment[X86Segment.Tr];
        bool usable = (tr.Attributes & (SegmentAttributes.Unusable | SegmentAttributes.Present | 0xd)) == (SegmentAttributes.Present | SystemType.Tss32);
        if (!usable || tr.Limit < IoMapPointerOffset + 1)
        {
            RaiseGeneralProtection();
        }

        uint map = (uint)ReadSystem(State->TrBase + IoMapPointerOffset, 2);
        uint offset = map + (port / 8u);
        if (offset + 1 > tr.Limit)
        {
            RaiseGeneralProtection();
        }

        // Two bytes are always read, so that ports across a byte boundary are seen.
        ulong bits = ReadSystem(State->TrBase + offset, 2) >> (port & 7);
        if ((bits & ((1UL << size) - 1)) != 0)
        {
            RaiseGeneralProtection();
        }
    }

    private ulong ReadSystem(ulong linear, int size) => ReadLinear(IsLongMode ? linear : (uint)linear, size, MmuMode.Supervisor);

    private void CheckVm86Iopl()
    {
        if (IsVm86 && Iopl < 3)
        {
            RaiseGeneralProtection();
        }
    }

    private void CheckInterruptFlagAccess()
    {
        if (State->Cpl > Iopl)
        {
            RaiseGeneralProtection();
        }
    }
}
