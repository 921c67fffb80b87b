using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;

namespace Emu.Jit;

/// <summary>Names a translation: the same code in the same mode and, where it depends on it, at the same address.</summary>
/// <param name="Physical">Physical address of the first byte.</param>
/// <param name="Pc">Program counter of the first byte; only its offset in the page where the translation is good for any page.</param>
/// <param name="ModeKey">The CPU mode.</param>
internal readonly record struct BlockKey(ulong Physical, ulong Pc, ulong ModeKey);

/// <summary>A jump that goes from block to block without the dispatcher.</summary>
/// <param name="Jump">Address of the jump op.</param>
/// <param name="From">The block that it ends.</param>
/// <param name="To">The block that it enters.</param>
internal readonly record struct BlockLink(nint Jump, TranslationBlock From, TranslationBlock To);

/// <summary>One translated block: its place in guest code, its ops in native memory, and the jumps linked to it.</summary>
internal sealed unsafe class TranslationBlock(BlockKey key, int number, Op* code, int byteLength, int opCount)
{
    /// <summary>The block's name.</summary>
    public BlockKey Key { get; } = key;

    /// <summary>Index in the engine's list; −1 for a block that is run once.</summary>
    public int Number { get; } = number;

    /// <summary>First op of the first instruction.</summary>
    public Op* Code { get; } = code;

    /// <summary>
    /// Where jumps and the dispatcher enter: the head op before <see cref="Code"/> in a block that is counted, whose handler counts, or
    /// is the compiled region that starts here; else the same as <see cref="Code"/>.
    /// </summary>
    public required Op* Entry { get; init; }

    /// <summary>True when the block has a head and may be in regions.</summary>
    public bool IsCounted => Entry != Code;

    /// <summary>What was allocated at <see cref="Entry"/>, in ops.</summary>
    public required int Room { get; init; }

    /// <summary>Number of ops, the end marker excluded.</summary>
    public int OpCount { get; } = opCount;

    /// <summary>The <see cref="JumpHistory"/> of the indirect jump at the end, or zero when it ends otherwise.</summary>
    public nint History { get; init; }

    /// <summary>Bytes of guest code.</summary>
    public int ByteLength { get; } = byteLength;

    /// <summary>Physical page of the part behind a page end, or null when the block lies in one page.</summary>
    public ulong? SecondPage { get; init; }

    /// <summary>Applied to program counters that leave the block.</summary>
    public ulong PcMask { get; init; }

    /// <summary>Program counters are relative to <see cref="CpuHeader.PcPage"/>: processes share the block.</summary>
    public bool IsRelative { get; init; }

    /// <summary>Where jump caches may name the block; only the first few are listed.</summary>
    public BlockAddresses Addresses { get; } = new();

    /// <summary>Exits may be linked to other blocks and the jump cache may name this one.</summary>
    public bool MayChain { get; init; }

    /// <summary>First op and byte offset of each guest instruction.</summary>
    public required (ushort FirstOp, ushort PcOffset)[] Instructions { get; init; }

    /// <summary>Jumps of other blocks, or its own, that are linked to this block.</summary>
    public List<BlockLink> IncomingLinks { get; } = [];

    /// <summary>Jumps of this block that are linked.</summary>
    public List<BlockLink> OutgoingLinks { get; } = [];

    /// <summary>False once the code changed.</summary>
    public bool IsValid { get; set; } = true;

    /// <summary>What the tiers know of a counted block.</summary>
    public BlockHeat Heat { get; } = new();

    /// <summary>Program counter of the first byte.</summary>
    /// <param name="page">Where the page that it begins in is mapped.</param>
    public ulong StartIn(ulong page) => IsRelative ? page + Key.Pc : Key.Pc;

    /// <summary>Where a jump op that is no indirect one leads.</summary>
    /// <param name="jump">The op.</param>
    /// <param name="page">Where the page that the block begins in is mapped.</param>
    public ulong TargetOf(Op* jump, ulong page) => jump->C == 0
        ? IrBlock.JumpTarget(StartIn(page), PcMask, jump->Imm)
        : (ulong)jump->Imm + (IsRelative ? page : 0);

    /// <summary>The index of the guest instruction that op number <paramref name="op"/> belongs to.</summary>
    public int InstructionAt(int op)
    {
        int index = Instructions.Length - 1;
        while (index > 0 && Instructions[index].FirstOp > op)
        {
            index--;
        }

        return index;
    }
}
