using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>A system instruction that is one helper call.</summary>
internal readonly record struct SystemEntry(
    Mnemonic Mnemonic, LiftMethod Method, nint Helper, IrCallEffects Effects, bool Ends = false, int Argument = -1, int MemoryBytes = 0, bool WritesMemory = false);

/// <summary>System instructions, a row each.</summary>
internal static unsafe class SystemTable
{
    /// <summary>The helper takes the operand size of a descriptor-table register.</summary>
    public const int OperandSize = -2;

    /// <summary>The helper takes 1 for the REX.W form.</summary>
    public const int RexW = -3;

    private const IrCallEffects Fault = IrCallEffects.System;
    private const IrCallEffects All = IrCallEffects.All;

    /// <summary>The rows.</summary>
    public static readonly SystemEntry[] Entries =
    [
        new(Mnemonic.Cli,       X86Lifter.Plain,        P(&FlagHelpers.Cli),             IrCallEffects.MayFault),
        new(Mnemonic.Sti,       X86Lifter.SetInterruptFlag, P(&FlagHelpers.Sti),         Fault, Ends: true),
        new(Mnemonic.Stac,      X86Lifter.Plain,        P(&FlagHelpers.Stac),            Fault, Ends: true),
        new(Mnemonic.Clac,      X86Lifter.Plain,        P(&FlagHelpers.Clac),            Fault, Ends: true),
        new(Mnemonic.Cld,       X86Lifter.Plain,        P(&FlagHelpers.Cld),             IrCallEffects.None),
        new(Mnemonic.Std,       X86Lifter.Plain,        P(&FlagHelpers.Std),             IrCallEffects.None),
        new(Mnemonic.Hlt,       X86Lifter.Plain,        P(&ControlHelpers.Hlt),          Fault, Ends: true),
        new(Mnemonic.Clts,      X86Lifter.Plain,        P(&ControlHelpers.Clts),         Fault, Ends: true),
        new(Mnemonic.Invd,      X86Lifter.Plain,        P(&ControlHelpers.Wbinvd),       Fault),
        new(Mnemonic.Wbinvd,    X86Lifter.Plain,        P(&ControlHelpers.Wbinvd),       Fault),
        new(Mnemonic.Mfence,    X86Lifter.Plain,        P(&ConditionalHelpers.Fence),    IrCallEffects.None),
        new(Mnemonic.Monitor,   X86Lifter.Plain,        P(&ControlHelpers.Undefined),    Fault, Ends: true),
        new(Mnemonic.Mwait,     X86Lifter.Plain,        P(&ControlHelpers.Undefined),    Fault, Ends: true),
        new(Mnemonic.Rsm,       X86Lifter.Plain,        P(&ControlHelpers.Undefined),    Fault, Ends: true),
        new(Mnemonic.Cpuid,     X86Lifter.Plain,        P(&MsrHelpers.CpuidHelper),      Fault),
        new(Mnemonic.Rdmsr,     X86Lifter.Plain,        P(&MsrHelpers.Rdmsr),            Fault, Ends: true),
        new(Mnemonic.Wrmsr,     X86Lifter.Plain,        P(&MsrHelpers.Wrmsr),            Fault, Ends: true),
        new(Mnemonic.Rdtsc,     X86Lifter.ReadTimeStamp, P(&MsrHelpers.Rdtsc),           IrCallEffects.MayFault),
        new(Mnemonic.Rdtscp,    X86Lifter.Plain,        P(&MsrHelpers.Rdtscp),           Fault),
        new(Mnemonic.Rdpmc,     X86Lifter.Plain,        P(&MsrHelpers.Rdpmc),            Fault),
        new(Mnemonic.Swapgs,    X86Lifter.Plain,        P(&MsrHelpers.Swapgs),           Fault),
        new(Mnemonic.Xgetbv,    X86Lifter.Plain,        P(&ControlHelpers.Xgetbv),       Fault),
        new(Mnemonic.Xsetbv,    X86Lifter.Plain,        P(&ControlHelpers.Xsetbv),       Fault, Ends: true),

        new(Mnemonic.Lldt,      X86Lifter.FromOperand,  P(&SegmentHelpers.Lldt),         Fault, Ends: true),
        new(Mnemonic.Ltr,       X86Lifter.FromOperand,  P(&SegmentHelpers.Ltr),          Fault, Ends: true),
        new(Mnemonic.Lmsw,      X86Lifter.FromOperand,  P(&ControlHelpers.Lmsw),         Fault, Ends: true),
        new(Mnemonic.Verr,      X86Lifter.FromOperand,  P(&SegmentHelpers.Verr),         All),
        new(Mnemonic.Verw,      X86Lifter.FromOperand,  P(&SegmentHelpers.Verw),         All),
        new(Mnemonic.Wrfsbase,  X86Lifter.FromOperand,  P(&MsrHelpers.WriteSegmentBase), Fault, Argument: X86Segment.Fs),
        new(Mnemonic.Wrgsbase,  X86Lifter.FromOperand,  P(&MsrHelpers.WriteSegmentBase), Fault, Argument: X86Segment.Gs),

        new(Mnemonic.Sldt,      X86Lifter.ToOperand,    P(&SegmentHelpers.Sldt),         Fault),
        new(Mnemonic.Str,       X86Lifter.ToOperand,    P(&SegmentHelpers.Str),          Fault),
        new(Mnemonic.Smsw,      X86Lifter.ToOperand,    P(&ControlHelpers.Smsw),         Fault),
        new(Mnemonic.Rdpid,     X86Lifter.ToOperand,    P(&MsrHelpers.Rdpid),            Fault),
        new(Mnemonic.Rdfsbase,  X86Lifter.ToOperand,    P(&MsrHelpers.ReadSegmentBase),  Fault, Argument: X86Segment.Fs),
        new(Mnemonic.Rdgsbase,  X86Lifter.ToOperand,    P(&MsrHelpers.ReadSegmentBase),  Fault, Argument: X86Segment.Gs),

        new(Mnemonic.Lar,       X86Lifter.SelectorQuery, P(&SegmentHelpers.Lar),         All),
        new(Mnemonic.Lsl,       X86Lifter.SelectorQuery, P(&SegmentHelpers.Lsl),         All),

        new(Mnemonic.Lgdt,      X86Lifter.OnMemory,     P(&SegmentHelpers.Lgdt),         Fault, Argument: OperandSize, MemoryBytes: 6),
        new(Mnemonic.Lidt,      X86Lifter.OnMemory,     P(&SegmentHelpers.Lidt),         Fault, Argument: OperandSize, MemoryBytes: 6),
        new(Mnemonic.Sgdt,      X86Lifter.OnMemory,     P(&SegmentHelpers.Sgdt),         Fault, Argument: OperandSize, MemoryBytes: 6, WritesMemory: true),
        new(Mnemonic.Sidt,      X86Lifter.OnMemory,     P(&SegmentHelpers.Sidt),         Fault, Argument: OperandSize, MemoryBytes: 6, WritesMemory: true),
        new(Mnemonic.Invlpg,    X86Lifter.OnMemory,     P(&ControlHelpers.Invlpg),       Fault),
        new(Mnemonic.Clflush,   X86Lifter.OnMemory,     P(&ConditionalHelpers.Probe),    Fault, MemoryBytes: 1),
        new(Mnemonic.Clflushopt, X86Lifter.OnMemory,    P(&ConditionalHelpers.Probe),    Fault, MemoryBytes: 1),
        new(Mnemonic.Clwb,      X86Lifter.OnMemory,     P(&ConditionalHelpers.Probe),    Fault, MemoryBytes: 1),
        new(Mnemonic.Fxsave,    X86Lifter.OnMemory,     P(&StateHelpers.Fxsave),         Fault, Argument: RexW, MemoryBytes: 512, WritesMemory: true),
        new(Mnemonic.Fxsave64,  X86Lifter.OnMemory,     P(&StateHelpers.Fxsave),         Fault, Argument: RexW, MemoryBytes: 512, WritesMemory: true),
        new(Mnemonic.Fxrstor,   X86Lifter.OnMemory,     P(&StateHelpers.Fxrstor),        Fault, Argument: RexW, MemoryBytes: 512),
        new(Mnemonic.Fxrstor64, X86Lifter.OnMemory,     P(&StateHelpers.Fxrstor),        Fault, Argument: RexW, MemoryBytes: 512),
        new(Mnemonic.Xsave,     X86Lifter.OnMemory,     P(&StateHelpers.Xsave),          Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xsave64,   X86Lifter.OnMemory,     P(&StateHelpers.Xsave),          Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xsaveopt,  X86Lifter.OnMemory,     P(&StateHelpers.Xsaveopt),       Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xsaveopt64, X86Lifter.OnMemory,    P(&StateHelpers.Xsaveopt),       Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xsavec,    X86Lifter.OnMemory,     P(&StateHelpers.Xsavec),         Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xsavec64,  X86Lifter.OnMemory,     P(&StateHelpers.Xsavec),         Fault, Argument: RexW, MemoryBytes: 576, WritesMemory: true),
        new(Mnemonic.Xrstor,    X86Lifter.OnMemory,     P(&StateHelpers.Xrstor),         Fault, Argument: RexW, MemoryBytes: 576),
        new(Mnemonic.Xrstor64,  X86Lifter.OnMemory,     P(&StateHelpers.Xrstor),         Fault, Argument: RexW, MemoryBytes: 576),
    ];

