using System.Runtime.InteropServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86;

/// <summary>The hidden part of a segment register, in the layout the lifter and helpers read.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public struct SegmentCache
{
    /// <summary>Limit in bytes, granularity applied.</summary>
    [FieldOffset(0)] public uint Limit;

    /// <summary>Descriptor attributes (<see cref="SegmentAttributes"/>).</summary>
    [FieldOffset(4)] public uint Attributes;

    /// <summary>Visible selector.</summary>
    [FieldOffset(8)] public ushort Selector;
}

/// <summary>Bits of <see cref="SegmentCache.Attributes"/>: descriptor bits 47:40 at 7:0 and 55:52 at 15:12 (SDM vol. 3, 3.4.5); 16 marks an unusable segment.</summary>
public static class SegmentAttributes
{
    /// <summary>Type field: accessed.</summary>
    public const uint Accessed = 1 << 0;

    /// <summary>Type field: writable data, or readable code.</summary>
    public const uint ReadWrite = 1 << 1;

    /// <summary>Type field: expand-down data, or conforming code.</summary>
    public const uint ExpandDownOrConforming = 1 << 2;

    /// <summary>Type field: code segment.</summary>
    public const uint Code = 1 << 3;

    /// <summary>S: code or data, not a system descriptor.</summary>
    public const uint NotSystem = 1 << 4;

    /// <summary>Shift of the two DPL bits.</summary>
    public const int DplShift = 5;

    /// <summary>P: present.</summary>
    public const uint Present = 1 << 7;

    /// <summary>AVL: for software.</summary>
    public const uint Available = 1 << 12;

    /// <summary>L: 64-bit code.</summary>
    public const uint Long = 1 << 13;

    /// <summary>D/B: 32-bit code or stack.</summary>
    public const uint Big = 1 << 14;

    /// <summary>G: limit in pages.</summary>
    public const uint Granularity = 1 << 15;

    /// <summary>A null selector was loaded: any use faults.</summary>
    public const uint Unusable = 1 << 16;
}

