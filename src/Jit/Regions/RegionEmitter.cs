using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit.Regions;

/// <summary>
/// Writes a region as IL. Guest registers and temporaries are locals; where the region can be left, a stub at the method's end says at
/// which tier-0 op execution continues, and one shared tail stores the registers and goes there.
/// </summary>
/// <remarks>
/// A guest instruction that cannot go on (a TLB miss) is left to tier 0 from its start, for nothing of it is done yet; behind a helper call
/// or a write of the same instruction, tier 0 takes over at the op itself, with the instruction's temporaries stored.
/// Values on the evaluation stack are 32-bit integers for operands up to 32 bits (zero-extended) and 64-bit ones otherwise.
/// </remarks>
internal sealed unsafe partial class RegionEmitter
{
    private readonly Region _region;
    private readonly RegionPlan _plan;
    private readonly IlWriter _il;
    private readonly RegionTokens _tokens;
    private readonly IlLabel[] _blockLabels;

    private readonly int _count;
    private readonly int _exit;
    private readonly int _tlb;
    private readonly int _address;
    private readonly int _entry;

    // The place of emission.
    private int _number;
    private RegionBlock _block;
    private int _index;
    private FlagsState _flags;
    private ulong _dirty;
    private int _instruction;
    private bool _committed;
    private IlLabel? _instructionStub;
    private bool _skipNext;

    /// <summary>Prepares to write <paramref name="region"/> to <paramref name="il"/>.</summary>
    public RegionEmitter(Region region, RegionPlan plan, IlWriter il, RegionTokens tokens)
    {
        _region = region;
        _plan = plan;
        _il = il;
        _tokens = tokens;
        _block = region.Blocks[0];
        _blockLabels = new IlLabel[region.Blocks.Length];
        (_count, _exit, _tlb, _address, _entry) = (il.NewLocal(), il.NewLocal(), il.NewLocal(), il.NewLocal(), il.NewLocal());
        (_flagsOp, _flagsResult, _flagsSource, _flagsCarry) = (il.NewLocal(), il.NewLocal(), il.NewLocal(), il.NewLocal());
        (_scratch, _carryIn, _pc) = (il.NewLocal(), il.NewLocal(), il.NewLocal());
        _cells = new int[CpuHeader.ScalarEnd / 8];
    }

    private ref readonly IrOp Op => ref _block.Ops[_index];

    private bool FlagsLive => _plan.Blocks[_number].FlagsLiveAfter[_index];

    /// <summary>Writes the whole method.</summary>
    public void Emit()
    {
        MakeVectorLocals();
        foreach (int number in _plan.Order)
        {
            _blockLabels[number] = _il.NewLabel();
        }

        CollectRegisters();
        EmitEntry();
        for (int i = 0; i < _plan.Order.Count; i++)
        {
            EmitBlock(_plan.Order[i], i + 1 < _plan.Order.Count ? _plan.Order[i + 1] : -1);
        }

        EmitLeaves();
        EmitTail();
    }

    private void EmitEntry()
    {
        if (_plan.UsesFloat)
        {
            EmitFloatCall(HostFloat.Enter);
        }

        _il.Constant8(0);
        _il.Store(_count);
        LoadHeader(HeaderOffset.Tlb, _tlb);
        LoadRegisters();
        LoadVectors(_usedVectors & ~RegionPlan.VectorTemporaries);
        LoadOpaqueZero();
        var ways = new List<(IlLabel Label, int Block)>();
        foreach (int number in _region.Entries)
        {
            if (number != 0)
            {
                ways.Add((_il.NewLabel(), number));
                _il.Emit(Il.LoadArgument0);
                _il.Constant8((nint)(_region.Blocks[number].Tier0 - 1));
                _il.Emit(Il.BranchEqual, ways[^1].Label);
            }
        }

        EnterBlock(0);
        foreach ((IlLabel label, int number) in ways)
        {
            _il.Mark(label);
            EnterBlock(number);
        }
    }

    private void EnterBlock(int number)
    {
        if (_plan.Blocks[number].FlagsLiveIn)
        {
            _flags = FlagsState.InMemory;
            ConvertFlags(_plan.Blocks[number].Flags!.Value);
        }

        _il.Emit(Il.Branch, _blockLabels[number]);
    }

    private void EmitBlock(int number, int next)
    {
        BlockPlan plan = _plan.Blocks[number];
        (_number, _block) = (number, _region.Blocks[number]);
        _flags = plan.FlagsLiveIn ? plan.Flags!.Value : new FlagsState(FlagsForm.Dead);
        _dirty = plan.Dirty;
        _dirtyVectors = plan.DirtyVectors;
        _instruction = 0;
        _il.Mark(_blockLabels[number]);
        for (_index = 0; _index < plan.OpCount && !Op.IsBlockEnd; _index++)
        {
            BeginOp();
            EmitOp();
            FinishOp();
            if (_skipNext)
            {
                _skipNext = false;
                _index++; // it was done as part of this one
            }
        }

        if (plan.LeavesEarly)
        {
            LeaveAt(OpAddress(plan.OpCount), _flags);
        }
        else
        {
            BeginOp();
            EmitBlockEnd(next);
        }
    }

