using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>
/// Vector operations as host instructions. The methods called are typed by their lanes while all vector locals are of bytes: RyuJIT looks at
/// the size alone, and leaving the conversions out saves two fifths of its time.
/// </content>
internal sealed unsafe partial class RegionEmitter
{
    private int _zero;
    private int _zeroVector;

    private bool IsInline => !Op.IsCall || _plan.InstructionFor(_number, _index) is not null;

    private void EmitVectorCall(VectorInstruction instruction)
    {
        IrOp op = Op;
        if (instruction.Shape == VectorShape.Order)
        {
            EmitOrder(instruction);
        }
        else if (op.Opcode == IrOpcode.CallVectorValue)
        {
            EmitVectorValue(instruction);
        }
        else if (VectorInstructions.ConstantResult(op) is ConstantVector constant)
        {
            PushConstantVector(constant, op);
            StoreVector(op.Dst);
        }
        else if (IrVectorOps.ReadsDestination(op.VectorOp))
        {
            EmitTernary(instruction);
        }
        else
        {
            PushVectorOperands(instruction);
            _il.Emit(Il.Call, _tokens.Of(instruction.Method));
            if (_plan.UsesFloat && VectorInstructions.MayBecomeConstant(op.VectorOp))
            {
                MakeOpaque();
            }

            if (instruction.Shape == VectorShape.BinaryCommuting)
            {
                ChooseNan(op.A, op.VectorOp is IrVectorOp.AddF64 or IrVectorOp.MulF64);
            }

            StoreVector(op.Dst);
        }

        if (_plan.Blocks[_number].Pinned[_index])
        {
            Pin(op);
        }
    }

    private void EmitTernary(VectorInstruction instruction)
    {
        IrOp op = Op;
        (int x, int y, int z) = instruction.Shape == VectorShape.Blend ? (op.A, op.B, op.Dst) : ((int)op.Imm & 3) switch
        {
            0 => (op.Dst, op.B, op.A),
            1 => (op.A, op.Dst, op.B),
            _ => ((int)op.A, (int)op.B, (int)op.Dst),
        };
        bool isScalar = instruction.Shape == VectorShape.FusedScalar;
        bool isDouble = op.VectorOp is IrVectorOp.FusedMultiplyAddF64 or IrVectorOp.FusedMultiplyAddScalarF64;
        if (isScalar)
        {
            _il.Load(VectorLocal(op.Dst)); // the lanes above
        }

        _il.Load(VectorLocal(x));
        _il.Load(VectorLocal(y));
        _il.Load(VectorLocal(z));
        _il.Emit(Il.Call, _tokens.Of(instruction.Method));
        if (instruction.Shape != VectorShape.Blend)
        {
            ChooseNan(x, isDouble);
        }

        if (isScalar)
        {
            _il.Emit(Il.Call, _tokens.Of(isDouble ? Methods.MergeLow : Methods.MergeLow32));
        }

        StoreVector(op.Dst);
    }

    private void PushVectorOperands(VectorInstruction instruction)
    {
        IrOp op = Op;
        VectorShape shape = instruction.Shape;
        if (instruction.ReadsFirst)
        {
            _il.Load(VectorLocal(op.A));
        }

        switch (shape)
        {
            case VectorShape.Scalar32 or VectorShape.Scalar32Immediate:
                PushSlot(op.B, IrWidth.W32);
                MakeScalarOpaque(wide: false);
                break;
            case VectorShape.Scalar64 or VectorShape.Scalar64Immediate:
                PushSlot(op.B, IrWidth.W64);
                MakeScalarOpaque(wide: true);
                break;
            case VectorShape.FirstImmediate:
                break;
            default:
                PushSecondVector(op);
                break;
        }

        if (shape is VectorShape.FirstImmediate or VectorShape.SecondImmediate or VectorShape.BinaryImmediate or VectorShape.Scalar32Immediate or VectorShape.Scalar64Immediate)
        {
            _il.Constant4(ShiftCount(op) ?? ((int)op.Imm & 0xff));
        }
    }

    // RyuJIT knows what comparing a value with itself gives, and would leave the comparison out.
    private void PushSecondVector(in IrOp op)
    {
        _il.Load(VectorLocal(op.B));
        if (VectorInstructions.IsFloatComparison(op.VectorOp))
        {
            MakeOpaque();
        }
    }

