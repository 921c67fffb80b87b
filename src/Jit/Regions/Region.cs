using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// A piece of hot guest code that is compiled as one method: blocks of one mode, in one page or several, entered at some of them. Built on the vCPU's thread,
/// compiled on another; nothing in it changes in between. Every place where compiled code can leave is a tier-0 op
/// (<see cref="RegionBlock.Tier0"/>), so that leaving means: write the registers back, jump to that op.
/// </summary>
internal sealed class Region
{
    /// <summary>The blocks; control enters at number 0, and where <see cref="Entries"/> says.</summary>
    public required RegionBlock[] Blocks { get; init; }

    /// <summary>
    /// Numbers of the blocks where control enters, ascending, 0 among them. The op that the code is called with tells which:
    /// the head of that block, which is the op before <see cref="RegionBlock.Tier0"/>.
    /// </summary>
    public int[] Entries { get; init; } = [0];

    /// <summary>The pages of the blocks, at most <see cref="RegionPages.Most"/>. A block is only gone to when its pages are what they were.</summary>
    public IReadOnlyList<CodePageGuard> Pages { get; init; } = [];

    /// <summary>
    /// Program counters of the blocks are relative to the page in which block 0 begins, which is mapped at many places. In translated code
    /// <see cref="CpuHeader.PcPage"/> is the page of the block in execution.
    /// </summary>
    public bool IsRelative { get; init; }

    /// <summary>The page that program counters were relative to when the region was formed, for those who read about it; zero where they are absolute.</summary>
    public ulong Origin { get; init; }

    /// <summary>Program counter of block 0 when the region was formed.</summary>
    public ulong FormedAt => Origin + Blocks[0].Pc;

    /// <summary>Applied to every program counter that leaves the region.</summary>
    public required ulong PcMask { get; init; }

    /// <summary>Where direct jumps leave the region.</summary>
    public IEnumerable<ulong> Exits => Blocks.SelectMany(block => block.Edges.Where(edge => edge.Block < 0).Select(edge => block.Ops[edge.Op])
        .Where(op => op.Opcode != IrOpcode.JumpIndirect).Select(op => IrBlock.JumpTarget(block.Pc, PcMask, op.Imm)));

    /// <summary>Guest instructions in all blocks.</summary>
    public int InstructionCount => Blocks.Sum(block => block.Instructions.Length);
}

/// <summary>One block of a <see cref="Region"/>, with its own copy of the optimised IR, without <see cref="IrOpcode.Nop"/>s.</summary>
internal sealed unsafe class RegionBlock
{
    /// <summary>Program counter of the first instruction; see <see cref="Region.IsRelative"/>.</summary>
    public required ulong Pc { get; init; }

    /// <summary>The page of <see cref="Pc"/>.</summary>
    public ulong Page => Pc & ~0xfffUL;

    /// <summary>The <see cref="Region.Pages"/> that the block lies in, a bit each.</summary>
    public uint Pages { get; init; }

    /// <summary>The ops; the last one or two end the block.</summary>
    public required IrOp[] Ops { get; init; }

    /// <summary>
    /// The block's tier-0 code: <c>Tier0 + i</c> does what <c>Ops[i]</c> does. Execution may continue there at the first op of an
    /// instruction and at the ops that end the block, with all guest state in the vCPU's state block.
    /// </summary>
    public required Op* Tier0 { get; init; }

    /// <summary>The <see cref="JumpHistory"/> of the indirect jump at its end, or zero.</summary>
    public nint History { get; init; }

    /// <summary>Index of the first op of each guest instruction, ascending.</summary>
    public required ushort[] Instructions { get; init; }

    /// <summary>
    /// Where the block leads, by the order of the jump ops: the taken one first for a conditional end. Those of an indirect jump are guesses,
    /// the most likely first.
    /// </summary>
    public required RegionEdge[] Edges { get; init; }
}

/// <summary>A target of a jump.</summary>
/// <param name="Op">Index of the jump op in its block.</param>
/// <param name="Block">Number of the block in the region, or −1 when the jump leaves it.</param>
/// <param name="IsBackward">
/// Looks at <see cref="CpuHeader.ExitRequest"/>: every cycle of the region has at least one such edge, and so has every block with a
/// helper that may have changed code of the region, in which case a request is made.
/// </param>
internal readonly record struct RegionEdge(int Op, int Block, bool IsBackward);
