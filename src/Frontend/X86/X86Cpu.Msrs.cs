using Emu.Core.Cpu;

namespace Emu.Frontend.X86;

/// <summary>Model-specific registers, time stamps and CPUID.</summary>
public sealed unsafe partial class X86Cpu
{
    private const ulong MiscEnableAtReset = 1;

    private readonly Dictionary<uint, ulong> _storedMsrs = [];

    /// <summary>Told of what guests ask for and the CPU lacks (unknown MSRs); for <c>-d unimp</c> and its counters.</summary>
    public Action<string>? Unimplemented { get; set; }

    /// <summary>The time-stamp counter: nanoseconds of virtual time, so 1 GHz.</summary>
    internal ulong TimeStamp => (ulong)Environment.Clock.NowNs + State->TscOffset;

    /// <summary>RDMSR.</summary>
    internal void Rdmsr()
    {
        CheckPrivileged();
        uint index = (uint)State->Gpr[X86Gpr.Rcx];
        if (!TryReadMsr(index, out ulong value))
        {
            Unimplemented?.Invoke($"RDMSR {index:x}");
            RaiseGeneralProtection();
        }

        SetEdxEax(value);
    }

    /// <summary>WRMSR.</summary>
    internal void Wrmsr()
    {
        CheckPrivileged();
        uint index = (uint)State->Gpr[X86Gpr.Rcx];
        ulong value = GetEdxEax();
        if (!TryWriteMsr(index, value))
        {
            Unimplemented?.Invoke($"WRMSR {index:x} = {value:x}");
            RaiseGeneralProtection();
        }
    }

    /// <summary>RDTSC.</summary>
    internal ulong Rdtsc()
    {
        CheckTimeStampAccess();
        return TimeStamp;
    }

    /// <summary>RDTSCP.</summary>
    internal void Rdtscp()
    {
        if (!Environment.Model.Has(CpuFeature.Rdtscp))
        {
            RaiseInvalidOpcode();
        }

        CheckTimeStampAccess();
        SetEdxEax(TimeStamp);
        State->Gpr[X86Gpr.Rcx] = (uint)State->TscAux;
    }

    /// <summary>RDPMC: there are no counters, so every index is wrong.</summary>
    internal void Rdpmc() => RaiseGeneralProtection();

    /// <summary>RDPID.</summary>
    internal ulong Rdpid()
    {
        if (!Environment.Model.Has(CpuFeature.Rdpid))
        {
            RaiseInvalidOpcode();
        }

        return State->TscAux;
    }

    /// <summary>CPUID.</summary>
    internal void Cpuid()
    {
        X86CpuState* s = State;
        const ulong ApicEnable = 1 << 11;
        bool apic = (Environment.Apic.BaseMsr & ApicEnable) != 0;
        var context = new CpuidContext((uint)Environment.Index, apic, (s->Cr4 & ControlBits.Cr4Osxsave) != 0, s->Xcr0);
        CpuidResult result = Environment.Model.GetCpuid((uint)s->Gpr[X86Gpr.Rax], (uint)s->Gpr[X86Gpr.Rcx], context);
        s->Gpr[X86Gpr.Rax] = result.Eax;
        s->Gpr[X86Gpr.Rbx] = result.Ebx;
        s->Gpr[X86Gpr.Rcx] = result.Ecx;
        s->Gpr[X86Gpr.Rdx] = result.Edx;
    }

    /// <summary>RDFSBASE and RDGSBASE.</summary>
    internal ulong ReadSegmentBase(int segment)
    {
        CheckFsgsbase();
        return State->SegmentBase[segment & 7];
    }

    /// <summary>WRFSBASE and WRGSBASE.</summary>
    internal void WriteSegmentBase(int segment, ulong value)
    {
        CheckFsgsbase();
        if (!IsCanonical(value))
        {
            RaiseGeneralProtection();
        }

        State->SegmentBase[segment & 7] = value;
    }

    private void CheckFsgsbase()
    {
        if (!Is64Bit || (State->Cr4 & ControlBits.Cr4Fsgsbase) == 0)
        {
            RaiseInvalidOpcode();
        }
    }

    private void CheckTimeStampAccess()
    {
        if (State->Cpl != 0 && (State->Cr4 & ControlBits.Cr4Tsd) != 0)
        {
            RaiseGeneralProtection();
        }
    }

    private void ResetMsrs()
    {
        X86CpuState* s = State;
        s->Star = s->Lstar = s->Cstar = s->Fmask = s->KernelGsBase = s->TscAux = 0;
        s->SysenterCs = s->SysenterEsp = s->SysenterEip = 0;
        // Virtual time itself, the same on every CPU: the guest's TSCs are synchronous.
        s->TscOffset = s->TscAdjust = 0;
        s->Pat = PatAtReset;
        s->MiscEnable = MiscEnableAtReset;
        _storedMsrs.Clear();
    }

