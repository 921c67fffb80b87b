using Emu.Core.Cpu;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>The instructions on selectors and descriptor-table registers (SDM vol. 2 under their names).</summary>
public sealed unsafe partial class X86Cpu
{
    /// <summary>LLDT.</summary>
    internal void Lldt(ushort selector)
    {
        CheckProtectedInstruction();
        CheckPrivileged();
        if ((selector & ~3) == 0)
        {
            SetSegment(X86Segment.Ldtr, NullSegment(selector));
            return;
        }

        Descriptor descriptor = ReadSystemDescriptor(selector);
        if (!descriptor.IsSystem || descriptor.Type != SystemType.Ldt)
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        CheckSystemPresent(descriptor, selector);
        SetSegment(X86Segment.Ldtr, ToSystemSegment(descriptor, selector));
    }

    /// <summary>LTR.</summary>
    internal void Ltr(ushort selector)
    {
        CheckProtectedInstruction();
        CheckPrivileged();
        if ((selector & ~3) == 0)
        {
            RaiseGeneralProtection();
        }

        Descriptor descriptor = ReadSystemDescriptor(selector);
        bool available = descriptor.Type == SystemType.Tss32 || (descriptor.Type == SystemType.Tss16 && !IsLongMode);
        if (!descriptor.IsSystem || !available)
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        CheckSystemPresent(descriptor, selector);
        SetSegment(X86Segment.Tr, ToSystemSegment(SetTypeBits(descriptor, SystemType.Busy, true), selector));
    }

    /// <summary>SLDT and STR.</summary>
    internal ulong StoreSystemSelector(int segment)
    {
        CheckProtectedInstruction();
        CheckUmip();
        return State->Segment[segment].Selector;
    }

    /// <summary>LAR: the access rights, or <paramref name="old"/> with ZF clear.</summary>
    internal ulong Lar(ushort selector, ulong old)
    {
        const uint Legacy = 1 << (int)SystemType.Tss16 | 1 << (int)SystemType.Ldt | 1 << (int)SystemType.BusyTss16 | 1 << (int)SystemType.CallGate16
            | 1 << (int)SystemType.TaskGate | 1 << (int)SystemType.Tss32 | 1 << (int)SystemType.BusyTss32 | 1 << (int)SystemType.CallGate32;
        const uint Long = 1 << (int)SystemType.Ldt | 1 << (int)SystemType.Tss32 | 1 << (int)SystemType.BusyTss32 | 1 << (int)SystemType.CallGate32;
        bool visible = TryInspect(selector, IsLongMode ? Long : Legacy, out Descriptor descriptor);
        SetZero(visible);
        return visible ? (descriptor.Low >> 32) & 0x00ff_ff00 : old;
    }

    /// <summary>LSL: the limit, or <paramref name="old"/> with ZF clear.</summary>
    internal ulong Lsl(ushort selector, ulong old)
    {
        const uint Legacy = 1 << (int)SystemType.Tss16 | 1 << (int)SystemType.Ldt | 1 << (int)SystemType.BusyTss16
            | 1 << (int)SystemType.Tss32 | 1 << (int)SystemType.BusyTss32;
        const uint Long = 1 << (int)SystemType.Ldt | 1 << (int)SystemType.Tss32 | 1 << (int)SystemType.BusyTss32;
        bool visible = TryInspect(selector, IsLongMode ? Long : Legacy, out Descriptor descriptor);
        SetZero(visible);
        return visible ? descriptor.Limit : old;
    }

    /// <summary>VERR and VERW.</summary>
    internal void Verify(ushort selector, bool write)
    {
        bool visible = TryInspect(selector, 0, out Descriptor descriptor);
        SetZero(visible && AllowsAccess(descriptor.Attributes, write));
    }

    /// <summary>ARPL: raises the destination's RPL to the source's.</summary>
    internal ulong Arpl(ushort destination, ushort source)
    {
        CheckProtectedInstruction();
        bool adjust = (destination & 3) < (source & 3);
        SetZero(adjust);
        return adjust ? (uint)(destination & ~3) | (source & 3u) : destination;
    }

