using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>Writes IR ops as tier-0 ops.</summary>
internal static unsafe class OpEncoder
{
    /// <summary>Encodes <paramref name="ir"/> of <paramref name="block"/> at <paramref name="op"/>.</summary>
    public static void Encode(in IrOp ir, Op* op, IrBlock block)
    {
        op->Handler = HandlerTable.For(ir);
        op->Dst = ir.Dst;
        op->A = ir.A;
        op->B = ir.B;
        op->C = ir.C;
        op->Imm = ir.Imm;
        op->Target = ir.Target;
        switch (ir.Opcode)
        {
            case IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite or IrOpcode.Store or IrOpcode.Lea:
                op->Target = ir.Scale;
                break;
            case IrOpcode.Select:
                op->C = (ushort)ir.Width;
                break;
            case IrOpcode.Jump:
                EncodeJump(ir, op, block);
                break;
            case IrOpcode.JumpIndirect when !block.MayChain:
                op->Handler = HandlerTable.JumpIndirectUnchained;
                break;
            case IrOpcode.JumpIndirect when block.IsRelative:
                op->Handler = HandlerTable.JumpIndirectRelative;
                break;
            default:
                if (ir.ImmediateB && !ir.IsBlockEnd)
                {
                    op->Imm = Truncate(ir.Imm, ir.Width);
                }

                break;
        }
    }

    // Jumps out of the page are never linked; they go through the jump cache with the whole program counter, or its distance from the page. C tells.
    private static void EncodeJump(in IrOp ir, Op* op, IrBlock block)
    {
        ulong target = IrBlock.JumpTarget(block.StartPc, block.PcMask, ir.Imm);
        op->C = 0;
        if (block.MayChain && (target ^ block.StartPc) >> 12 != 0)
        {
            op->Handler = block.IsRelative ? HandlerTable.JumpFarRelative : HandlerTable.JumpFar;
            op->Imm = (long)(block.IsRelative ? target - block.StartPage : target);
            op->C = 1;
        }
    }

    private static long Truncate(long value, IrWidth width) => width switch
    {
        IrWidth.W8 => (byte)value,
        IrWidth.W16 => (ushort)value,
        IrWidth.W32 => (uint)value,
        _ => value,
    };
}