/// <summary>
/// The native state of one x86 vCPU: <see cref="CpuHeader"/>, then the registers that translated code touches directly,
/// then the rest. Slots (see <see cref="CpuHeader"/>) are offsets into it; <see cref="X86Slots"/> names them.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public unsafe struct X86CpuState
{
    /// <summary>Size in bytes.</summary>
    public const int Size = 4096;

    /// <summary>Offset of general register 0.</summary>
    public const int GprOffset = CpuHeader.Size;

    /// <summary>Offset of the first segment base.</summary>
    public const int SegmentBaseOffset = GprOffset + (16 * 8);

    /// <summary>Offset of vector register 0: 256 bits, of which the IR sees two registers.</summary>
    public const int VectorOffset = CpuHeader.ScalarEnd;

    /// <summary>Bytes from one vector register to the next.</summary>
    public const int VectorStride = 2 * CpuHeader.VectorStride;

    /// <summary>Number of vector registers with storage: 16 architectural and 4 temporaries.</summary>
    public const int VectorCount = CpuHeader.VectorCount / 2;

    /// <summary>Offset of x87 physical register 0; 16 bytes each, 80 bits used.</summary>
    public const int X87Offset = CpuHeader.UnusedVectorSlot + CpuHeader.VectorStride;

    internal const int SystemOffset = X87Offset + (8 * 16);

    /// <summary>ISA-neutral part.</summary>
    [FieldOffset(0)] public CpuHeader Header;

    /// <summary>RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8–R15.</summary>
    [FieldOffset(GprOffset)] public fixed ulong Gpr[16];

    /// <summary>Linear bases of ES, CS, SS, DS, FS, GS (encoding order); the other hidden fields are in <see cref="Segment"/>.</summary>
    [FieldOffset(SegmentBaseOffset)] public fixed ulong SegmentBase[6];

    /// <summary>Base of LDTR.</summary>
    [FieldOffset(SegmentBaseOffset + 48)] public ulong LdtrBase;

    /// <summary>Base of TR.</summary>
    [FieldOffset(SegmentBaseOffset + 56)] public ulong TrBase;

    /// <summary>RFLAGS without CF, PF, AF, ZF, SF, OF (those are the lazy flags of the header); bit 1 is always set.</summary>
    [FieldOffset(SegmentBaseOffset + 64)] public ulong SystemFlags;

    /// <summary>+1 or −1: the direction of string instructions, kept equal to RFLAGS.DF.</summary>
    [FieldOffset(SegmentBaseOffset + 72)] public long StringStep;

    /// <summary>Vector registers, <see cref="VectorStride"/> bytes each.</summary>
    [FieldOffset(VectorOffset)] public fixed byte Vector[VectorCount * VectorStride];

    /// <summary>x87 registers by physical number (ST(i) is (<see cref="X87Top"/> + i) mod 8); MMX register i is physical register i.</summary>
    [FieldOffset(X87Offset)] public fixed byte X87[8 * 16];

    /// <summary>x87 control word.</summary>
    [FieldOffset(SystemOffset)] public ushort X87Control;

    /// <summary>x87 status word; TOP (bits 13:11) is kept in <see cref="X87Top"/> and merged when the word is read.</summary>
    [FieldOffset(SystemOffset + 2)] public ushort X87Status;

    /// <summary>x87 top of stack, 0–7.</summary>
    [FieldOffset(SystemOffset + 4)] public byte X87Top;

    /// <summary>x87 tags, one bit per physical register: 1 = empty (the FXSAVE form, inverted).</summary>
    [FieldOffset(SystemOffset + 5)] public byte X87Empty;

    /// <summary>x87 last opcode (11 bits).</summary>
    [FieldOffset(SystemOffset + 6)] public ushort X87Opcode;

    /// <summary>x87 last instruction pointer.</summary>
    [FieldOffset(SystemOffset + 8)] public ulong X87InstructionPointer;

    /// <summary>x87 last data pointer.</summary>
    [FieldOffset(SystemOffset + 16)] public ulong X87DataPointer;

    /// <summary>MXCSR: the header's <see cref="CpuHeader.FloatStatus"/>, bit for bit. Written through <see cref="X86Cpu.SetMxcsr"/> but for its exception flags.</summary>
    [FieldOffset(CpuHeader.FloatStatusOffset)] public uint Mxcsr;

    /// <summary>Current privilege level, 0–3.</summary>
    [FieldOffset(SystemOffset + 28)] public uint Cpl;

    /// <summary>Control registers.</summary>
    [FieldOffset(SystemOffset + 32)] public ulong Cr0;

    /// <inheritdoc cref="Cr0"/>
    [FieldOffset(SystemOffset + 40)] public ulong Cr2;

    /// <inheritdoc cref="Cr0"/>
    [FieldOffset(SystemOffset + 48)] public ulong Cr3;

    /// <inheritdoc cref="Cr0"/>
    [FieldOffset(SystemOffset + 56)] public ulong Cr4;

    /// <summary>IA32_EFER.</summary>
    [FieldOffset(SystemOffset + 64)] public ulong Efer;

    /// <summary>XCR0.</summary>
    [FieldOffset(SystemOffset + 72)] public ulong Xcr0;

    /// <summary>DR0–DR3 at 0–3, DR6 at 6, DR7 at 7.</summary>
    [FieldOffset(SystemOffset + 80)] public fixed ulong Dr[8];

    /// <summary>GDTR base.</summary>
    [FieldOffset(SystemOffset + 144)] public ulong GdtrBase;

    /// <summary>IDTR base.</summary>
    [FieldOffset(SystemOffset + 152)] public ulong IdtrBase;

    /// <summary>GDTR limit.</summary>
    [FieldOffset(SystemOffset + 160)] public ushort GdtrLimit;

    /// <summary>IDTR limit.</summary>
    [FieldOffset(SystemOffset + 162)] public ushort IdtrLimit;

    /// <summary>IA32_KERNEL_GS_BASE.</summary>
    [FieldOffset(SystemOffset + 168)] public ulong KernelGsBase;

    /// <summary>IA32_STAR.</summary>
    [FieldOffset(SystemOffset + 176)] public ulong Star;

    /// <summary>IA32_LSTAR.</summary>
    [FieldOffset(SystemOffset + 184)] public ulong Lstar;

    /// <summary>IA32_CSTAR.</summary>
    [FieldOffset(SystemOffset + 192)] public ulong Cstar;

    /// <summary>IA32_FMASK.</summary>
    [FieldOffset(SystemOffset + 200)] public ulong Fmask;

    /// <summary>IA32_SYSENTER_CS.</summary>
    [FieldOffset(SystemOffset + 208)] public ulong SysenterCs;

    /// <summary>IA32_SYSENTER_ESP.</summary>
    [FieldOffset(SystemOffset + 216)] public ulong SysenterEsp;

    /// <summary>IA32_SYSENTER_EIP.</summary>
    [FieldOffset(SystemOffset + 224)] public ulong SysenterEip;

    /// <summary>IA32_TSC_AUX.</summary>
    [FieldOffset(SystemOffset + 232)] public ulong TscAux;

    /// <summary>Non-zero while interrupts are inhibited for one instruction after STI or a load of SS.</summary>
    [FieldOffset(SystemOffset + 240)] public uint InterruptShadow;

    /// <summary>Non-zero while HLT waits.</summary>
    [FieldOffset(SystemOffset + 244)] public uint Halted;

    /// <summary>Hidden parts of ES, CS, SS, DS, FS, GS, then LDTR at 6 and TR at 7.</summary>
    [FieldOffset(SystemOffset + 256)] public SegmentCaches Segment;

    /// <summary>The page-directory-pointer entries cached by the last load of CR3 under PAE paging (SDM vol. 3, 4.4.1).</summary>
    [FieldOffset(SystemOffset + 384)] public fixed ulong Pdpte[4];

    /// <summary>Debug traps (DR6 bits) that the running instruction has earned; delivered when it is complete.</summary>
    [FieldOffset(SystemOffset + 416)] public ulong PendingDebugTraps;

    /// <summary>Guest TSC minus nanoseconds of virtual time.</summary>
    [FieldOffset(SystemOffset + 424)] public ulong TscOffset;

    /// <summary>IA32_TSC_ADJUST.</summary>
    [FieldOffset(SystemOffset + 432)] public ulong TscAdjust;

    /// <summary>IA32_PAT.</summary>
    [FieldOffset(SystemOffset + 440)] public ulong Pat;

    /// <summary>IA32_MISC_ENABLE.</summary>
    [FieldOffset(SystemOffset + 448)] public ulong MiscEnable;

    /// <summary>Non-zero from the delivery of an NMI until the next IRET.</summary>
    [FieldOffset(SystemOffset + 456)] public uint NmiBlocked;

    /// <summary>Non-zero while an NMI is latched.</summary>
    [FieldOffset(SystemOffset + 460)] public uint NmiPending;

    /// <summary>Non-zero while the CPU waits for a start-up IPI.</summary>
    [FieldOffset(SystemOffset + 464)] public uint WaitForSipi;

    /// <summary>Exceptions of a vector instruction of which only the first half is computed: <see cref="Simd.Mxcsr.BeginGather"/>.</summary>
    [FieldOffset(SystemOffset + 468)] public uint GatheredExceptions;
}

