using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Segment registers and descriptors (SDM vol. 3, ch. 3 and 5).</summary>
public sealed unsafe partial class X86Cpu
{
    /// <summary>Flag in the immediate of the LoadSegment helper: a load of SS that does not inhibit interrupts (LSS).</summary>
    public const ulong NoShadow = 0x80;

    private const uint RealDataAttributes = SegmentAttributes.Present | SegmentAttributes.NotSystem | SegmentAttributes.ReadWrite | SegmentAttributes.Accessed;
    private const uint RealCodeAttributes = RealDataAttributes | SegmentAttributes.Code;
    private const uint Vm86Attributes = RealDataAttributes | (3 << SegmentAttributes.DplShift);

    /// <summary>Loads a segment register other than CS from a selector, as MOV, POP and LDS do.</summary>
    internal void LoadSegment(int segment, ushort selector, bool shadow)
    {
        if (segment is X86Segment.Cs or > X86Segment.Gs)
        {
            RaiseInvalidOpcode();
        }

        SegmentState loaded = HasRealSegments ? RealSegment(segment, selector)
            : segment == X86Segment.Ss ? ResolveStack(selector, State->Cpl, X86Vector.GeneralProtection, 0)
            : ResolveData(selector);
        SetSegment(segment, loaded);
        if (segment == X86Segment.Ss && shadow)
        {
            State->InterruptShadow = 1;
        }

        if (!Is64Bit)
        {
            UpdateMode();
        }
    }

    /// <summary>Replaces all parts of a segment register; the caller updates the mode.</summary>
    internal void SetSegment(int segment, in SegmentState value)
    {
        ref SegmentCache cache = ref State->Segment[segment];
        cache.Selector = value.Selector;
        cache.Limit = value.Limit;
        cache.Attributes = value.Attributes;
        switch (segment)
        {
            case X86Segment.Ldtr: State->LdtrBase = value.Base; break;
            case X86Segment.Tr: State->TrBase = value.Base; break;
            default: State->SegmentBase[segment] = value.Base; break;
        }
    }

    /// <summary>All parts of a segment register.</summary>
    internal SegmentState GetSegment(int segment)
    {
        ref SegmentCache cache = ref State->Segment[segment];
        ulong start = segment switch
        {
            X86Segment.Ldtr => State->LdtrBase,
            X86Segment.Tr => State->TrBase,
            _ => State->SegmentBase[segment],
        };
        return new SegmentState(cache.Selector, start, cache.Limit, cache.Attributes);
    }

    /// <summary>What a selector means in real and virtual-8086 mode. Real mode keeps limit and size, which is what makes unreal mode.</summary>
    internal SegmentState RealSegment(int segment, ushort selector)
    {
        ulong start = (ulong)selector << 4;
        if (IsVm86)
        {
            return new SegmentState(selector, start, 0xffff, Vm86Attributes);
        }

        ref SegmentCache old = ref State->Segment[segment];
        uint kind = segment == X86Segment.Cs ? RealCodeAttributes : RealDataAttributes;
        return (old.Attributes & SegmentAttributes.Unusable) != 0
            ? new SegmentState(selector, start, 0xffff, kind)
            : new SegmentState(selector, start, old.Limit, kind | (old.Attributes & (SegmentAttributes.Big | SegmentAttributes.Granularity)));
    }

    /// <summary>A data segment register after loading a null selector. The base is cleared, as on Intel.</summary>
    internal static SegmentState NullSegment(ushort selector, uint dpl = 0) =>
        new(selector, 0, 0, SegmentAttributes.Unusable | (dpl << SegmentAttributes.DplShift));

    /// <summary>
    /// Linear address of an access of <paramref name="size"/> bytes, after the limit and type checks of SDM vol. 3, 5.3–5.5.
    /// Violations are #SS(0) through SS, else #GP(0).
    /// </summary>
    internal ulong SegmentTranslate(int segment, ulong offset, uint size, bool write)
    {
        if (!AllowsSegmentAccess(segment, offset, size, write))
        {
            Raise(segment == X86Segment.Ss ? X86Vector.StackFault : X86Vector.GeneralProtection);
        }

        ulong start = State->SegmentBase[segment];
        return Is64Bit ? segment >= X86Segment.Fs ? start + offset : offset : (uint)(start + offset);
    }

