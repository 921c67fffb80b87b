using Emu.Frontend.Ir;
using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>
/// x87: calls from <see cref="X87Table"/>, with the memory operand and the last-instruction pointers around them. Where all exceptions are
/// masked and the unit is there (the usual mode), nothing but the memory access can fault: one call an instruction, two for a store.
/// </content>
internal sealed unsafe partial class X86Lifter
{
    private bool IsX87Quiet => (_modeKey & (X86ModeKey.X87Masked | X86ModeKey.Emulation | X86ModeKey.TaskSwitched)) == X86ModeKey.X87Masked;

    /// <summary>Every instruction of <see cref="X87Table"/>.</summary>
    public static void X87(X86Lifter lifter, in Instruction instruction, int argument)
    {
        if (!X87Table.TryGet(instruction, out X87Entry entry))
        {
            lifter.Undefined(instruction);
            return;
        }

        bool quiet = lifter.IsX87Quiet;
        if (quiet && instruction.Code == Code.Wait)
        {
            return; // nothing is ever pending
        }

        if (!quiet)
        {
            lifter.CallX87(entry.Check, IrCallEffects.MayFault | IrCallEffects.Float);
        }

        if (entry.Memory == X87Memory.Store && quiet)
        {
            lifter.StoreX87(instruction, entry);
            lifter.SetX87Pointers(instruction, entry);
            return;
        }

        (ushort a, ushort b) = lifter.X87Operands(instruction, entry);
        ushort result = lifter.Temporary();
        ref IrOp op = ref lifter.CallX87(entry.Helper, EffectsOf(entry, quiet));
        (op.Dst, op.A, op.B, op.Imm) = (result, a, b, (long)entry.Imm);
        lifter.FinishX87(instruction, entry, result);
    }

    private static IrCallEffects EffectsOf(in X87Entry entry, bool quiet) =>
        !quiet || entry.Memory is X87Memory.Address or X87Memory.Store ? IrCallEffects.MayFault | IrCallEffects.ReadsFlags | IrCallEffects.Float
        : (entry.ReadsFlags ? IrCallEffects.ReadsFlags : IrCallEffects.None) | (entry.UsesHostFloat ? IrCallEffects.Float : IrCallEffects.None);

    private (ushort A, ushort B) X87Operands(in Instruction instruction, in X87Entry entry)
    {
        ushort a = Temporary();
        switch (entry.Memory)
        {
            case X87Memory.Value when entry.MemoryBytes == 10:
                ushort b = Temporary();
                Load(IrOpcode.Load, a, IrWidth.W64, IrWidth.W64, Memory(instruction, 10, write: false));
                Load(IrOpcode.Load, b, IrWidth.W64, IrWidth.W16, Memory(instruction, 2, write: false, 8));
                return (a, b);
            case X87Memory.Value:
                Load(IrOpcode.Load, a, IrWidth.W64, WidthOf(entry.MemoryBytes), Memory(instruction, entry.MemoryBytes, write: false));
                break;
            case X87Memory.Address or X87Memory.Store:
                EmitLea(a, IrWidth.W64, Memory(instruction, entry.MemoryBytes, write: true));
                break;
            default:
                MoveImmediate(a, IrWidth.W64, entry.A);
                break;
        }

        return (a, CpuHeader.ZeroSlot);
    }

    /// <summary>A store whose exceptions are masked: the value, the store, which may fault, and then what it does to the stack and the status.</summary>
    private void StoreX87(in Instruction instruction, in X87Entry entry)
    {
        MemoryOperand memory = Memory(instruction, entry.MemoryBytes, write: true);
        ushort value = Temporary();
        ushort status = Temporary();
        CallX87(entry.Value, IrCallEffects.None).Dst = value;
        Move(status, IrWidth.W64, CpuHeader.ScratchSlot);
        if (entry.MemoryBytes == 10)
        {
            StoreTenBytes(memory, value);
        }
        else
        {
            Store(memory, WidthOf(entry.MemoryBytes), value);
        }

        ref IrOp finish = ref Call(&X87Store.Finish, IrCallEffects.None);
        (finish.A, finish.Imm) = (status, (long)entry.Imm);
    }

    // Both parts are looked at first, so that nothing is stored when one faults.
    private void StoreTenBytes(in MemoryOperand memory, ushort value)
    {
        ushort address = LinearAddress(memory);
        ushort upper = Temporary();
        var low = new MemoryOperand(IrAddress.Base, address, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
        Load(IrOpcode.LoadForWrite, Temporary(), IrWidth.W64, IrWidth.W64, low);
        Load(IrOpcode.LoadForWrite, upper, IrWidth.W16, IrWidth.W16, low with { Displacement = 8 });
        Store(low, IrWidth.W64, value);
        CallX87((nint)(delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)&X87Store.ExtendedUpper, IrCallEffects.None).Dst = upper;
        Store(low with { Displacement = 8 }, IrWidth.W16, upper);
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

        SetX87Pointers(instruction, entry);
        if (entry.ChangesMode)
        {
            ushort next = Temporary();
            MovePc(next, NextPc);
            EndWithIndirectJump(next);
        }
        else if (entry.Memory is X87Memory.Address or X87Memory.Store)
        {
            EndWithJump(NextPc); // wide stores are done by the helper and may have changed code
        }
    }

    /// <summary>The last instruction's address and its operand's. The opcode is not recorded, as on processors that keep it only for unmasked exceptions.</summary>
    private void SetX87Pointers(in Instruction instruction, in X87Entry entry)
    {
        if (!entry.SetsPointers)
        {
            return;
        }

        MovePc(X86Slots.X87InstructionPointer, Pc);
        if (entry.Memory != X87Memory.None)
        {
            EmitLea(X86Slots.X87DataPointer, IrWidth.W64, EffectiveAddress(instruction));
        }
    }

    private ref IrOp CallX87(nint helper, IrCallEffects effects) => ref Call((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)helper, effects);
}
