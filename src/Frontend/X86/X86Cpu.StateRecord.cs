using System.Buffers.Binary;
using Emu.Core.Cpu;
using Emu.Frontend.X86.X87;

namespace Emu.Frontend.X86;

/// <summary>Conversion to and from the accelerator-neutral <see cref="X86State"/>.</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong RflagsDefined = 0x3f_7fd7;
    private const uint AttributesDefined = 0x1_f0ff;

    /// <summary>Copies the architectural state out.</summary>
    public X86State GetState()
    {
        X86CpuState* s = State;
        var state = new X86State
        {
            Rip = s->Header.Pc,
            Rflags = GetRflags(),
            Ldtr = GetSegment(X86Segment.Ldtr),
            Tr = GetSegment(X86Segment.Tr),
            Gdtr = new DescriptorTableState(s->GdtrBase, s->GdtrLimit),
            Idtr = new DescriptorTableState(s->IdtrBase, s->IdtrLimit),
            Cr0 = s->Cr0,
            Cr2 = s->Cr2,
            Cr3 = s->Cr3,
            Cr4 = s->Cr4,
            Cr8 = Environment.Apic.TaskPriorityClass,
            Xcr0 = s->Xcr0,
            Halted = s->Halted != 0,
            WaitForSipi = s->WaitForSipi != 0,
            InterruptShadow = s->InterruptShadow != 0,
            NmiPending = s->NmiPending != 0,
            NmiBlocked = s->NmiBlocked != 0,
            Apic = Environment.Apic.GetState(),
        };
        for (int i = 0; i < 16; i++)
        {
            state.Gpr[i] = s->Gpr[i];
        }

        for (int i = 0; i < 6; i++)
        {
            state.Segments[i] = GetSegment(i);
            state.Dr[i] = s->Dr[i < 4 ? i : i + 2];
        }

        foreach (uint index in StateMsrs())
        {
            if (TryReadMsr(index, out ulong value))
            {
                state.Msrs[index] = value;
            }
        }

        ReadXsaveImage(state.Xsave);
        return state;
    }

    /// <summary>Replaces the architectural state. Nothing changes when it is refused.</summary>
    /// <exception cref="ArgumentException">The state is not one that a CPU of this model can be in.</exception>
    public void SetState(X86State state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Validate(state);
        X86CpuState* s = State;
        for (int i = 0; i < 16; i++)
        {
            s->Gpr[i] = state.Gpr[i];
        }

        s->Header.Pc = state.Rip;
        s->Cr0 = state.Cr0 | ControlBits.Cr0Et;
        s->Cr2 = state.Cr2;
        s->Cr3 = state.Cr3;
        s->Cr4 = state.Cr4;
        s->Efer = state.Msrs.GetValueOrDefault(X86Msr.Efer);
        s->Xcr0 = state.Xcr0;
        s->GdtrBase = state.Gdtr.Base;
        s->GdtrLimit = state.Gdtr.Limit;
        s->IdtrBase = state.Idtr.Base;
        s->IdtrLimit = state.Idtr.Limit;
        for (int i = 0; i < 6; i++)
        {
            SetSegment(i, state.Segments[i]);
            s->Dr[i < 4 ? i : i + 2] = state.Dr[i];
        }

        SetSegment(X86Segment.Ldtr, state.Ldtr);
        SetSegment(X86Segment.Tr, state.Tr);
        s->Halted = state.Halted ? 1u : 0;
        s->WaitForSipi = state.WaitForSipi ? 1u : 0;
        s->InterruptShadow = state.InterruptShadow ? 1u : 0;
        s->NmiPending = state.NmiPending ? 1u : 0;
        s->NmiBlocked = state.NmiBlocked ? 1u : 0;
        s->PendingDebugTraps = 0;
        if (state.Apic is not null)
        {
            Environment.Apic.SetState(state.Apic);
        }

        if (Environment.Apic.TaskPriorityClass != state.Cr8)
        {
            Environment.Apic.TaskPriorityClass = (byte)state.Cr8;
        }

        LoadXsaveImage(state.Xsave);
        SetStateMsrs(state.Msrs);
        s->Cpl = PrivilegeOf(state);
        Span<ulong> pdptes = stackalloc ulong[4];
        _ = TryReadPdptes(s->Cr3, pdptes);
        pdptes.CopyTo(new Span<ulong>(s->Pdpte, 4));
        Mmu.Flush(includeGlobal: true);
        Mmu.SwitchAddressSpace(CurrentPcid, keep: true);
        UpdateBreakpoints();
        SetRflags(state.Rflags);
    }

    /// <summary>The MSRs of the state record: all with storage in the CPU itself. The FS and GS bases are in the segments.</summary>
    private static IEnumerable<uint> StateMsrs() =>
    [
        X86Msr.Tsc, X86Msr.TscAdjust, X86Msr.SysenterCs, X86Msr.SysenterEsp, X86Msr.SysenterEip, X86Msr.MiscEnable, X86Msr.Pat,
        X86Msr.Efer, X86Msr.Star, X86Msr.Lstar, X86Msr.Cstar, X86Msr.Fmask, X86Msr.KernelGsBase, X86Msr.TscAux,
        .. StoredMsrs.ByIndex.Values.Where(row => row.Writable != 0).Select(row => row.Index),
    ];

    private void SetStateMsrs(SortedDictionary<uint, ulong> msrs)
    {
        foreach ((uint index, ulong value) in msrs)
        {
            switch (index)
            {
                case X86Msr.Tsc: State->TscOffset += value - TimeStamp; break;
                case X86Msr.TscAdjust: State->TscAdjust = value; break;
                case X86Msr.Efer: break;
                default: _ = TryWriteMsr(index, value); break;
            }
        }
    }

    private static uint PrivilegeOf(X86State state) =>
        (state.Cr0 & ControlBits.Cr0Pe) == 0 ? 0
        : (state.Rflags & Rflags.Vm) != 0 ? 3
        : (state.Segments[X86Segment.Ss].Attributes >> SegmentAttributes.DplShift) & 3;

    private void Validate(X86State state)
    {
        Require(state.Gpr is { Length: 16 } && state.Segments is { Length: 6 } && state.Dr is { Length: 6 } && state.Msrs is not null, "register arrays");
        Require(state.Xsave is { Length: >= 576 } && (BinaryPrimitives.ReadUInt32LittleEndian(state.Xsave.AsSpan(24)) & ~0xffffu) == 0, "XSAVE image");
        ulong efer = state.Msrs!.GetValueOrDefault(X86Msr.Efer);
        bool longMode = (efer & ControlBits.EferLma) != 0;
        bool paging = (state.Cr0 & ControlBits.Cr0Pg) != 0;
        Require(IsValidCr0(state.Cr0) && (state.Cr0 & ~Cr0Defined) == 0, "CR0");
        Require((state.Cr4 & ~Cr4Defined) == 0 && ((state.Cr4 & ControlBits.Cr4Pcide) == 0 || longMode), "CR4");
        Require((efer & ~EferDefined) == 0 && longMode == (paging && (efer & ControlBits.EferLme) != 0)
            && (!longMode || (state.Cr4 & ControlBits.Cr4Pae) != 0), "EFER");
        Require(IsValidCr3(state.Cr3), "CR3");
        Require(state.Cr8 <= 15, "CR8");
        Require(IsValidXcr0(state.Xcr0), "XCR0");
        Require(state.Dr[4] >> 32 == 0 && state.Dr[5] >> 32 == 0, "DR6 or DR7");
        Require((state.Rflags & ~RflagsDefined) == 0, "RFLAGS");
        Require((state.Rflags & Rflags.Vm) == 0 || ((state.Cr0 & ControlBits.Cr0Pe) != 0 && !longMode), "RFLAGS.VM");
        Require(longMode ? IsCanonical(state.Rip) : state.Rip <= uint.MaxValue, "RIP");
        Require(IsValidBase(state.Gdtr.Base, longMode) && IsValidBase(state.Idtr.Base, longMode), "GDTR or IDTR");
        ValidateSegments(state, longMode);
        ValidateMsrs(state.Msrs!);
    }

    private static void ValidateSegments(X86State state, bool longMode)
    {
        foreach (SegmentState segment in (ReadOnlySpan<SegmentState>)[.. state.Segments, state.Ldtr, state.Tr])
        {
            Require((segment.Attributes & ~AttributesDefined) == 0 && IsValidBase(segment.Base, longMode), "segment");
        }

        SegmentState code = state.Segments[X86Segment.Cs];
        const uint Sizes = SegmentAttributes.Long | SegmentAttributes.Big;
        Require((code.Attributes & Sizes) != Sizes || !longMode, "CS");
        Require((code.Attributes & SegmentAttributes.Unusable) == 0 && code.Base <= uint.MaxValue, "CS");
        Require(state.Segments.Take(X86Segment.Fs).All(segment => segment.Base <= uint.MaxValue), "segment base");
    }

    private static bool IsValidBase(ulong value, bool longMode) => longMode ? IsCanonical(value) : value <= uint.MaxValue || IsCanonical(value);

    private static void ValidateMsrs(SortedDictionary<uint, ulong> msrs)
    {
        var known = StateMsrs().ToHashSet();
        foreach ((uint index, ulong value) in msrs)
        {
            bool valid = known.Contains(index) && index switch
            {
                X86Msr.SysenterEsp or X86Msr.SysenterEip or X86Msr.Lstar or X86Msr.Cstar or X86Msr.KernelGsBase => IsCanonical(value),
                X86Msr.Fmask or X86Msr.TscAux => value >> 32 == 0,
                X86Msr.Pat => IsValidPat(value),
                _ => !StoredMsrs.ByIndex.TryGetValue(index, out StoredMsr? stored) || !stored.Strict || (value & ~stored.Writable) == 0,
            };
            Require(valid, $"MSR {index:x}");
        }
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new ArgumentException($"The CPU state is not valid: {what}.");
        }
    }

    // The legacy area of the XSAVE image (SDM vol. 1, table 10-2), then the header with XSTATE_BV.
    private void ReadXsaveImage(Span<byte> image)
    {
        X86CpuState* s = State;
        BinaryPrimitives.WriteUInt16LittleEndian(image, s->X87Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], (ushort)((s->X87Status & ~0x3800) | (s->X87Top << 11)));
        image[4] = (byte)~s->X87Empty;
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], s->X87Opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(image[8..], s->X87InstructionPointer);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], s->X87DataPointer);
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], s->Mxcsr);
        BinaryPrimitives.WriteUInt32LittleEndian(image[28..], 0xffff);
        for (int i = 0; i < 8; i++)
        {
            new Span<byte>(s->X87 + (((s->X87Top + i) & 7) * 16), 10).CopyTo(image[(32 + (i * 16))..]);
        }

        for (int i = 0; i < 16; i++)
        {
            new Span<byte>(s->Vector + (i * X86CpuState.VectorStride), 16).CopyTo(image[(160 + (i * 16))..]);
        }

        WriteAvxRegion(image);
        BinaryPrimitives.WriteUInt64LittleEndian(image[LegacySize..], SupportedComponents);
    }

    private void LoadXsaveImage(ReadOnlySpan<byte> image)
    {
        X86CpuState* s = State;
        ushort status = BinaryPrimitives.ReadUInt16LittleEndian(image[2..]);
        s->X87Control = BinaryPrimitives.ReadUInt16LittleEndian(image);
        s->X87Top = (byte)(status >> 11 & 7);
        s->X87Status = (ushort)(status & ~0x3800);
        X87Status.UpdateSummary(s);
        s->X87Empty = (byte)~image[4];
        s->X87Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) & 0x7ff);
        s->X87InstructionPointer = BinaryPrimitives.ReadUInt64LittleEndian(image[8..]);
        s->X87DataPointer = BinaryPrimitives.ReadUInt64LittleEndian(image[16..]);
        s->Mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[24..]) & 0xffff;
        for (int i = 0; i < 8; i++)
        {
            image.Slice(32 + (i * 16), 10).CopyTo(new Span<byte>(s->X87 + (((s->X87Top + i) & 7) * 16), 10));
        }

        for (int i = 0; i < 16; i++)
        {
            image.Slice(160 + (i * 16), 16).CopyTo(new Span<byte>(s->Vector + (i * X86CpuState.VectorStride), 16));
        }

        LoadAvx(image, image.Length >= XsaveImageSize, 256);
    }
}