    // Arithmetic shifts by the lane width and more copy the sign, as those by one less do.
    private static int? ShiftCount(in IrOp op) => op.VectorOp switch
    {
        IrVectorOp.ShiftRightArithmeticImmediateI16 => Math.Min((int)op.Imm & 0xff, 15),
        IrVectorOp.ShiftRightArithmeticImmediateI32 => Math.Min((int)op.Imm & 0xff, 31),
        _ => null,
    };

    private void EmitVectorValue(VectorInstruction instruction)
    {
        IrOp op = Op;
        _il.Load(VectorLocal(op.B));
        if (instruction.Shape is VectorShape.Value32Immediate or VectorShape.Value64Immediate)
        {
            int lanes = op.VectorOp switch { IrVectorOp.ExtractI8 => 16, IrVectorOp.ExtractI16 => 8, IrVectorOp.ExtractI32 => 4, _ => 2 };
            _il.Constant4((int)op.Imm & (lanes - 1));
        }

        _il.Emit(Il.Call, _tokens.Of(instruction.Method));
        if (instruction.Shape is VectorShape.Value32 or VectorShape.Value32Immediate)
        {
            _il.Emit(Il.ConvertU8);
        }

        StoreSlot(op.Dst, IrWidth.W64, wide: true);
    }

    /// <summary>
    /// The flags of an ordered comparison from a ≥ b and b ≥ a: neither when unordered, both when equal. A conditional jump on them that
    /// follows at once compares again by itself (<see cref="OrderBefore"/>), and then nothing is done here.
    /// </summary>
    private void EmitOrder(VectorInstruction instruction)
    {
        if (OrderBefore(_index + 2) is null)
        {
            PushOrder(instruction);
            StoreSlot(Op.Dst, IrWidth.W64, wide: true);
        }
    }

    private void PushOrder(VectorInstruction instruction)
    {
        // Bytes by 2 (a ≥ b) + (b ≥ a): unordered, less, greater, equal.
        const int flags = 0x40_00_01_45;
        IrOp op = Op;
        _il.Constant4(flags);
        _il.Load(VectorLocal(op.A));
        PushSecondVector(op);
        _il.Emit(Il.Call, _tokens.Of(instruction.Method));
        _il.Constant4(4);
        _il.Emit(Il.ShiftLeft);
        PushSecondVector(op);
        _il.Load(VectorLocal(op.A));
        _il.Emit(Il.Call, _tokens.Of(instruction.Method));
        _il.Constant4(3);
        _il.Emit(Il.ShiftLeft);
        _il.Emit(Il.Or);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Emit(Il.ConvertU1);
        _il.Emit(Il.ConvertU8);
    }

    /// <summary>The index of the ordered comparison, two ops back, whose flags the jump at <paramref name="jump"/> tests as the host can; or null.</summary>
    private int? OrderBefore(int jump) => _plan.OrderIsTested(_number, jump - 2) ? jump - 2 : null;

    /// <summary>Pushes the condition of a jump on the comparison at <paramref name="index"/>.</summary>
    private Comparison PushOrderCondition(int index)
    {
        IrOp op = _block.Ops[index];
        IrCondition condition = Op.Condition;
        bool greater = condition is IrCondition.Above or IrCondition.BelowOrEqual;
        _il.Load(VectorLocal(op.A));
        PushSecondVector(op);
        _il.Emit(Il.Call, _tokens.Of(greater ? VectorInstructions.GreaterOf(op.VectorOp) : _plan.InstructionFor(_number, index)!.Method));
        _il.Constant4(0);
        return condition is IrCondition.Above or IrCondition.AboveOrEqual ? Comparison.NotEqual : Comparison.Equal;
    }

    /// <summary>Flags given as bits.</summary>
    private void EmitSetFlags()
    {
        if (OrderBefore(_index + 1) is int order)
        {
            (int index, _index) = (_index, order);
            PushOrder(_plan.InstructionFor(_number, order)!);
            _index = index;
        }
        else
        {
            PushSlot(Op.A, IrWidth.W64);
            _il.Constant8((long)LazyFlags.All);
            _il.Emit(Il.And);
        }

        _il.Store(_flagsResult);
    }