/// <summary>The eight hidden segment parts: ES, CS, SS, DS, FS, GS, LDTR, TR.</summary>
[System.Runtime.CompilerServices.InlineArray(8)]
public struct SegmentCaches
{
    private SegmentCache _first;
}

/// <summary>Segment register numbers in encoding order, with LDTR and TR behind.</summary>
public static class X86Segment
{
    /// <summary>ES.</summary>
    public const int Es = 0;

    /// <summary>CS.</summary>
    public const int Cs = 1;

    /// <summary>SS.</summary>
    public const int Ss = 2;

    /// <summary>DS.</summary>
    public const int Ds = 3;

    /// <summary>FS.</summary>
    public const int Fs = 4;

    /// <summary>GS.</summary>
    public const int Gs = 5;

    /// <summary>LDTR.</summary>
    public const int Ldtr = 6;

    /// <summary>TR.</summary>
    public const int Tr = 7;
}

/// <summary>General register numbers in encoding order.</summary>
public static class X86Gpr
{
    /// <summary>RAX.</summary>
    public const int Rax = 0;

    /// <summary>RCX.</summary>
    public const int Rcx = 1;

    /// <summary>RDX.</summary>
    public const int Rdx = 2;

    /// <summary>RBX.</summary>
    public const int Rbx = 3;

