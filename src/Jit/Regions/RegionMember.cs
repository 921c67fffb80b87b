using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>A block chosen for a region, before it is known which of its targets are in the region.</summary>
/// <param name="Block">The translation.</param>
/// <param name="Pc">Its program counter, as the region names it (<see cref="Region.IsRelative"/>); so are the targets.</param>
/// <param name="Ops">Its intermediate code.</param>
/// <param name="Jumps">Its direct jumps: index of the op and target.</param>
/// <param name="Pages">Its pages, a bit each (<see cref="RegionPages"/>).</param>
internal sealed record RegionMember(TranslationBlock Block, ulong Pc, IrOp[] Ops, List<(int Op, ulong Target)> Jumps, uint Pages)
{
    /// <summary>Where control goes on when what the block calls returns; null when it does not end in a call.</summary>
    public ulong? ReturnSite => EndsIn(IrJumpKind.Call) ? (Pc + (uint)Block.ByteLength) & Block.PcMask : null;

    /// <summary>The block ends in a return.</summary>
    public bool IsReturn => EndsIn(IrJumpKind.Return);

    /// <summary>Where its indirect jump went lately.</summary>
    public ulong[] SeenTargets { get; } = Ops is [.., { Opcode: IrOpcode.JumpIndirect }] ? JumpHistory.Read(Block, Pc) : [];

    /// <summary>What the block does first depends on the flags. Where it is entered from outside nothing is known of them.</summary>
    public bool ReadsFlagsFirst => Array.Find(Ops, op => op.ReadsFlags || op.ReplacesFlags) is { ReadsFlags: true, Opcode: not (IrOpcode.Increment or IrOpcode.Decrement) };

    private bool EndsIn(IrJumpKind kind) => Ops is [.., { Opcode: IrOpcode.Jump or IrOpcode.JumpIndirect } last] && last.JumpKind == kind;
}
