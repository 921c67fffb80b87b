using Emu.Frontend.Ir;
using Emu.Frontend.X86;

namespace Emu.Tests.Lift;

public sealed class IrTests
{
    private static readonly ushort Rax = X86Slots.Gpr(0);
    private static readonly ushort Rbx = X86Slots.Gpr(3);

    private readonly IrBlock _block = new();

    public IrTests()
    {
        _block.Begin(0x1000, 0, ulong.MaxValue, isRelative: false);
        _block.BeginInstruction(0);
    }

    [Fact]
    public void Verifier_RegisterWrittenBeforeALoad_IsReported()
    {
        Binary(IrOpcode.Add, setsFlags: false);
        _block.Add(IrOpcode.Load, IrWidth.W64).Dst = Rbx;
        _block.AddJump(0x1004, 1);

        Assert.Contains("op 0 (Add) writes state", IrVerifier.FindViolation(_block, X86Slots.IsArchitectural), StringComparison.Ordinal);
    }

    [Fact]
    public void Verifier_StoreAfterLoadForWrite_MayFollowTheFlags()
    {
        _block.Add(IrOpcode.LoadForWrite, IrWidth.W64).Dst = X86Slots.Temporary(0);
        ref IrOp add = ref _block.Add(IrOpcode.Add, IrWidth.W64);
        (add.Dst, add.A, add.B, add.SetsFlags) = (X86Slots.Temporary(0), X86Slots.Temporary(0), Rax, true);
        _block.Add(IrOpcode.Store, IrWidth.W64).Dst = X86Slots.Temporary(0);
        _block.AddJump(0x1004, 1);

        Assert.Null(IrVerifier.FindViolation(_block, X86Slots.IsArchitectural));
    }

    [Fact]
    public void Verifier_BlockWithoutExit_IsReported()
    {
        Binary(IrOpcode.Add, setsFlags: true);

        Assert.NotNull(IrVerifier.FindViolation(_block, X86Slots.IsArchitectural));
    }

    [Fact]
    public void Optimizer_FlagsReplacedBeforeUse_AreNotSet()
    {
        Binary(IrOpcode.Add, setsFlags: true);
        Binary(IrOpcode.Sub, setsFlags: true);
        _block.AddJump(0x1004, 1);

        IrOptimizer.Run(_block);

        Assert.Equal([false, true, false], _block.Ops.ToArray().Select(op => op.SetsFlags));
    }

    [Fact]
    public void Optimizer_FaultInBetween_KeepsTheFlags()
    {
        Binary(IrOpcode.Add, setsFlags: true);
        _block.Add(IrOpcode.Load, IrWidth.W64).Dst = Rbx;
        Binary(IrOpcode.Sub, setsFlags: true);
        _block.AddJump(0x1004, 1);

        IrOptimizer.Run(_block);

        Assert.True(_block.Ops[0].SetsFlags);
    }

    [Fact]
    public void Optimizer_IncrementReadsCarry_KeepsTheFlagsBefore()
    {
        Binary(IrOpcode.Add, setsFlags: true);
        ref IrOp increment = ref _block.Add(IrOpcode.Increment, IrWidth.W64);
        (increment.Dst, increment.A, increment.SetsFlags) = (Rbx, Rbx, true);
        _block.AddJump(0x1004, 1);

        IrOptimizer.Run(_block);

        Assert.True(_block.Ops[0].SetsFlags);
    }

    [Fact]
    public void AddJumpIf_RightAfterCompare_IsFused()
    {
        ref IrOp compare = ref _block.Add(IrOpcode.Compare, IrWidth.W32);
        (compare.A, compare.B, compare.SetsFlags) = (Rax, Rbx, true);
        _block.NoteFlags(FlagsKind.Sub, IrWidth.W32);

        _block.AddJumpIf(IrCondition.Less, 0x1100, 2);
        _block.AddJump(0x1004, 2);

        Assert.Equal([IrOpcode.CompareJump, IrOpcode.Jump], _block.Ops.ToArray().Select(op => op.Opcode));
        Assert.Equal(0x1100UL, IrBlock.JumpTarget(0x1000, ulong.MaxValue, _block.Ops[0].Imm));
    }

    [Fact]
    public void Opcodes_StayFewerThanAHundred() => Assert.InRange(Enum.GetValues<IrOpcode>().Length, 1, 99);

    private void Binary(IrOpcode opcode, bool setsFlags)
    {
        ref IrOp op = ref _block.Add(opcode, IrWidth.W64);
        (op.Dst, op.A, op.B, op.SetsFlags) = (Rax, Rax, Rbx, setsFlags);
    }
}