    /// <summary>The value of an MSR; false means #GP(0).</summary>
    internal bool TryReadMsr(uint index, out ulong value)
    {
        X86CpuState* s = State;
        ulong? known = index switch
        {
            X86Msr.Tsc => TimeStamp,
            X86Msr.TscAdjust when Environment.Model.Has(CpuFeature.TscAdjust) => s->TscAdjust,
            X86Msr.ApicBase => Environment.Apic.BaseMsr,
            X86Msr.SysenterCs => s->SysenterCs,
            X86Msr.SysenterEsp => s->SysenterEsp,
            X86Msr.SysenterEip => s->SysenterEip,
            X86Msr.MiscEnable => s->MiscEnable,
            X86Msr.Pat => s->Pat,
            X86Msr.Efer => s->Efer,
            X86Msr.Star => s->Star,
            X86Msr.Lstar => s->Lstar,
            X86Msr.Cstar => s->Cstar,
            X86Msr.Fmask => s->Fmask,
            X86Msr.FsBase => s->SegmentBase[X86Segment.Fs],
            X86Msr.GsBase => s->SegmentBase[X86Segment.Gs],
            X86Msr.KernelGsBase => s->KernelGsBase,
            X86Msr.TscAux when HasTscAux => s->TscAux,
            _ => null,
        };
        if (known is null && IsApicMsr(index))
        {
            return Environment.Apic.TryReadMsr(index, out value);
        }

        if (known is null && StoredMsrs.ByIndex.TryGetValue(index, out StoredMsr? stored))
        {
            known = _storedMsrs.GetValueOrDefault(index, stored.Reset);
        }

        value = known ?? 0;
        return known is not null;
    }

    /// <summary>Writes an MSR; false means #GP(0).</summary>
    internal bool TryWriteMsr(uint index, ulong value)
    {
        X86CpuState* s = State;
        switch (index)
        {
            case X86Msr.Tsc:
                SetTimeStamp(value);
                return true;
            case X86Msr.TscAdjust when Environment.Model.Has(CpuFeature.TscAdjust):
                s->TscOffset += value - s->TscAdjust;
                s->TscAdjust = value;
                return true;
            case X86Msr.ApicBase: return Environment.Apic.TryWriteBaseMsr(value);
            case X86Msr.SysenterCs: return Store(ref s->SysenterCs, value, true);
            case X86Msr.SysenterEsp: return Store(ref s->SysenterEsp, value, IsCanonical(value));
            case X86Msr.SysenterEip: return Store(ref s->SysenterEip, value, IsCanonical(value));
            case X86Msr.MiscEnable: return Store(ref s->MiscEnable, value, true);
            case X86Msr.Pat: return Store(ref s->Pat, value, IsValidPat(value));
            case X86Msr.Efer: return TryWriteEfer(value);
            case X86Msr.Star: return Store(ref s->Star, value, true);
            case X86Msr.Lstar: return Store(ref s->Lstar, value, IsCanonical(value));
            case X86Msr.Cstar: return Store(ref s->Cstar, value, IsCanonical(value));
            case X86Msr.Fmask: return Store(ref s->Fmask, value, value >> 32 == 0);
            case X86Msr.FsBase: return Store(ref s->SegmentBase[X86Segment.Fs], value, IsCanonical(value));
            case X86Msr.GsBase: return Store(ref s->SegmentBase[X86Segment.Gs], value, IsCanonical(value));
            case X86Msr.KernelGsBase: return Store(ref s->KernelGsBase, value, IsCanonical(value));
            case X86Msr.TscAux when HasTscAux: return Store(ref s->TscAux, value, value >> 32 == 0);
            default: return IsApicMsr(index) ? Environment.Apic.TryWriteMsr(index, value) : TryWriteStored(index, value);
        }
    }

    private bool HasTscAux => Environment.Model.Has(CpuFeature.Rdtscp) || Environment.Model.Has(CpuFeature.Rdpid);

    private bool IsApicMsr(uint index) => index is >= X86Msr.X2apicFirst and <= X86Msr.X2apicLast
        ? Environment.Model.Has(CpuFeature.X2apic)
        : index == X86Msr.TscDeadline && Environment.Model.Has(CpuFeature.TscDeadline);

    private static bool Store(ref ulong field, ulong value, bool valid)
    {
        if (valid)
        {
            field = value;
        }

        return valid;
    }

    private bool TryWriteStored(uint index, ulong value)
    {
        if (!StoredMsrs.ByIndex.TryGetValue(index, out StoredMsr? stored))
        {
            return false;
        }

        ulong old = _storedMsrs.GetValueOrDefault(index, stored.Reset);
        if (stored.Strict && ((old ^ value) & ~stored.Writable) != 0)
        {
            return false;
        }

        _storedMsrs[index] = (old & ~stored.Writable) | (value & stored.Writable);
        return true;
    }

    private void SetTimeStamp(ulong value)
    {
        ulong delta = value - TimeStamp;
        State->TscOffset += delta;
        State->TscAdjust += delta;
    }

    private ulong EferDefined =>
        (Environment.Model.Has(CpuFeature.Syscall) ? ControlBits.EferSce : 0)
        | (Environment.Model.Has(CpuFeature.Lm) ? ControlBits.EferLme | ControlBits.EferLma : 0)
        | (Environment.Model.Has(CpuFeature.Nx) ? ControlBits.EferNxe : 0);

    private bool TryWriteEfer(ulong value)
    {
        X86CpuState* s = State;
        ulong changed = value ^ s->Efer;
        bool changesLme = (changed & ControlBits.EferLme) != 0;
        if ((value & ~EferDefined) != 0 || (changesLme && (s->Cr0 & ControlBits.Cr0Pg) != 0))
        {
            return false;
        }

        // LMA follows CR0.PG; writes to it are ignored.
        s->Efer = (value & ~ControlBits.EferLma) | (s->Efer & ControlBits.EferLma);
        if ((changed & ControlBits.EferNxe) != 0)
        {
            Mmu.Flush(includeGlobal: true);
        }

        UpdateMode();
        return true;
    }

    /// <summary>Each byte is one of the memory types 0, 1, 4–7 (SDM vol. 3, table 12-10).</summary>
    private static bool IsValidPat(ulong value)
    {
        for (int i = 0; i < 8; i++, value >>= 8)
        {
            if ((byte)value is 2 or 3 or > 7)
            {
                return false;
            }
        }

        return true;
    }
}
