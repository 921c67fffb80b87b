using System.Runtime.InteropServices;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.Ir;

/// <summary>
/// The ISA-neutral start of every vCPU's native state block. IR operands are <b>slots</b>: byte offsets from the start of
/// this block to 8-byte cells (a guest register, a temporary) or 16-byte cells (a vector register, or a part of a wider one). The frontend's own
/// state struct begins with this header and lays out its registers behind it.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = Size)]
public unsafe struct CpuHeader
{
    /// <summary>Size of the header in bytes; the frontend's registers follow.</summary>
    public const int Size = TemporarySlot + (TemporaryCount * 8);

    /// <summary>Number of 8-byte temporaries.</summary>
    public const int TemporaryCount = 47;

    /// <summary>
    /// Slots from <see cref="Size"/> to here hold scalar registers, 8 bytes each, which no op or helper reaches through a pointer other than
    /// as <see cref="IrCallEffects"/> say; vector registers and the rest lie behind.
    /// </summary>
    public const ushort ScalarEnd = 1024;

    /// <summary>Bytes from one vector register of the IR to the next. Wider registers of the guest are several.</summary>
    public const int VectorStride = 16;

    /// <summary>Number of vector registers, temporaries included.</summary>
    public const int VectorCount = 40;

    /// <summary>Number of the first vector temporary: it holds a value only inside one instruction.</summary>
    public const int VectorTemporary = 32;

    /// <summary>End of the vector registers, which begin at <see cref="ScalarEnd"/>.</summary>
    public const ushort VectorEnd = ScalarEnd + (VectorCount * VectorStride);

    /// <summary>Slot of a vector that always reads zero.</summary>
    public const ushort ZeroVectorSlot = VectorEnd;

    /// <summary>Slot of a vector that nothing reads.</summary>
    public const ushort UnusedVectorSlot = ZeroVectorSlot + VectorStride;

    /// <summary>Slot of the program counter.</summary>
    public const ushort PcSlot = 0x30;

    /// <summary>Slot that always reads zero: the base of an address without base or index.</summary>
    public const ushort ZeroSlot = 0x60;

    /// <summary>Slot of <see cref="Scratch"/>.</summary>
    public const ushort ScratchSlot = 0x68;

    /// <summary>Offset of <see cref="FloatStatus"/>.</summary>
    public const int FloatStatusOffset = 0x78;

    /// <summary>Slot of <see cref="FlagsResult"/>.</summary>
    public const ushort FlagsResultSlot = 0x48;

    /// <summary>Slot of <see cref="PcPage"/>.</summary>
    public const ushort PcPageSlot = 128;

    /// <summary>Slot of temporary 0; the others follow, 8 bytes apart.</summary>
    public const ushort TemporarySlot = 136;

    /// <summary>Non-zero asks running code to return to the dispatcher at the next block end. Written by any thread.</summary>
    [FieldOffset(0x00)] public int ExitRequest;

    /// <summary>Why the handlers returned to the dispatcher (a <see cref="LeaveReason"/>).</summary>
    [FieldOffset(0x04)] public LeaveReason Leave;

    /// <summary>The softmmu table of the current mode.</summary>
    [FieldOffset(0x08)] public TlbEntry* Tlb;

    /// <summary>Guest instructions completed.</summary>
    [FieldOffset(0x10)] public ulong Instructions;

    /// <summary>The op in execution, stored before anything that may fault: names the guest instruction.</summary>
    [FieldOffset(0x18)] public nint CurrentOp;

    /// <summary>GCHandle of the managed vCPU.</summary>
    [FieldOffset(0x20)] public nint Owner;

    /// <summary>The jump cache: translated code by program counter.</summary>
    [FieldOffset(0x28)] public JumpCacheEntry* JumpCache;

    /// <summary>Program counter; valid between blocks and where an op wrote it, stale inside a block.</summary>
    [FieldOffset(PcSlot)] public ulong Pc;

    /// <summary>Identifies the CPU mode a translation depends on; equal keys and equal code give equal translations.</summary>
    [FieldOffset(0x38)] public ulong ModeKey;

