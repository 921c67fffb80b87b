using System.Globalization;
using System.Text;

namespace Emu.Frontend.Ir;

/// <summary>Text form of IR, for <c>-d op</c> and golden tests.</summary>
public static class IrDump
{
    /// <summary>The whole block: a line per op, with the guest instructions' addresses between.</summary>
    public static string Format(IrBlock block)
    {
        ArgumentNullException.ThrowIfNull(block);
        var text = new StringBuilder();
        int instruction = 0;
        for (int i = 0; i < block.OpCount; i++)
        {
            while (instruction < block.InstructionCount && block.Instructions[instruction].FirstOp == i)
            {
                text.Append(CultureInfo.InvariantCulture, $"---- {block.StartPc + block.Instructions[instruction++].PcOffset:x}\n");
            }

            if (block.Ops[i].Opcode != IrOpcode.Nop)
            {
                text.Append("  ").Append(Format(block.Ops[i], block.StartPc, block.PcMask)).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>One op of a block that starts at <paramref name="startPc"/>.</summary>
    public static string Format(in IrOp op, ulong startPc, ulong pcMask)
    {
        var text = new StringBuilder($"{op.Opcode}.{op.Width}{(op.SetsFlags ? ".f" : string.Empty)}");
        switch (op.Opcode)
        {
            case IrOpcode.Jump or IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump:
                string condition = op.Opcode == IrOpcode.Jump ? string.Empty : $" {op.Condition}";
                string operands = op.Opcode is IrOpcode.CompareJump or IrOpcode.TestJump
                    ? $" [{op.A:x}], {(op.ImmediateB ? ((int)op.Imm).ToString("x", CultureInfo.InvariantCulture) : $"[{op.B:x}]")}"
                    : string.Empty;
                text.Append(CultureInfo.InvariantCulture, $"{condition}{operands} -> {IrBlock.JumpTarget(startPc, pcMask, op.Imm):x}");
                break;
            case IrOpcode.SetCondition or IrOpcode.Select:
                text.Append(CultureInfo.InvariantCulture, $" [{op.Dst:x}] <- {op.Condition} ? [{op.B:x}] : [{op.A:x}]");
                break;
            case IrOpcode.Store:
                string value = op.ImmediateB ? (op.Imm >> 32).ToString("x", CultureInfo.InvariantCulture) : $"[{op.Dst:x}]";
                text.Append(CultureInfo.InvariantCulture, $" {Address(op)} <- {value}");
                break;
            case IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite or IrOpcode.Lea:
                text.Append(CultureInfo.InvariantCulture, $" [{op.Dst:x}] <- {Address(op)}");
                break;
            default:
                string second = op.ImmediateB ? op.Imm.ToString("x", CultureInfo.InvariantCulture) : $"[{op.B:x}]";
                text.Append(CultureInfo.InvariantCulture, $" [{op.Dst:x}] <- [{op.A:x}], {second}{(op.Opcode == IrOpcode.Call ? $" imm {op.Imm:x}" : string.Empty)}");
                break;
        }

        return text.ToString();
    }

    private static string Address(in IrOp op) => op.Address switch
    {
        IrAddress.Base => $"mem([{op.A:x}] + {(int)op.Imm:x})",
        IrAddress.BaseIndex => $"mem([{op.A:x}] + [{op.B:x}] << {op.Scale} + {(int)op.Imm:x})",
        _ => $"mem{(op.Address == IrAddress.Wrap32 ? "32" : string.Empty)}([{op.C:x}] + [{op.A:x}] + [{op.B:x}] << {op.Scale} + {(int)op.Imm:x})",
    };
}