    /// <summary>The checks of <see cref="SegmentTranslate"/>: true when it would not fault.</summary>
    internal bool AllowsSegmentAccess(int segment, ulong offset, uint size, bool write)
    {
        if (Is64Bit)
        {
            ulong linear = segment >= X86Segment.Fs ? State->SegmentBase[segment] + offset : offset;
            return IsCanonical(linear) && IsCanonical(linear + size - 1);
        }

        ref SegmentCache cache = ref State->Segment[segment];
        return IsInsideLimit(cache.Limit, cache.Attributes, (uint)offset, size)
            && (cache.Attributes & (SegmentAttributes.Unusable | SegmentAttributes.Present)) == SegmentAttributes.Present
            && (HasRealSegments || AllowsAccess(cache.Attributes, write));
    }

    /// <summary>Checks that <paramref name="length"/> bytes of code at <paramref name="rip"/> lie inside the CS limit: else #GP(0).</summary>
    public void CheckCodeLimit(ulong rip, int length)
    {
        if (!IsInsideCodeLimit(rip, length))
        {
            RaiseGeneralProtection();
        }
    }

    /// <summary>True when <paramref name="length"/> bytes of code at <paramref name="rip"/> lie inside the CS limit.</summary>
    public bool IsInsideCodeLimit(ulong rip, int length) =>
        Is64Bit || (rip <= uint.MaxValue && rip + (uint)length - 1 <= State->Segment[X86Segment.Cs].Limit);

    /// <summary>The limit check of SDM vol. 3, 5.3, for expand-up and expand-down segments.</summary>
    internal static bool IsInsideLimit(uint limit, uint attributes, ulong offset, uint size)
    {
        ulong last = offset + size - 1;
        bool expandDown = (attributes & (SegmentAttributes.Code | SegmentAttributes.ExpandDownOrConforming)) == SegmentAttributes.ExpandDownOrConforming;
        ulong top = (attributes & SegmentAttributes.Big) != 0 ? 0xffff_ffffu : 0xffffu;
        return expandDown ? offset > limit && last <= top : last <= limit;
    }

    private static bool AllowsAccess(uint attributes, bool write)
    {
        bool code = (attributes & SegmentAttributes.Code) != 0;
        bool readWrite = (attributes & SegmentAttributes.ReadWrite) != 0;
        return write ? !code && readWrite : !code || readWrite;
    }

    /// <summary>Finds the linear address of a descriptor; false when the selector points outside its table.</summary>
    private bool TryFindDescriptor(ushort selector, uint size, out ulong address)
    {
        bool local = (selector & 4) != 0;
        ref SegmentCache ldt = ref State->Segment[X86Segment.Ldtr];
        uint limit = !local ? State->GdtrLimit : (ldt.Attributes & SegmentAttributes.Unusable) != 0 ? 0 : ldt.Limit;
        uint index = selector & ~7u;
        address = (local ? State->LdtrBase : State->GdtrBase) + index;
        if (!IsLongMode)
        {
            address = (uint)address;
        }

        return index + size - 1 <= limit && (limit != 0 || !local);
    }

    /// <summary>Reads a descriptor; false when the selector is null or points outside its table. Page faults unwind.</summary>
    internal bool TryReadDescriptor(ushort selector, out Descriptor descriptor)
    {
        descriptor = default;
        if ((selector & ~3) == 0 || !TryFindDescriptor(selector, 8, out ulong address))
        {
            return false;
        }

        descriptor = new Descriptor(ReadLinear(address, 8, MmuMode.Supervisor), 0, address);
        return true;
    }

    /// <summary>Completes the 16-byte form of a long-mode system descriptor; false when it reaches outside the table or its reserved type is not zero.</summary>
    internal bool TryReadUpperHalf(ushort selector, ref Descriptor descriptor)
    {
        if (!TryFindDescriptor(selector, 16, out ulong address))
        {
            return false;
        }

        descriptor = descriptor with { High = ReadLinear(address + 8, 8, MmuMode.Supervisor) };
        return (descriptor.High & 0x1f00_0000_0000) == 0;
    }