    private void BeginOp()
    {
        if (_instruction < _block.Instructions.Length && _block.Instructions[_instruction] == _index)
        {
            while (_instruction < _block.Instructions.Length && _block.Instructions[_instruction] == _index)
            {
                _instruction++;
            }

            _committed = false;
            _instructionStub = null;
            _writtenTemporaries.Clear();
        }
    }

    private void FinishOp()
    {
        ref readonly IrOp op = ref Op;
        ulong written = RegionPlan.WrittenBy(op);
        _dirty = (RegionPlan.ReadsAllRegisters(op) ? 0 : _dirty) | written;
        ulong vectors = RegionPlan.VectorsWrittenBy(op);
        _dirtyVectors = (_plan.StoresVectors(_number, _index) ? 0 : _dirtyVectors) | (IsInline ? vectors : 0);
        _committed |= (written | (vectors & ~RegionPlan.VectorTemporaries)) != 0 || op.SetsFlags || op.IsCall || op.Opcode is IrOpcode.Store or IrOpcode.Atomic;
        _flags = _flags.After(op, FlagsLive);
    }

    private void EmitOp()
    {
        switch (Op.Opcode)
        {
            case IrOpcode.Nop:
                break;
            case IrOpcode.Move:
                EmitMove();
                break;
            case IrOpcode.ZeroExtend or IrOpcode.SignExtend:
                EmitExtend();
                break;
            case IrOpcode.Lea:
                PushAddress();
                StoreSlot(Op.Dst, Op.Width, wide: true);
                break;
            case IrOpcode.Add or IrOpcode.Sub or IrOpcode.And or IrOpcode.Or or IrOpcode.Xor or IrOpcode.Adc or IrOpcode.Sbb:
                EmitBinary();
                break;
            case IrOpcode.SetFlags when OrderBefore(_index + 1) is not null:
                break; // the jump compares again, and the ways out set the flags
            case IrOpcode.Compare or IrOpcode.Test or IrOpcode.SetFlags:
                SetCompareFlags();
                break;
            case IrOpcode.Negate or IrOpcode.Not or IrOpcode.ByteSwap:
                EmitUnary();
                break;
            case IrOpcode.LowestBit or IrOpcode.HighestBit:
                EmitFindBit();
                break;
            case IrOpcode.Increment or IrOpcode.Decrement:
                EmitStep();
                break;
            case IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic:
                EmitShift();
                break;
            case IrOpcode.RotateLeft or IrOpcode.RotateRight:
                EmitRotate();
                break;
            case IrOpcode.Multiply:
                EmitMultiply();
                break;
            case IrOpcode.MultiplyWideSigned or IrOpcode.MultiplyWideUnsigned:
                EmitMultiplyWide();
                break;
            case IrOpcode.DivideSigned or IrOpcode.DivideUnsigned:
                EmitOutsideFloat(EmitDivide);
                break;
            case IrOpcode.SetCondition:
                EmitSetCondition();
                break;
            case IrOpcode.Select:
                EmitSelect();
                break;
            case IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite:
                EmitLoad();
                break;
            case IrOpcode.Store:
                EmitStore();
                break;
            case IrOpcode.Atomic:
                EmitOutsideFloat(EmitAtomic);
                break;
            case IrOpcode.CheckAligned:
                EmitCheckAligned();
                break;
            case IrOpcode.Call or IrOpcode.CallVector or IrOpcode.CallVectorValue:
                EmitCall();
                break;
            default:
                throw new NotSupportedException($"regions: {Op.Opcode}");
        }
    }

    private nint OpAddress(int index) => (nint)(_block.Tier0 + index);

    /// <summary>Offsets of the fields compiled code reads and writes.</summary>
    private static class HeaderOffset
    {
        public static readonly int Leave = Of(nameof(CpuHeader.Leave));
        public static readonly int Tlb = Of(nameof(CpuHeader.Tlb));
        public static readonly int Instructions = Of(nameof(CpuHeader.Instructions));
        public static readonly int CurrentOp = Of(nameof(CpuHeader.CurrentOp));
        public static readonly int JumpCache = Of(nameof(CpuHeader.JumpCache));
        public static readonly int ModeKey = Of(nameof(CpuHeader.ModeKey));
        public static readonly int CodeEpoch = Of(nameof(CpuHeader.CodeEpoch));
        public static readonly int FlagsOp = Of(nameof(CpuHeader.FlagsOp));
        public static readonly int FlagsResult = Of(nameof(CpuHeader.FlagsResult));
        public static readonly int FlagsSource = Of(nameof(CpuHeader.FlagsSource));
        public static readonly int FlagsCarry = Of(nameof(CpuHeader.FlagsCarry));

        private static int Of(string field) => (int)Marshal.OffsetOf<CpuHeader>(field);
    }
}