    /// <summary>RSP.</summary>
    public const int Rsp = 4;

    /// <summary>RBP.</summary>
    public const int Rbp = 5;

    /// <summary>RSI.</summary>
    public const int Rsi = 6;

    /// <summary>RDI.</summary>
    public const int Rdi = 7;

    /// <summary>R11.</summary>
    public const int R11 = 11;
}

/// <summary>Slots of the x86 registers (byte offsets into <see cref="X86CpuState"/>).</summary>
public static class X86Slots
{
    /// <summary>Slot of general register <paramref name="number"/> (0–15).</summary>
    public static ushort Gpr(int number) => (ushort)(X86CpuState.GprOffset + (number * 8));

    /// <summary>Slot of the base of segment register <paramref name="number"/> (0–5).</summary>
    public static ushort SegmentBase(int number) => (ushort)(X86CpuState.SegmentBaseOffset + (number * 8));

    /// <summary>From the low to the high half of a vector register.</summary>
    public const ushort HighHalf = CpuHeader.VectorStride;

    /// <summary>Slot of the low half of vector register <paramref name="number"/> (0–15; 16–19 are temporaries).</summary>
    public static ushort Vector(int number) => (ushort)(X86CpuState.VectorOffset + (number * X86CpuState.VectorStride));

    /// <summary>Slot of x87 physical (MMX) register <paramref name="number"/>.</summary>
    public static ushort Mmx(int number) => (ushort)(X86CpuState.X87Offset + (number * 16));

    /// <summary>Slot of <see cref="X86CpuState.X87InstructionPointer"/>.</summary>
    public const ushort X87InstructionPointer = X86CpuState.SystemOffset + 8;

    /// <summary>Slot of <see cref="X86CpuState.X87DataPointer"/>.</summary>
    public const ushort X87DataPointer = X86CpuState.SystemOffset + 16;

    /// <summary>True for slots that hold guest state, false for vector temporaries (those of the header are known to the IR).</summary>
    public static bool IsArchitectural(ushort slot) => slot < Vector(16) || slot >= X86CpuState.X87Offset;

    /// <summary>Slot of temporary <paramref name="number"/>.</summary>
    public static ushort Temporary(int number) => (ushort)(CpuHeader.TemporarySlot + (number * 8));
}

/// <summary>Bits of RFLAGS (SDM vol. 1, 3.4.3).</summary>
public static class Rflags
{
    /// <summary>Carry.</summary>
    public const ulong Cf = 1 << 0;

    /// <summary>Always one.</summary>
    public const ulong Reserved1 = 1 << 1;

    /// <summary>Parity.</summary>
    public const ulong Pf = 1 << 2;

    /// <summary>Auxiliary carry.</summary>
    public const ulong Af = 1 << 4;

    /// <summary>Zero.</summary>
    public const ulong Zf = 1 << 6;

    /// <summary>Sign.</summary>
    public const ulong Sf = 1 << 7;

    /// <summary>Trap.</summary>
    public const ulong Tf = 1 << 8;

    /// <summary>Interrupt enable.</summary>
    public const ulong If = 1 << 9;

    /// <summary>Direction.</summary>
    public const ulong Df = 1 << 10;

    /// <summary>Overflow.</summary>
    public const ulong Of = 1 << 11;

    /// <summary>Shift of the two IOPL bits.</summary>
    public const int IoplShift = 12;

    /// <summary>IOPL.</summary>
    public const ulong Iopl = 3 << 12;

    /// <summary>Nested task.</summary>
    public const ulong Nt = 1 << 14;

    /// <summary>Resume.</summary>
    public const ulong Rf = 1 << 16;

    /// <summary>Virtual 8086.</summary>
    public const ulong Vm = 1 << 17;

    /// <summary>Alignment check, and SMAP override.</summary>
    public const ulong Ac = 1 << 18;

    /// <summary>Virtual interrupt flag.</summary>
    public const ulong Vif = 1 << 19;

    /// <summary>Virtual interrupt pending.</summary>
    public const ulong Vip = 1 << 20;