    /// <summary>LGDT and LIDT.</summary>
    internal void LoadDescriptorTable(ulong linear, int size, bool idt)
    {
        CheckPrivileged();
        int baseSize = size == 8 ? 8 : 4;
        ushort limit = (ushort)ReadLinear(linear, 2);
        ulong start = ReadLinear(linear + 2, baseSize);
        if (size == 2)
        {
            start &= 0xff_ffff;
        }

        if (size == 8 && !IsCanonical(start))
        {
            RaiseGeneralProtection();
        }

        if (idt)
        {
            State->IdtrBase = start;
            State->IdtrLimit = limit;
        }
        else
        {
            State->GdtrBase = start;
            State->GdtrLimit = limit;
        }
    }

    /// <summary>SGDT and SIDT. A 16-bit operand size stores all four bytes of the base, as CPUs since the 386 do.</summary>
    internal void StoreDescriptorTable(ulong linear, int size, bool idt)
    {
        CheckUmip();
        int baseSize = size == 8 ? 8 : 4;
        ProbeWrite(linear, 2 + baseSize);
        WriteLinear(linear, idt ? State->IdtrLimit : State->GdtrLimit, 2);
        WriteLinear(linear + 2, idt ? State->IdtrBase : State->GdtrBase, baseSize);
    }

    /// <summary>#GP(0) unless CPL is 0.</summary>
    internal void CheckPrivileged()
    {
        if (State->Cpl != 0)
        {
            RaiseGeneralProtection();
        }
    }

    /// <summary>#UD in real and virtual-8086 mode.</summary>
    private void CheckProtectedInstruction()
    {
        if (HasRealSegments)
        {
            RaiseInvalidOpcode();
        }
    }

    /// <summary>#GP(0) when UMIP hides the instruction from user code.</summary>
    private void CheckUmip()
    {
        if (State->Cpl != 0 && (State->Cr4 & ControlBits.Cr4Umip) != 0)
        {
            RaiseGeneralProtection();
        }
    }

    /// <summary>Reads an LDT or TSS descriptor from the GDT, 16 bytes in long mode; violations are #GP(selector).</summary>
    private Descriptor ReadSystemDescriptor(ushort selector)
    {
        if ((selector & 4) != 0)
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        Descriptor descriptor = ReadDescriptor(selector, X86Vector.GeneralProtection, 0);
        if (IsLongMode && (!TryReadUpperHalf(selector, ref descriptor) || !IsCanonical(descriptor.Base64)))
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        return descriptor;
    }

    private void CheckSystemPresent(Descriptor descriptor, ushort selector)
    {
        if (!descriptor.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector));
        }
    }

    private SegmentState ToSystemSegment(Descriptor descriptor, ushort selector) =>
        new(selector, IsLongMode ? descriptor.Base64 : descriptor.Base32, descriptor.Limit, descriptor.Attributes);

    /// <summary>The common checks of LAR, LSL, VERR, VERW: visible at CPL and RPL, and of a type in <paramref name="systemTypes"/> if a system descriptor.</summary>
    private bool TryInspect(ushort selector, uint systemTypes, out Descriptor descriptor)
    {
        CheckProtectedInstruction();
        if (!TryReadDescriptor(selector, out descriptor))
        {
            return false;
        }

        if (descriptor.IsSystem)
        {
            if ((systemTypes >> (int)descriptor.Type & 1) == 0 || (IsLongMode && !TryReadUpperHalf(selector, ref descriptor)))
            {
                return false;
            }
        }
        else if (descriptor.IsCode && descriptor.IsConforming)
        {
            return true;
        }

        return State->Cpl <= descriptor.Dpl && (selector & 3) <= descriptor.Dpl;
    }

    private void SetZero(bool zero)
    {
        ulong flags = LazyFlags.Evaluate(&State->Header) & ~Rflags.Zf;
        LazyFlags.SetMaterialised(&State->Header, flags | (zero ? Rflags.Zf : 0));
    }
}
