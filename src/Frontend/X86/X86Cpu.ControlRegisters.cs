using Emu.Core.Cpu;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

/// <summary>Control registers, XCR0 and TLB invalidation (SDM vol. 3, 2.5, 2.6 and 4.10.4).</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong Cr0Defined = ControlBits.Cr0Pe | ControlBits.Cr0Mp | ControlBits.Cr0Em | ControlBits.Cr0Ts | ControlBits.Cr0Et
        | ControlBits.Cr0Ne | ControlBits.Cr0Wp | ControlBits.Cr0Am | ControlBits.Cr0Nw | ControlBits.Cr0Cd | ControlBits.Cr0Pg;

    private const ulong Cr4FlushAll = ControlBits.Cr4Pge | ControlBits.Cr4Pae | ControlBits.Cr4Pse | ControlBits.Cr4Pcide
        | ControlBits.Cr4Smep | ControlBits.Cr4Smap;

    private const ulong Cr4ReloadsPdptes = ControlBits.Cr4Pge | ControlBits.Cr4Pae | ControlBits.Cr4Pse | ControlBits.Cr4Smep;
    private const ulong Cr3NoFlush = 1UL << 63;
    private const ulong PcidMask = 0xfff;

    private static readonly (CpuFeature Feature, ulong Bits)[] Cr4Features =
    [
        (CpuFeature.Vme,      ControlBits.Cr4Vme | ControlBits.Cr4Pvi),
        (CpuFeature.Tsc,      ControlBits.Cr4Tsd),
        (CpuFeature.De,       ControlBits.Cr4De),
        (CpuFeature.Pse,      ControlBits.Cr4Pse),
        (CpuFeature.Pae,      ControlBits.Cr4Pae),
        (CpuFeature.Mce,      ControlBits.Cr4Mce),
        (CpuFeature.Pge,      ControlBits.Cr4Pge),
        (CpuFeature.Fxsr,     ControlBits.Cr4Osfxsr),
        (CpuFeature.Sse,      ControlBits.Cr4Osxmmexcpt),
        (CpuFeature.Umip,     ControlBits.Cr4Umip),
        (CpuFeature.Fsgsbase, ControlBits.Cr4Fsgsbase),
        (CpuFeature.Pcid,     ControlBits.Cr4Pcide),
        (CpuFeature.Xsave,    ControlBits.Cr4Osxsave),
        (CpuFeature.Smep,     ControlBits.Cr4Smep),
        (CpuFeature.Smap,     ControlBits.Cr4Smap),
    ];

    /// <summary>The CR4 bits that the model defines; the others are reserved.</summary>
    private ulong Cr4Defined => Cr4Features.Where(row => Environment.Model.Has(row.Feature)).Aggregate(ControlBits.Cr4Pce, (bits, row) => bits | row.Bits);

    /// <summary>Paging with cached PDPTEs: PAE outside long mode.</summary>
    private static bool UsesPdptes(ulong cr0, ulong cr4, ulong efer) =>
        (cr0 & ControlBits.Cr0Pg) != 0 && (cr4 & ControlBits.Cr4Pae) != 0 && (efer & ControlBits.EferLma) == 0;

    /// <summary>MOV from CRn.</summary>
    internal ulong ReadControl(int number)
    {
        if (number is not (0 or 2 or 3 or 4 or 8))
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        return number switch
        {
            0 => State->Cr0,
            2 => State->Cr2,
            3 => State->Cr3,
            4 => State->Cr4,
            _ => Environment.Apic.TaskPriorityClass,
        };
    }

    /// <summary>MOV to CRn.</summary>
    internal void WriteControl(int number, ulong value)
    {
        if (number is not (0 or 2 or 3 or 4 or 8))
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        switch (number)
        {
            case 0: WriteCr0(value); break;
            case 2: State->Cr2 = value; break;
            case 3: WriteCr3(value); break;
            case 4: WriteCr4(value); break;
            default: WriteCr8(value); break;
        }
    }

    /// <summary>SMSW.</summary>
    internal ulong Smsw()
    {
        CheckUmip();
        return State->Cr0;
    }

    /// <summary>LMSW: the low four bits of CR0, but PE cannot be cleared.</summary>
    internal void Lmsw(ushort value)
    {
        CheckPrivileged();
        const ulong Changed = ControlBits.Cr0Mp | ControlBits.Cr0Em | ControlBits.Cr0Ts;
        WriteCr0((State->Cr0 & ~Changed) | (value & (Changed | ControlBits.Cr0Pe)));
    }

    /// <summary>CLTS.</summary>
    internal void Clts()
    {
        CheckPrivileged();
        State->Cr0 &= ~ControlBits.Cr0Ts;
        UpdateMode();
    }

    /// <summary>INVLPG. An address that is not canonical is ignored.</summary>
    internal void Invlpg(ulong linear)
    {
        CheckPrivileged();
        Mmu.FlushPage(IsLongMode ? linear : (uint)linear);
    }

    /// <summary>INVPCID (SDM vol. 2). A single address is dropped in every address space, which is more than asked and allowed.</summary>
    internal void Invpcid(ulong type, ulong linear)
    {
        if (!Environment.Model.Has(CpuFeature.Invpcid))
        {
            RaiseInvalidOpcode();
        }

        CheckPrivileged();
        ulong pcid = ReadLinear(linear, 8);
        ulong address = ReadLinear(linear + 8, 8);
        bool wrongPcid = (State->Cr4 & ControlBits.Cr4Pcide) == 0 && pcid != 0 && type < 2;
        if (type > 3 || pcid > PcidMask || wrongPcid || (type == 0 && !IsCanonical(address)))
        {
            RaiseGeneralProtection();
        }

        switch (type)
        {
            case 0: Mmu.FlushPage(address); break;
            case 1: Mmu.FlushAddressSpace((int)pcid); break;
            default: Mmu.Flush(includeGlobal: type == 2); break;
        }
    }

    /// <summary>XGETBV.</summary>
    internal void Xgetbv()
    {
        CheckXsaveEnabled();
        uint index = (uint)State->Gpr[X86Gpr.Rcx];
        if (index > (Environment.Model.Has(CpuFeature.Xgetbv1) ? 1u : 0))
        {
            RaiseGeneralProtection();
        }

        SetEdxEax(index == 0 ? State->Xcr0 : State->Xcr0 & ComponentsInUse());
    }

    /// <summary>XSETBV.</summary>
    internal void Xsetbv()
    {
        CheckXsaveEnabled();
        CheckPrivileged();
        ulong value = GetEdxEax();
        if ((uint)State->Gpr[X86Gpr.Rcx] != 0 || !IsValidXcr0(value))
        {
            RaiseGeneralProtection();
        }

        State->Xcr0 = value;
        UpdateMode();
    }

    /// <summary>HLT.</summary>
    internal void Hlt()
    {
        CheckPrivileged();
        State->Halted = 1;
    }

    private bool IsValidXcr0(ulong value) => (value & ~Environment.Model.Xcr0Mask) == 0 && (value & 1) != 0
        && (value & (ComponentSse | ComponentAvx)) != ComponentAvx;

    private void CheckXsaveEnabled()
    {
        if ((State->Cr4 & ControlBits.Cr4Osxsave) == 0)
        {
            RaiseInvalidOpcode();
        }
    }

    private void SetEdxEax(ulong value)
    {
        State->Gpr[X86Gpr.Rax] = (uint)value;
        State->Gpr[X86Gpr.Rdx] = value >> 32;
    }

    private ulong GetEdxEax() => (uint)State->Gpr[X86Gpr.Rax] | (State->Gpr[X86Gpr.Rdx] << 32);

    private void WriteCr0(ulong value)
    {
        X86CpuState* s = State;
        bool paging = (value & ControlBits.Cr0Pg) != 0;
        bool wasPaging = (s->Cr0 & ControlBits.Cr0Pg) != 0;
        if (!IsValidCr0(value) || !MayChangePaging(paging, wasPaging))
        {
            RaiseGeneralProtection();
        }

        value = (value & Cr0Defined) | ControlBits.Cr0Et;
        ulong efer = paging && (s->Efer & ControlBits.EferLme) != 0 ? s->Efer | ControlBits.EferLma : s->Efer & ~ControlBits.EferLma;
        ulong changed = value ^ s->Cr0;
        const ulong ReloadsPdptes = ControlBits.Cr0Pg | ControlBits.Cr0Cd | ControlBits.Cr0Nw;
        if (UsesPdptes(value, s->Cr4, efer) && (changed & ReloadsPdptes) != 0)
        {
            ReloadPdptes(s->Cr3);
        }

        s->Cr0 = value;
        s->Efer = efer;
        if ((changed & (ControlBits.Cr0Pg | ControlBits.Cr0Wp | ControlBits.Cr0Pe)) != 0)
        {
            Mmu.Flush(includeGlobal: true);
        }

        UpdateMode();
    }

    private static bool IsValidCr0(ulong value) => value >> 32 == 0
        && (value & (ControlBits.Cr0Pg | ControlBits.Cr0Pe)) != ControlBits.Cr0Pg
        && (value & (ControlBits.Cr0Nw | ControlBits.Cr0Cd)) != ControlBits.Cr0Nw;

    /// <summary>The rules for entering and leaving long mode (SDM vol. 3, 2.5 and 10.8.5).</summary>
    private bool MayChangePaging(bool paging, bool wasPaging)
    {
        X86CpuState* s = State;
        if (paging == wasPaging)
        {
            return true;
        }

        if (!paging)
        {
            return !Is64Bit && (s->Cr4 & ControlBits.Cr4Pcide) == 0;
        }

        return (s->Efer & ControlBits.EferLme) == 0
            || ((s->Cr4 & ControlBits.Cr4Pae) != 0 && (s->Segment[X86Segment.Cs].Attributes & SegmentAttributes.Long) == 0
                && (s->Segment[X86Segment.Tr].Attributes & 0xf) != SystemType.BusyTss16);
    }

    private void ReloadPdptes(ulong cr3)
    {
        Span<ulong> entries = stackalloc ulong[4];
        if (!TryReadPdptes(cr3, entries))
        {
            RaiseGeneralProtection();
        }

        entries.CopyTo(new Span<ulong>(State->Pdpte, 4));
    }

    private void WriteCr3(ulong value)
    {
        X86CpuState* s = State;
        bool keep = false;
        if ((s->Cr4 & ControlBits.Cr4Pcide) != 0)
        {
            keep = (value & Cr3NoFlush) != 0;
            value &= ~Cr3NoFlush;
        }

        if (!IsValidCr3(value))
        {
            RaiseGeneralProtection();
        }

        Span<ulong> entries = stackalloc ulong[4];
        if (UsesPdptes(s->Cr0, s->Cr4, s->Efer) && !TryReadPdptes(value, entries))
        {
            RaiseGeneralProtection();
        }

        CommitCr3(value, entries, keep);
    }

    private bool IsValidCr3(ulong value) => (value & ~(PhysicalMask | PcidMask)) == 0;

    /// <summary>
    /// Sets CR3 with its PDPTEs (used under PAE paging only) and goes on in its address space, whose translations other than global
    /// ones go unless the guest asked to keep them.
    /// </summary>
    private void CommitCr3(ulong value, ReadOnlySpan<ulong> pdptes, bool keep)
    {
        X86CpuState* s = State;
        s->Cr3 = value;
        if (UsesPdptes(s->Cr0, s->Cr4, s->Efer))
        {
            pdptes.CopyTo(new Span<ulong>(s->Pdpte, 4));
        }

        Mmu.SwitchAddressSpace(CurrentPcid, keep);
    }

    private int CurrentPcid => (State->Cr4 & ControlBits.Cr4Pcide) != 0 ? (int)(State->Cr3 & PcidMask) : 0;

    private void WriteCr4(ulong value)
    {
        X86CpuState* s = State;
        ulong changed = value ^ s->Cr4;
        bool leavesPae = IsLongMode && (value & ControlBits.Cr4Pae) == 0;
        bool entersPcid = (changed & value & ControlBits.Cr4Pcide) != 0;
        if ((value & ~Cr4Defined) != 0 || leavesPae || (entersPcid && (!IsLongMode || (s->Cr3 & PcidMask) != 0)))
        {
            RaiseGeneralProtection();
        }

        if (UsesPdptes(s->Cr0, value, s->Efer) && (changed & Cr4ReloadsPdptes) != 0)
        {
            ReloadPdptes(s->Cr3);
        }

        s->Cr4 = value;
        if ((changed & Cr4FlushAll) != 0)
        {
            Mmu.Flush(includeGlobal: true);
            Mmu.SwitchAddressSpace(CurrentPcid, keep: true);
        }

        UpdateBreakpoints();
        UpdateMode();
    }

    private void WriteCr8(ulong value)
    {
        if (value > 15)
        {
            RaiseGeneralProtection();
        }

        Environment.Apic.TaskPriorityClass = (byte)value;
    }
}