    private static nint P(delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper) => (nint)helper;
}

/// <content>System rows.</content>
internal static unsafe partial class LiftTable
{
    private static void AddSystem(AddRow row)
    {
        for (int i = 0; i < SystemTable.Entries.Length; i++)
        {
            row(SystemTable.Entries[i].Mnemonic, SystemTable.Entries[i].Method, i);
        }

        row(Mnemonic.Int,      X86Lifter.Interrupt,     (int)SoftwareInterruptKind.IntN);
        row(Mnemonic.Int3,     X86Lifter.Interrupt,     (int)SoftwareInterruptKind.Int3);
        row(Mnemonic.Int1,     X86Lifter.Interrupt,     (int)SoftwareInterruptKind.Int1);
        row(Mnemonic.Into,     X86Lifter.InterruptOnOverflow);
        row(Mnemonic.Syscall,  X86Lifter.SystemTransfer);
        row(Mnemonic.Sysret,   X86Lifter.SystemTransfer);
        row(Mnemonic.Sysretq,  X86Lifter.SystemTransfer);
        row(Mnemonic.Sysenter, X86Lifter.SystemTransfer);
        row(Mnemonic.Sysexit,  X86Lifter.SystemTransfer);
        row(Mnemonic.Sysexitq, X86Lifter.SystemTransfer);
        row(Mnemonic.Arpl,     X86Lifter.AdjustRpl);
        row(Mnemonic.Bound,    X86Lifter.Bound);
        row(Mnemonic.Invpcid,  X86Lifter.InvalidatePcid);
        row(Mnemonic.In,       X86Lifter.Input);
        row(Mnemonic.Out,      X86Lifter.Output);
    }
}