    private void PushFlagBit(int bit)
    {
        _il.Load(_flagsResult);
        _il.Constant4(bit);
        _il.Emit(Il.ShiftRightUnsigned);
        _il.Constant8(1);
        _il.Emit(Il.And);
    }

    /// <summary>A condition of flags that the result local holds as bits.</summary>
    private Comparison PushOfFlagBits(IrCondition condition)
    {
        const ulong cf = 1, pf = 4, zf = 0x40, sf = 0x80, of = 0x800;
        ulong mask = ((int)condition >> 1) switch { 0 => of, 1 => cf, 2 => zf, 3 => cf | zf, 4 => sf, 5 => pf, 6 => sf, _ => sf | zf };
        _il.Load(_flagsResult);
        if (condition >= IrCondition.Less)
        {
            // Less is sign unlike overflow: the sign's bit takes the exclusive or.
            _il.Load(_flagsResult);
            _il.Constant4(4);
            _il.Emit(Il.ShiftRightUnsigned);
            _il.Constant8((long)sf);
            _il.Emit(Il.And);
            _il.Emit(Il.Xor);
        }

        _il.Constant8((long)mask);
        _il.Emit(Il.And);
        _il.Constant8(0);
        return ((int)condition & 1) == 0 ? Comparison.NotEqual : Comparison.Equal;
    }

    private void EmitCheckAligned()
    {
        PushSlot(Op.A, IrWidth.W64);
        _il.Constant8(Op.Imm - 1);
        _il.Emit(Il.And);
        _il.Constant8(0);
        _il.EmitUnlikely(Il.BranchNotEqual, StubHere());
    }

    /// <summary>
    /// RyuJIT exchanges the operands of packed additions and multiplications as registers suit it, and of two NaNs the first must come
    /// out: where A is one, the result is A made quiet. A NaN is found as an integer, for a comparison of floats raises exceptions.
    /// </summary>
    private void ChooseNan(int first, bool isDouble)
    {
        PushCombined(first, isDouble ? 0x0008_0000_0000_0000 : 0x0040_0000_0040_0000, Methods.Or);
        PushCombined(first, isDouble ? 0x7fff_ffff_ffff_ffff : 0x7fff_ffff_7fff_ffff, Methods.And);
        _il.Constant8(isDouble ? 0x7ff0_0000_0000_0000 : 0x7f80_0000_7f80_0000);
        _il.Emit(Il.Call, _tokens.Of(Methods.Broadcast));
        _il.Emit(Il.Call, _tokens.Of(isDouble ? Methods.GreaterI64 : Methods.GreaterI32));
        _il.Emit(Il.Call, _tokens.Of(isDouble ? Methods.BlendF64 : Methods.BlendF32));
    }

    private void PushCombined(int slot, long constant, MethodInfo method)
    {
        _il.Load(VectorLocal(slot));
        _il.Constant8(constant);
        _il.Emit(Il.Call, _tokens.Of(Methods.Broadcast));
        _il.Emit(Il.Call, _tokens.Of(method));
    }

    // A store that RyuJIT cannot drop, and so neither what it stores.
    private void Pin(in IrOp op)
    {
        PushHeaderAddress(CpuHeader.UnusedVectorSlot);
        if (op.Opcode == IrOpcode.CallVector)
        {
            _il.Load(VectorLocal(op.Dst));
            _il.Emit(Il.StoreObject, _tokens[RegionTokens.Token.Vector]);
        }
        else
        {
            PushSlot(op.Dst, IrWidth.W64);
            _il.Emit(Il.StoreI8);
        }
    }

    /// <summary>
    /// Emits a call of managed code. Any may use host floats: at its first call the host compiles it, on this thread, and the precision flag of
    /// that would become the guest's.
    /// </summary>
    private void EmitOutsideFloat(Action emit)
    {
        if (_plan.UsesFloat)
        {
            EmitFloatCall(HostFloat.Leave);
        }

        emit();
        if (_plan.UsesFloat)
        {
            EmitFloatCall(HostFloat.Enter);
        }
    }

    private void EmitFloatCall(nint routine)
    {
        _il.Emit(Il.LoadArgument1);
        _il.Emit(Il.LoadArgument1);
        _il.Constant8(routine);
        _il.Emit(Il.CallIndirect, _tokens[RegionTokens.Token.Handler]);
        _il.Emit(Il.Pop);
    }

