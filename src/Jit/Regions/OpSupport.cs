using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Which ops are compiled; the instructions of others are executed by tier 0.</summary>
internal static class OpSupport
{
    /// <summary>True when the emitter has code for <paramref name="op"/>.</summary>
    public static bool IsSupported(in IrOp op) => op.Opcode switch
    {
        IrOpcode.Exit => false,
        IrOpcode.Nop or IrOpcode.Jump or IrOpcode.JumpIf => true,
        IrOpcode.Move or IrOpcode.Load or IrOpcode.LoadForWrite or IrOpcode.Store when op.Width == IrWidth.W128 => op.Dst >= CpuHeader.ScalarEnd,
        IrOpcode.Store => op.ImmediateB || Fits(op.Dst, op.Width),
        IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite or IrOpcode.ZeroExtend or IrOpcode.SignExtend => Fits(op.Dst, op.DestinationWidth),
        IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic =>
            Fits(op.Dst, op.Width) && !(op.SetsFlags && op.ImmediateB && (op.Imm & (op.Width == IrWidth.W64 ? 63 : 31)) == 0),
        IrOpcode.LowestBit or IrOpcode.HighestBit => Fits(op.Dst, IrWidth.W64),
        IrOpcode.SetCondition => Fits(op.Dst, IrWidth.W8),
        IrOpcode.Call or IrOpcode.CallVectorValue => op.Dst == 0 || Fits(op.Dst, IrWidth.W64),
        IrOpcode.CallVector => op.Dst >= CpuHeader.ScalarEnd,
        _ when op.WritesTwo => Fits(op.Dst, op.Width) && Fits(op.C, op.Width),
        _ => op.Width <= IrWidth.W64 && Fits(op.Dst, op.Width),
    };

    // An operand in a local lies inside its 8 bytes.
    private static bool Fits(int slot, IrWidth width) =>
        slot is < CpuHeader.TemporarySlot or >= CpuHeader.ScalarEnd || (slot & 7) + (1 << (int)width) <= 8;
}