    /// <summary>Lazy flags: what was computed (<see cref="FlagsKind"/> × 4 + width index).</summary>
    [FieldOffset(0x40)] public ulong FlagsOp;

    /// <summary>Lazy flags: the result, zero-extended; with <see cref="FlagsKind.Materialised"/> the flag bits themselves.</summary>
    [FieldOffset(FlagsResultSlot)] public ulong FlagsResult;

    /// <summary>Lazy flags: the second operand (or what the kind says), zero-extended.</summary>
    [FieldOffset(0x50)] public ulong FlagsSource;

    /// <summary>Lazy flags: carry-in of add/subtract with carry, preserved carry of increment/decrement (0 or 1).</summary>
    [FieldOffset(0x58)] public ulong FlagsCarry;

    /// <summary>Always zero (<see cref="ZeroSlot"/>).</summary>
    [FieldOffset(ZeroSlot)] public ulong Zero;

    /// <summary>Second result of helpers that return more than 64 bits.</summary>
    [FieldOffset(ScratchSlot)] public ulong Scratch;

    /// <summary>GCHandle of the vCPU's <see cref="SoftMmu.SoftMmu"/>.</summary>
    [FieldOffset(0x70)] public nint Mmu;

    /// <summary>
    /// Control and exception flags of vector floating point. Bits 5:0 are the flags (invalid, denormal, divide by zero, overflow,
    /// underflow, inexact), which stay set until the guest clears them; the rest is the frontend's own control.
    /// </summary>
    [FieldOffset(FloatStatusOffset)] public uint FloatStatus;

    /// <summary>
    /// Changes whenever what was known of code addresses may have become wrong, in the address space in use, for code in pages that are not
    /// global. Compiled code compares it with what it was when a page was looked at last. Never zero.
    /// </summary>
    [FieldOffset(0x7c)] public uint CodeEpoch;

    /// <summary>
    /// Page of the program counter at the start of the block in execution, where that is position-independent
    /// (<see cref="IrBlock.IsRelative"/>): what its program counters are relative to.
    /// </summary>
    [FieldOffset(PcPageSlot)] public ulong PcPage;
}

/// <summary>Why translated code returned to the dispatcher.</summary>
public enum LeaveReason
{
    /// <summary>A block ended; the program counter is set. The returned op is the exit to link, if it can be linked.</summary>
    BlockEnd,

    /// <summary>The instruction at <see cref="CpuHeader.CurrentOp"/> faulted; the fault is recorded in the frontend's CPU.</summary>
    Fault,

    /// <summary>The instruction at <see cref="CpuHeader.CurrentOp"/> writes to its own block: execute it alone, then look the code up again.</summary>
    SelfModify,

    /// <summary>The returned op, a block's counter, has run out: the block is hot. Execution continues at the op behind it.</summary>
    HotBlock,

    /// <summary>
    /// Compiled code goes on in a page that was not looked at since the code epoch changed; the program counter is set. Otherwise as
    /// <see cref="Lookup"/>.
    /// </summary>
    PageCheck,

    /// <summary>A block that may chain ended in a jump whose target the jump cache does not know, or there is a request; the program counter is set.</summary>
    Lookup,
}

/// <summary>One entry of the jump cache: valid when both tags match.</summary>
[StructLayout(LayoutKind.Sequential)]
public struct JumpCacheEntry
{
    /// <summary>Number of entries; a power of two.</summary>
    public const int Count = 16384;

    /// <summary>A mode key that no CPU has: the entry is empty.</summary>
    public const ulong NoMode = ulong.MaxValue;

    /// <summary>Program counter of the block.</summary>
    public ulong Pc;

    /// <summary>Mode key of the block.</summary>
    public ulong ModeKey;

    /// <summary>First op, or zero.</summary>
    public nint Code;

    /// <summary>The block's number in the engine.</summary>
    public int BlockNumber;

    /// <summary>Non-zero when the code lies in a global page.</summary>
    public int IsGlobal;

    /// <summary>The entry number for <paramref name="pc"/>.</summary>
    public static int IndexOf(ulong pc) => (int)((pc ^ (pc >> 10)) & (Count - 1));
}