    /// <summary>Methods that RyuJIT compiles to single instructions.</summary>
    private static class Methods
    {
        public static readonly MethodInfo MultiplyHigh = ((Func<ulong, ulong, ulong>)Bmi2.X64.MultiplyNoFlags).Method;
        public static readonly MethodInfo And = Of(Sse2.And);
        public static readonly MethodInfo AndNot = Of(Sse2.AndNot);
        public static readonly MethodInfo Or = Of(Sse2.Or);
        public static readonly MethodInfo Xor = Of(Sse2.Xor);
        public static readonly MethodInfo Broadcast = ((Func<long, Vector128<long>>)Vector128.Create).Method;
        public static readonly MethodInfo GreaterI32 = ((Func<Vector128<int>, Vector128<int>, Vector128<int>>)Sse2.CompareGreaterThan).Method;
        public static readonly MethodInfo GreaterI64 = ((Func<Vector128<long>, Vector128<long>, Vector128<long>>)Sse42.CompareGreaterThan).Method;
        public static readonly MethodInfo BlendF32 = ((Func<Vector128<float>, Vector128<float>, Vector128<float>, Vector128<float>>)Sse41.BlendVariable).Method;
        public static readonly MethodInfo BlendF64 = ((Func<Vector128<double>, Vector128<double>, Vector128<double>, Vector128<double>>)Sse41.BlendVariable).Method;
        public static readonly MethodInfo FromInt32 = ((Func<int, Vector128<int>>)Sse2.ConvertScalarToVector128Int32).Method;
        public static readonly MethodInfo FromInt64 = ((Func<long, Vector128<long>>)Sse2.X64.ConvertScalarToVector128Int64).Method;
        public static readonly MethodInfo ToInt32 = ((Func<Vector128<int>, int>)Sse2.ConvertToInt32).Method;
        public static readonly MethodInfo ToInt64 = ((Func<Vector128<long>, long>)Sse2.X64.ConvertToInt64).Method;
        public static readonly MethodInfo UnpackLow = Of(Sse2.UnpackLow);
        public static readonly MethodInfo UnpackHigh = Of(Sse2.UnpackHigh);
        public static readonly MethodInfo KeepLow = ((Func<Vector128<ulong>, Vector128<ulong>>)Sse2.MoveScalar).Method;
        public static readonly MethodInfo MergeLow = ((Func<Vector128<double>, Vector128<double>, Vector128<double>>)Sse2.MoveScalar).Method;
        public static readonly MethodInfo MergeLow32 = ((Func<Vector128<float>, Vector128<float>, Vector128<float>>)Sse.MoveScalar).Method;
        public static readonly MethodInfo MoveHighToLow = ((Func<Vector128<float>, Vector128<float>, Vector128<float>>)Sse.MoveHighToLow).Method;
        public static readonly MethodInfo ShufflePair = ((Func<Vector128<double>, Vector128<double>, byte, Vector128<double>>)Sse2.Shuffle).Method;
        public static readonly MethodInfo LoadScalar32 = Pointer(nameof(Sse2.LoadScalarVector128), typeof(uint*));
        public static readonly MethodInfo LoadScalar64 = Pointer(nameof(Sse2.LoadScalarVector128), typeof(ulong*));
        public static readonly MethodInfo LoadLow = Pointer(nameof(Sse2.LoadLow), typeof(Vector128<double>), typeof(double*));
        public static readonly MethodInfo LoadHigh = Pointer(nameof(Sse2.LoadHigh), typeof(Vector128<double>), typeof(double*));
        public static readonly MethodInfo StoreScalar32 = Pointer(nameof(Sse2.StoreScalar), typeof(uint*), typeof(Vector128<uint>));
        public static readonly MethodInfo StoreScalar64 = Pointer(nameof(Sse2.StoreScalar), typeof(ulong*), typeof(Vector128<ulong>));
        public static readonly MethodInfo StoreHigh = Pointer(nameof(Sse2.StoreHigh), typeof(double*), typeof(Vector128<double>));

        private static MethodInfo Of(Func<Vector128<ulong>, Vector128<ulong>, Vector128<ulong>> method) => method.Method;

        private static MethodInfo Pointer(string name, params Type[] parameters) => typeof(Sse2).GetMethod(name, parameters)!;
    }
}