    /// <summary>CPUID present.</summary>
    public const ulong Id = 1 << 21;

    /// <summary>The flags kept lazily: CF, PF, AF, ZF, SF, OF.</summary>
    public const ulong Arithmetic = Cf | Pf | Af | Zf | Sf | Of;
}

/// <summary>Bits of CR0, CR4 and EFER (SDM vol. 3, 2.2.1 and 2.5).</summary>
public static class ControlBits
{
    /// <summary>CR0: protection enable.</summary>
    public const ulong Cr0Pe = 1 << 0;

    /// <summary>CR0: monitor coprocessor.</summary>
    public const ulong Cr0Mp = 1 << 1;

    /// <summary>CR0: emulation.</summary>
    public const ulong Cr0Em = 1 << 2;

    /// <summary>CR0: task switched.</summary>
    public const ulong Cr0Ts = 1 << 3;

    /// <summary>CR0: extension type, always one.</summary>
    public const ulong Cr0Et = 1 << 4;

    /// <summary>CR0: numeric error.</summary>
    public const ulong Cr0Ne = 1 << 5;

    /// <summary>CR0: write protect.</summary>
    public const ulong Cr0Wp = 1 << 16;

    /// <summary>CR0: alignment mask.</summary>
    public const ulong Cr0Am = 1 << 18;

    /// <summary>CR0: not write-through.</summary>
    public const ulong Cr0Nw = 1 << 29;

    /// <summary>CR0: cache disable.</summary>
    public const ulong Cr0Cd = 1 << 30;

    /// <summary>CR0: paging.</summary>
    public const ulong Cr0Pg = 1UL << 31;

    /// <summary>CR4: virtual-8086 extensions.</summary>
    public const ulong Cr4Vme = 1 << 0;

    /// <summary>CR4: protected-mode virtual interrupts.</summary>
    public const ulong Cr4Pvi = 1 << 1;

    /// <summary>CR4: time-stamp disable.</summary>
    public const ulong Cr4Tsd = 1 << 2;

    /// <summary>CR4: debugging extensions.</summary>
    public const ulong Cr4De = 1 << 3;

    /// <summary>CR4: page-size extensions.</summary>
    public const ulong Cr4Pse = 1 << 4;

    /// <summary>CR4: physical-address extension.</summary>
    public const ulong Cr4Pae = 1 << 5;

    /// <summary>CR4: machine-check enable.</summary>
    public const ulong Cr4Mce = 1 << 6;

    /// <summary>CR4: page-global enable.</summary>
    public const ulong Cr4Pge = 1 << 7;

    /// <summary>CR4: performance-counter enable.</summary>
    public const ulong Cr4Pce = 1 << 8;

    /// <summary>CR4: FXSAVE and SSE enabled by the OS.</summary>
    public const ulong Cr4Osfxsr = 1 << 9;

    /// <summary>CR4: the OS handles #XM.</summary>
    public const ulong Cr4Osxmmexcpt = 1 << 10;

    /// <summary>CR4: user-mode instruction prevention.</summary>
    public const ulong Cr4Umip = 1 << 11;

    /// <summary>CR4: RDFSBASE and relatives.</summary>
    public const ulong Cr4Fsgsbase = 1 << 16;

    /// <summary>CR4: process-context identifiers.</summary>
    public const ulong Cr4Pcide = 1 << 17;

    /// <summary>CR4: XSAVE enabled by the OS.</summary>
    public const ulong Cr4Osxsave = 1 << 18;

    /// <summary>CR4: supervisor-mode execution prevention.</summary>
    public const ulong Cr4Smep = 1 << 20;

    /// <summary>CR4: supervisor-mode access prevention.</summary>
    public const ulong Cr4Smap = 1 << 21;

    /// <summary>EFER: SYSCALL enable.</summary>
    public const ulong EferSce = 1 << 0;

    /// <summary>EFER: long mode enable.</summary>
    public const ulong EferLme = 1 << 8;

    /// <summary>EFER: long mode active.</summary>
    public const ulong EferLma = 1 << 10;

    /// <summary>EFER: no-execute enable.</summary>
    public const ulong EferNxe = 1 << 11;
}
