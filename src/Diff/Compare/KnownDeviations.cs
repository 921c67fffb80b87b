using Emu.Accel.Kvm;
using Emu.Diff.Cases;
using Emu.Diff.Engines;
using Iced.Intel;

namespace Emu.Diff.Compare;

/// <summary>A difference that is an engine's, known and not the emulator's fault.</summary>
/// <param name="Name">Short name for reports.</param>
/// <param name="Reason">Why it is right to leave it out.</param>
/// <param name="Engine">The silicon engine it is seen on; null for any.</param>
internal sealed record KnownDeviation(string Name, string Reason, string? Engine);

/// <summary>The one table of what silicon engines are known to do differently. Cases that it explains are counted, never dropped in silence.</summary>
internal static unsafe class KnownDeviations
{
    private const int InvalidOpcode = 6;
    private const int StackFault = 12;
    private const int GeneralProtection = 13;
    private const int PageFault = 14;
    private const int AlignmentCheck = 17;
    private const byte AllTags = 0xff;

    /// <summary>#GP of what KVM's emulator does not know arrives as #UD.</summary>
    public static readonly KnownDeviation UnknownToEmulator = new("gp-emulated",
        "a KVM without hardware virtualisation emulates what took #GP or #SS: #UD for instructions its emulator does not know, #SS before the alignment check, and MMX state entered all the same", "kvm");

    /// <summary>Instructions newer than the processor.</summary>
    public static readonly KnownDeviation NotOnHost = new("not-on-host", "the host's processor does not have the instruction: #UD", null);

    /// <summary>Cases under other control registers.</summary>
    public static readonly KnownDeviation NoControl = new("no-control",
        "CR0.TS, CR0.EM and the CR4 bits of SSE and AVX cannot be changed in a process, and a KVM without hardware virtualisation ignores them; such cases are compared among the other engines", null);

    /// <summary>SHA operands in memory.</summary>
    public static readonly KnownDeviation ShaAlignment = new("sha-alignment",
        "SHA instructions take #GP for an operand that is not aligned (SDM vol. 2, exceptions type 4); AMD's processors do not look", null);

    /// <summary>MASKMOVQ that faults.</summary>
    public static readonly KnownDeviation MaskedStoreState = new("maskmovq-ac",
        "MASKMOVQ enters MMX state before its alignment check on AMD's processors; here an instruction that faults has changed nothing", null);

    /// <summary>Alignment checks of another vendor.</summary>
    public static readonly KnownDeviation VendorAlignment = new("vendor-ac",
        "which operands of 10 bytes and more EFLAGS.AC checks is measured on AMD's processors; others differ", null);

    /// <summary>MXCSR.MM.</summary>
    public static readonly KnownDeviation MisalignedMask = new("mxcsr-mm",
        "LDMXCSR accepts bit 17 (MM) on AMD's processors with misaligned SSE, a feature that no CPU model has", null);

    /// <summary>No alignment checks.</summary>
    public static readonly KnownDeviation Alignment = new("no-ac", "a KVM without hardware virtualisation never raises #AC", "kvm");

    /// <summary>A case that KVM does not run.</summary>
    public static readonly KnownDeviation NotRun = new("kvm-not-run", "a KVM without hardware virtualisation gave up on the case with an internal error or another exit", "kvm");

    /// <summary>Page faults on the kernel's addresses.</summary>
    public static readonly KnownDeviation KernelAddress = new("signal-kernel-address",
        "for addresses of its own half the host kernel reports every page as present, so that nobody learns which are", "native");

    /// <summary>Accesses to the system tables of the virtual machines.</summary>
    public static readonly KnownDeviation SystemPages = new("system-pages",
        "a wild address hit the tables that virtual machines have beside the cases; in a process nothing is mapped there", "native");

    /// <summary>All, for documentation.</summary>
    public static IReadOnlyList<KnownDeviation> All { get; } = [NoControl, NotOnHost, SystemPages, MaskedStoreState, VendorAlignment, MisalignedMask, KernelAddress, UnknownToEmulator, ShaAlignment, Alignment, NotRun];

    /// <summary>The entry that explains why <paramref name="reference"/> and <paramref name="other"/> end a case differently, or null.</summary>
    public static KnownDeviation? Explain(IDiffEngine reference, IDiffEngine other, DiffCase subject, CaseRecord* expected, CaseRecord* actual) =>
        subject.Control != 0 && !(reference.SetsControl && other.SetsControl) ? NoControl : reference.IsSilicon ? ExplainSilicon(reference, subject, expected, actual) : null;

    private static KnownDeviation? ExplainSilicon(IDiffEngine engine, DiffCase subject, CaseRecord* silicon, CaseRecord* emulated)
    {
        long here = silicon->State.Fault;
        long there = emulated->State.Fault;
        if (here == InvalidOpcode && CodeAt(subject, silicon->State.Rip) is Code unknown && !HostProcessor.Has(unknown))
        {
            return NotOnHost;
        }

        if (there == GeneralProtection && CodeAt(subject, emulated->State.Rip) is Code code && FormTable.GroupOf(code.ToOpCode()) == "sha")
        {
            return ShaAlignment;
        }

        if (here == AlignmentCheck && there == here && CodeAt(subject, emulated->State.Rip) == Code.Maskmovq_rDI_mm_mm)
        {
            return MaskedStoreState;
        }

        if (there == AlignmentCheck && !HostProcessor.IsAmd && CodeAt(subject, emulated->State.Rip) is Code wide && wide.ToOpCode().MemorySize.GetSize() >= 10)
        {
            return VendorAlignment;
        }

        const uint MisalignedMaskBit = 1 << 17;
        if (there == GeneralProtection && CodeAt(subject, emulated->State.Rip) == Code.Ldmxcsr_m32 && (silicon->State.Mxcsr & MisalignedMaskBit) != 0)
        {
            return MisalignedMask;
        }

        return engine.Name switch
        {
            "kvm" when !KvmProbe.Host.RunsPrivilegedCode => here switch
            {
                InvalidOpcode or StackFault when there is GeneralProtection or StackFault && silicon->State.Rip == emulated->State.Rip => UnknownToEmulator,
                GeneralProtection or StackFault when there == here && silicon->State.X87Tags == AllTags && emulated->State.X87Tags != AllTags => UnknownToEmulator,
                CaseState.EngineFailed => NotRun,
                _ when there == AlignmentCheck => Alignment,
                _ => null,
            },
            "native" when here is PageFault && there is PageFault && silicon->State.FaultAddress == emulated->State.FaultAddress
                && silicon->State.FaultAddress - CaseLayout.Base - CaseLayout.IdtOffset < CaseLayout.SlotsOffset - CaseLayout.IdtOffset => SystemPages,
            "native" when here is PageFault && there is PageFault && silicon->State.FaultAddress == emulated->State.FaultAddress
                && (long)silicon->State.FaultAddress < 0 => KernelAddress,
            _ => null,
        };
    }

    private static Code? CodeAt(DiffCase subject, ulong rip)
    {
        foreach (CaseInstruction instruction in subject.Instructions)
        {
            if (subject.EntryPointer + (uint)instruction.Offset == rip)
            {
                return instruction.Instruction.Code;
            }
        }

        return null;
    }
}
