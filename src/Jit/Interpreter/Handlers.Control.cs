using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>Helper calls and the exits of a block.</summary>
internal static unsafe partial class Handlers
{
    /// <summary>The head of a block: counts its executions in Imm and leaves when none are left.</summary>
    [MethodImpl(Hot)]
    public static Op* Count(Op* op, byte* cpu)
    {
        if (--op->Imm == 0)
        {
            return LeaveWith(op, cpu, LeaveReason.HotBlock);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Call(Op* op, byte* cpu)
    {
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        ulong result = ((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)op->Target)(
            (CpuHeader*)cpu, *(ulong*)(cpu + op->A), *(ulong*)(cpu + op->B), (ulong)op->Imm);
        *(ulong*)(cpu + op->Dst) = result;
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* CallVoid(Op* op, byte* cpu)
    {
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        ((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)op->Target)(
            (CpuHeader*)cpu, *(ulong*)(cpu + op->A), *(ulong*)(cpu + op->B), (ulong)op->Imm);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* SetFlags(Op* op, byte* cpu)
    {
        LazyFlags.SetMaterialised((CpuHeader*)cpu, *(ulong*)(cpu + op->A));
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* CheckAligned(Op* op, byte* cpu)
    {
        if ((*(ulong*)(cpu + op->A) & ((ulong)op->Imm - 1)) != 0)
        {
            return CallVoid(op, cpu);
        }

        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* CallVector(Op* op, byte* cpu)
    {
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        ((delegate*<CpuHeader*, byte*, byte*, byte*, int, void>)op->Target)((CpuHeader*)cpu, cpu + op->Dst, cpu + op->A, cpu + op->B, (int)op->Imm);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* CallVectorValue(Op* op, byte* cpu)
    {
        ((CpuHeader*)cpu)->CurrentOp = (nint)op;
        *(ulong*)(cpu + op->Dst) = ((delegate*<CpuHeader*, byte*, byte*, int, ulong>)op->Target)((CpuHeader*)cpu, cpu + op->A, cpu + op->B, (int)op->Imm);
        op++;
        return ((delegate*<Op*, byte*, Op*>)op->Handler)(op, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Jump(Op* op, byte* cpu)
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->Instructions += op->Dst;
        Op* target = (Op*)op->Target;
        if (target == null || header->ExitRequest != 0)
        {
            return LeaveWith(op, cpu, LeaveReason.BlockEnd);
        }

        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    /// <summary>A jump out of the page: Imm is the whole program counter, looked up in the jump cache; where the block is relative, less its page.</summary>
    [MethodImpl(Hot)]
    public static Op* JumpFar<TRelative>(Op* op, byte* cpu)
        where TRelative : IFlag
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->Instructions += op->Dst;
        ulong pc = (ulong)op->Imm;
        if (TRelative.Value)
        {
            pc += header->PcPage;
            header->PcPage = pc & PageMask;
        }

        header->Pc = pc;
        JumpCacheEntry* entry = header->JumpCache + JumpCacheEntry.IndexOf(pc);
        if (entry->Pc != pc || entry->ModeKey != header->ModeKey || header->ExitRequest != 0)
        {
            return LeaveWith(null, cpu, LeaveReason.Lookup);
        }

        Op* target = (Op*)entry->Code;
        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* JumpIndirect<TRelative>(Op* op, byte* cpu)
        where TRelative : IFlag
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->Instructions += op->Dst;
        ulong pc = *(ulong*)(cpu + op->A);
        ulong noted = TRelative.Value ? pc - header->PcPage : pc;
        header->PcPage = pc & PageMask; // the mode may have changed, and blocks there be relative
        ((ulong*)op->Target)[JumpHistory.IndexOf(noted)] = noted;
        header->Pc = pc;
        JumpCacheEntry* entry = header->JumpCache + JumpCacheEntry.IndexOf(pc);
        if (entry->Pc != pc || entry->ModeKey != header->ModeKey || header->ExitRequest != 0)
        {
            return LeaveWith(null, cpu, LeaveReason.Lookup);
        }

        Op* target = (Op*)entry->Code;
        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    /// <summary>The same in a block that may not chain: whatever comes next, the dispatcher is asked.</summary>
    [MethodImpl(Hot)]
    public static Op* JumpIndirectUnchained(Op* op, byte* cpu)
    {
        CpuHeader* header = (CpuHeader*)cpu;
        header->Instructions += op->Dst;
        header->Pc = *(ulong*)(cpu + op->A);
        return LeaveWith(null, cpu, LeaveReason.BlockEnd);
    }

    [MethodImpl(Hot)]
    public static Op* JumpIf<TCondition, TSource, TWidth>(Op* op, byte* cpu)
        where TCondition : ICondition
        where TSource : IFlagsSource
        where TWidth : IWidth
    {
        if (!TSource.Holds<TWidth>((CpuHeader*)cpu, TCondition.Condition))
        {
            op++;
        }

        CpuHeader* header = (CpuHeader*)cpu;
        header->Instructions += op->Dst;
        Op* target = (Op*)op->Target;
        if (target == null || header->ExitRequest != 0)
        {
            return LeaveWith(op, cpu, LeaveReason.BlockEnd);
        }

        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* CompareJump<TCondition, TOperand, TWidth, TFlags>(Op* op, byte* cpu)
        where TCondition : ICondition
        where TOperand : IOperand
        where TWidth : IWidth
        where TFlags : IFlag
    {
        CpuHeader* header = (CpuHeader*)cpu;
        ulong a = TWidth.Load(cpu + op->A);
        ulong b = TOperand.GetLow<TWidth>(op, cpu);
        if (TFlags.Value)
        {
            header->FlagsOp = LazyFlags.Encode(FlagsKind.Sub, (int)TWidth.Width);
            header->FlagsResult = TWidth.Truncate(a - b);
            header->FlagsSource = b;
        }

        if (!SubFlags.OfCompare<TWidth>(a, b, TCondition.Condition))
        {
            op++;
        }

        header->Instructions += op->Dst;
        Op* target = (Op*)op->Target;
        if (target == null || header->ExitRequest != 0)
        {
            return LeaveWith(op, cpu, LeaveReason.BlockEnd);
        }

        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* TestJump<TCondition, TOperand, TWidth, TFlags>(Op* op, byte* cpu)
        where TCondition : ICondition
        where TOperand : IOperand
        where TWidth : IWidth
        where TFlags : IFlag
    {
        CpuHeader* header = (CpuHeader*)cpu;
        ulong result = TWidth.Load(cpu + op->A) & TOperand.GetLow<TWidth>(op, cpu);
        if (TFlags.Value)
        {
            header->FlagsOp = LazyFlags.Encode(FlagsKind.Logic, (int)TWidth.Width);
            header->FlagsResult = result;
        }

        if (!ResultFlags.OfTest<TWidth>(result, TCondition.Condition))
        {
            op++;
        }

        header->Instructions += op->Dst;
        Op* target = (Op*)op->Target;
        if (target == null || header->ExitRequest != 0)
        {
            return LeaveWith(op, cpu, LeaveReason.BlockEnd);
        }

        return ((delegate*<Op*, byte*, Op*>)target->Handler)(target, cpu);
    }

    [MethodImpl(Hot)]
    public static Op* Exit(Op* op, byte* cpu)
    {
        ((CpuHeader*)cpu)->Instructions += op->Dst;
        return LeaveWith(null, cpu, LeaveReason.BlockEnd);
    }
}