    /// <summary>Reads a descriptor or raises <paramref name="vector"/> with the selector as error code.</summary>
    internal Descriptor ReadDescriptor(ushort selector, X86Vector vector, uint external)
    {
        if (!TryReadDescriptor(selector, out Descriptor descriptor))
        {
            Raise(vector, SelectorError(selector, external));
        }

        return descriptor;
    }

    /// <summary>The error code that names a selector (SDM vol. 3, 6.13); <paramref name="external"/> is the EXT bit.</summary>
    internal static uint SelectorError(ushort selector, uint external = 0) => (selector & 0xfffcu) | external;

    /// <summary>Sets the accessed bit in memory, atomically where it is RAM, and returns the descriptor with it.</summary>
    internal Descriptor MarkAccessed(Descriptor descriptor) =>
        (descriptor.Attributes & SegmentAttributes.Accessed) != 0 ? descriptor : SetTypeBits(descriptor, SegmentAttributes.Accessed, true);

    /// <summary>Sets or clears bits of a descriptor's type byte in memory.</summary>
    internal Descriptor SetTypeBits(Descriptor descriptor, uint bits, bool set)
    {
        ulong mask = (ulong)bits << 40;
        Descriptor changed = descriptor with { Low = set ? descriptor.Low | mask : descriptor.Low & ~mask };
        ulong linear = descriptor.Address + 5;
        if (!Mmu.TryGetHostPointer(linear, 1, MmuAccess.Write, MmuMode.Supervisor, out byte* host))
        {
            throw GuestFaultException.Instance;
        }

        if (host == null)
        {
            WriteLinear(linear, changed.Low >> 40, 1, MmuMode.Supervisor);
        }
        else
        {
            byte before;
            do
            {
                before = Volatile.Read(ref *host);
            }
            while (Interlocked.CompareExchange(ref *host, (byte)(set ? before | bits : before & ~bits), before) != before);
        }

        return changed;
    }

    /// <summary>Checks a selector for DS, ES, FS or GS (SDM vol. 2, MOV) and returns what to load.</summary>
    internal SegmentState ResolveData(ushort selector)
    {
        if ((selector & ~3) == 0)
        {
            return NullSegment(selector);
        }

        Descriptor descriptor = ReadDescriptor(selector, X86Vector.GeneralProtection, 0);
        uint rpl = selector & 3u;
        bool checkPrivilege = !descriptor.IsCode || !descriptor.IsConforming;
        if (!(descriptor.IsData || descriptor.IsReadableCode)
            || (checkPrivilege && (rpl > descriptor.Dpl || State->Cpl > descriptor.Dpl)))
        {
            RaiseGeneralProtection(SelectorError(selector));
        }

        if (!descriptor.IsPresent)
        {
            Raise(X86Vector.SegmentNotPresent, SelectorError(selector));
        }

        return MarkAccessed(descriptor).ToSegment(selector);
    }

    /// <summary>
    /// Checks a selector for SS at privilege <paramref name="cpl"/> and returns what to load. Violations raise
    /// <paramref name="vector"/> (#GP for loads and returns, #TS for stack switches), a segment not present #SS.
    /// </summary>
    internal SegmentState ResolveStack(ushort selector, uint cpl, X86Vector vector, uint external, bool? target64 = null)
    {
        uint rpl = selector & 3u;
        if ((selector & ~3) == 0)
        {
            if (!(target64 ?? Is64Bit) || cpl == 3 || rpl != cpl)
            {
                Raise(vector, external);
            }

            return NullSegment(selector, cpl);
        }

        Descriptor descriptor = ReadDescriptor(selector, vector, external);
        if (rpl != cpl || descriptor.Dpl != cpl || !descriptor.IsWritableData)
        {
            Raise(vector, SelectorError(selector, external));
        }

        if (!descriptor.IsPresent)
        {
            Raise(X86Vector.StackFault, SelectorError(selector, external));
        }

        return MarkAccessed(descriptor).ToSegment(selector);
    }
}
