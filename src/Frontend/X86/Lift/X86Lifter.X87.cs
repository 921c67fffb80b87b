using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>x87: calls from <see cref="X87Table"/>, with the memory operand and the last-instruction pointers around them.</summary>
internal sealed unsafe partial class X86Lifter
{
    /// <summary>Every instruction of <see cref="X87Table"/>.</summary>
    public static void X87(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!X87Table.TryGet(instruction, out X87Entry entry))
        {
            lifter.Undefined(instruction);
            return;
        }

        lifter.CallX87(entry.Check, IrCallEffects.MayFault);
        ushort a = lifter.Temporary();
        ushort b = CpuHeader.ZeroSlot;
        switch (entry.Memory)
        {
            case X87Memory.Value when entry.MemoryBytes == 10:
                b = lifter.Temporary();
                lifter.Load(IrOpcode.Load, a, IrWidth.W64, IrWidth.W64, lifter.Memory(instruction, 10, write: false));
                lifter.Load(IrOpcode.Load, b, IrWidth.W64, IrWidth.W16, lifter.Memory(instruction, 2, write: false, 8));
                break;
            case X87Memory.Value:
                IrWidth width = WidthOf(entry.MemoryBytes);
                lifter.Load(IrOpcode.Load, a, IrWidth.W64, width, lifter.Memory(instruction, entry.MemoryBytes, write: false));
                break;
            case X87Memory.Address:
                lifter.EmitLea(a, IrWidth.W64, lifter.Memory(instruction, entry.MemoryBytes, write: true));
                break;
            default:
                lifter.MoveImmediate(a, IrWidth.W64, entry.A);
                break;
        }

        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter.CallX87(entry.Helper, IrCallEffects.MayFault | IrCallEffects.ReadsFlags);
        (op.Dst, op.A, op.B, op.Imm) = (result, a, b, (long)entry.Imm);
        lifter.FinishX87(instruction, entry, result);
    }

    private void FinishX87(in Instruction instruction, in X87Entry entry, ushort result)
    {
        switch (entry.Result)
        {
            case X87Result.Memory:
                Store(Memory(instruction, entry.MemoryBytes, write: true), WidthOf(entry.MemoryBytes), result);
                break;
            case X87Result.Ax:
                Move(X86Slots.Gpr(X86Gpr.Rax), IrWidth.W16, result);
                break;
            case X87Result.Flags:
                SetFlags(result);
                break;
        }

        if (entry.SetsPointers)
        {
            ushort pc = Temporary();
            ushort data = CpuHeader.ZeroSlot;
            MoveImmediate(pc, IrWidth.W64, Pc);
            if (entry.Memory != X87Memory.None)
            {
                data = Temporary();
                EmitLea(data, IrWidth.W64, EffectiveAddress(instruction));
            }

            ref IrOp op = ref Call(&StateHelpers.SetX87Pointers, IrCallEffects.None);
            (op.A, op.B, op.Imm) = (pc, data, entry.Memory != X87Memory.None ? 1 : 0);
        }

        // Wide stores are done by the helper and may have changed code.
        if (entry.Memory == X87Memory.Address)
        {
            EndWithJump(NextPc);
        }
    }

    private ref IrOp CallX87(nint helper, IrCallEffects effects) =>
        ref Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)helper, effects | IrCallEffects.Float);
}
