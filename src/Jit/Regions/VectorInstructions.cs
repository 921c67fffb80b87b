using System.Reflection;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>The instruction that an x64 host has for each <see cref="IrVectorOp"/>, as the method that RyuJIT compiles to it.</summary>
internal static partial class VectorInstructions
{
    private const int MaxVariants = 8;

    private static readonly (VectorShape Shape, Delegate? Method)[] Table = Build();

    /// <summary>The instruction for a vector call, or null when the host has none, or one that differs.</summary>
    public static VectorInstruction? Find(in IrOp op)
    {
        if (op.VectorOp == IrVectorOp.None || !Sse2.X64.IsSupported || VariantOf(op) is not int variant)
        {
            return null;
        }

        (VectorShape shape, Delegate? method) = Table[((int)op.VectorOp * MaxVariants) + variant];
        bool needsBlend = shape is VectorShape.BinaryCommuting or VectorShape.Fused or VectorShape.FusedScalar;
        return method is not null && IsSupported(method.Method) && (!needsBlend || Sse42.IsSupported) ? new VectorInstruction(shape, method.Method) : null;
    }



    /// <summary>What an op gives whatever its operands are, or null.</summary>
    public static ConstantVector? ConstantResult(in IrOp op)
    {
        int lane = op.VectorOp switch
        {
            IrVectorOp.ShiftLeftImmediateI16 or IrVectorOp.ShiftRightImmediateI16 => 16,
            IrVectorOp.ShiftLeftImmediateI32 or IrVectorOp.ShiftRightImmediateI32 => 32,
            IrVectorOp.ShiftLeftImmediateI64 or IrVectorOp.ShiftRightImmediateI64 => 64,
            IrVectorOp.ShiftLeftBytes or IrVectorOp.ShiftRightBytes => 16,
            _ => int.MaxValue,
        };
        if (((int)op.Imm & 0xff) >= lane)
        {
            return ConstantVector.Zero;
        }

        return op.A != op.B || !MayBecomeConstant(op.VectorOp) ? null
            : op.VectorOp is >= IrVectorOp.EqualI8 and <= IrVectorOp.EqualI64 ? ConstantVector.Ones
            : ConstantVector.Zero;
    }

    /// <summary>True for operations that give a constant for equal operands.</summary>
    public static bool MayBecomeConstant(IrVectorOp op) =>
        op is IrVectorOp.Xor or IrVectorOp.AndNot or (>= IrVectorOp.SubI8 and <= IrVectorOp.SubI64) or (>= IrVectorOp.EqualI8 and <= IrVectorOp.GreaterS64);

    /// <summary>True for comparisons of floats.</summary>
    public static bool IsFloatComparison(IrVectorOp op) => IsCompare(op) || op is >= IrVectorOp.OrderF32 and <= IrVectorOp.OrderQuietF64;

    private static bool IsCompare(IrVectorOp op) => op is IrVectorOp.CompareF32 or IrVectorOp.CompareF64 or IrVectorOp.CompareScalarF32 or IrVectorOp.CompareScalarF64;

    private static bool IsRound(IrVectorOp op) => op is IrVectorOp.RoundF32 or IrVectorOp.RoundF64 or IrVectorOp.RoundScalarF32 or IrVectorOp.RoundScalarF64;

    /// <summary>The comparison A &gt; B that goes with an instruction of <see cref="VectorShape.Order"/>.</summary>
    public static MethodInfo GreaterOf(IrVectorOp op) => Table[((int)op * MaxVariants) + 1].Method!.Method;

    // The methods for ROUND do not suppress the inexact exception.
    private static int? VariantOf(in IrOp op)
    {
        int immediate = (int)op.Imm & 0xff;
        return IsCompare(op.VectorOp) ? immediate & 7
            : op.VectorOp >= IrVectorOp.FusedMultiplyAddF32 ? (immediate >> 2) & 7
            : !IsRound(op.VectorOp) ? 0
            : (immediate & 8) != 0 ? null
            : Math.Min(immediate & 7, 4);
    }

    private static bool IsSupported(MethodInfo method)
    {
        Type isa = method.DeclaringType!;
        return isa == typeof(Sse) || isa == typeof(Sse2) || isa == typeof(Sse.X64) || isa == typeof(Sse2.X64)
            || (isa == typeof(Sse3) && Sse3.IsSupported) || (isa == typeof(Ssse3) && Ssse3.IsSupported)
            || (isa == typeof(Sse41) && Sse41.IsSupported) || (isa == typeof(Sse41.X64) && Sse41.X64.IsSupported)
            || (isa == typeof(Sse42) && Sse42.IsSupported) || (isa == typeof(Avx2) && Avx2.IsSupported) || (isa == typeof(Fma) && Fma.IsSupported)
            || (isa == typeof(Aes) && Aes.IsSupported) || (isa == typeof(Pclmulqdq) && Pclmulqdq.IsSupported);
    }

    private static (VectorShape Shape, Delegate? Method)[] Build()
    {
        var table = new (VectorShape, Delegate?)[(int)(Enum.GetValues<IrVectorOp>()[^1] + 1) * MaxVariants];
        AddArithmetic(table);
        AddShuffles(table);
        AddFloat(table);
        AddVariants(table);
        AddExtensions(table);
        return table;
    }

    private static void AddArithmetic((VectorShape Shape, Delegate? Method)[] table)
    {
        void Row(IrVectorOp op, VectorShape shape, Delegate method) => table[(int)op * MaxVariants] = (shape, method);
        Row(IrVectorOp.AddI8,                           VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.Add));
        Row(IrVectorOp.AddI16,                          VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.Add));
        Row(IrVectorOp.AddI32,                          VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.Add));
        Row(IrVectorOp.AddI64,                          VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.Add));
        Row(IrVectorOp.SubI8,                           VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.Subtract));
        Row(IrVectorOp.SubI16,                          VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.Subtract));
        Row(IrVectorOp.SubI32,                          VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.Subtract));
        Row(IrVectorOp.SubI64,                          VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.Subtract));
        Row(IrVectorOp.AddSaturateS8,                   VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Sse2.AddSaturate));
        Row(IrVectorOp.AddSaturateU8,                   VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.AddSaturate));
        Row(IrVectorOp.SubSaturateS8,                   VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Sse2.SubtractSaturate));
        Row(IrVectorOp.SubSaturateU8,                   VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.SubtractSaturate));
        Row(IrVectorOp.AddSaturateS16,                  VectorShape.Binary,            Binary<short, short, short>(Sse2.AddSaturate));
        Row(IrVectorOp.AddSaturateU16,                  VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.AddSaturate));
        Row(IrVectorOp.SubSaturateS16,                  VectorShape.Binary,            Binary<short, short, short>(Sse2.SubtractSaturate));
        Row(IrVectorOp.SubSaturateU16,                  VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.SubtractSaturate));
        Row(IrVectorOp.EqualI8,                         VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.CompareEqual));
        Row(IrVectorOp.EqualI16,                        VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.CompareEqual));
        Row(IrVectorOp.EqualI32,                        VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.CompareEqual));
        Row(IrVectorOp.EqualI64,                        VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse41.CompareEqual));
        Row(IrVectorOp.GreaterS8,                       VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Sse2.CompareGreaterThan));
        Row(IrVectorOp.GreaterS16,                      VectorShape.Binary,            Binary<short, short, short>(Sse2.CompareGreaterThan));
        Row(IrVectorOp.GreaterS32,                      VectorShape.Binary,            Binary<int, int, int>(Sse2.CompareGreaterThan));
        Row(IrVectorOp.GreaterS64,                      VectorShape.Binary,            Binary<long, long, long>(Sse42.CompareGreaterThan));
        Row(IrVectorOp.MinS8,                           VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Sse41.Min));
        Row(IrVectorOp.MinU8,                           VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.Min));
        Row(IrVectorOp.MinS16,                          VectorShape.Binary,            Binary<short, short, short>(Sse2.Min));
        Row(IrVectorOp.MinU16,                          VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse41.Min));
        Row(IrVectorOp.MinS32,                          VectorShape.Binary,            Binary<int, int, int>(Sse41.Min));
        Row(IrVectorOp.MinU32,                          VectorShape.Binary,            Binary<uint, uint, uint>(Sse41.Min));
        Row(IrVectorOp.MaxS8,                           VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Sse41.Max));
        Row(IrVectorOp.MaxU8,                           VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.Max));
        Row(IrVectorOp.MaxS16,                          VectorShape.Binary,            Binary<short, short, short>(Sse2.Max));
        Row(IrVectorOp.MaxU16,                          VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse41.Max));
        Row(IrVectorOp.MaxS32,                          VectorShape.Binary,            Binary<int, int, int>(Sse41.Max));
        Row(IrVectorOp.MaxU32,                          VectorShape.Binary,            Binary<uint, uint, uint>(Sse41.Max));
        Row(IrVectorOp.And,                             VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.And));
        Row(IrVectorOp.Or,                              VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.Or));
        Row(IrVectorOp.Xor,                             VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.Xor));
        Row(IrVectorOp.AndNot,                          VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.AndNot));
        Row(IrVectorOp.AbsI8,                           VectorShape.Unary,             Unary<sbyte, byte>(Ssse3.Abs));
        Row(IrVectorOp.AbsI16,                          VectorShape.Unary,             Unary<short, ushort>(Ssse3.Abs));
        Row(IrVectorOp.AbsI32,                          VectorShape.Unary,             Unary<int, uint>(Ssse3.Abs));
        Row(IrVectorOp.SignI8,                          VectorShape.Binary,            Binary<sbyte, sbyte, sbyte>(Ssse3.Sign));
        Row(IrVectorOp.SignI16,                         VectorShape.Binary,            Binary<short, short, short>(Ssse3.Sign));
        Row(IrVectorOp.SignI32,                         VectorShape.Binary,            Binary<int, int, int>(Ssse3.Sign));
        Row(IrVectorOp.MulLowI16,                       VectorShape.Binary,            Binary<short, short, short>(Sse2.MultiplyLow));
        Row(IrVectorOp.MulLowI32,                       VectorShape.Binary,            Binary<int, int, int>(Sse41.MultiplyLow));
        Row(IrVectorOp.MulHighS16,                      VectorShape.Binary,            Binary<short, short, short>(Sse2.MultiplyHigh));
        Row(IrVectorOp.MulHighU16,                      VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.MultiplyHigh));
        Row(IrVectorOp.MulRoundS16,                     VectorShape.Binary,            Binary<short, short, short>(Ssse3.MultiplyHighRoundScale));
        Row(IrVectorOp.MulAddPairsS16,                  VectorShape.Binary,            Binary<short, short, int>(Sse2.MultiplyAddAdjacent));
        Row(IrVectorOp.MulAddPairsU8S8,                 VectorShape.Binary,            Binary<byte, sbyte, short>(Ssse3.MultiplyAddAdjacent));
        Row(IrVectorOp.MulEvenU32,                      VectorShape.Binary,            Binary<uint, uint, ulong>(Sse2.Multiply));
        Row(IrVectorOp.MulEvenS32,                      VectorShape.Binary,            Binary<int, int, long>(Sse41.Multiply));
        Row(IrVectorOp.AverageU8,                       VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.Average));
        Row(IrVectorOp.AverageU16,                      VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.Average));
        Row(IrVectorOp.SumAbsDifferenceU8,              VectorShape.Binary,            Binary<byte, byte, ushort>(Sse2.SumAbsoluteDifferences));
        Row(IrVectorOp.HorizontalAddI16,                VectorShape.Binary,            Binary<short, short, short>(Ssse3.HorizontalAdd));
        Row(IrVectorOp.HorizontalAddI32,                VectorShape.Binary,            Binary<int, int, int>(Ssse3.HorizontalAdd));
        Row(IrVectorOp.HorizontalAddSaturateS16,        VectorShape.Binary,            Binary<short, short, short>(Ssse3.HorizontalAddSaturate));
        Row(IrVectorOp.HorizontalSubI16,                VectorShape.Binary,            Binary<short, short, short>(Ssse3.HorizontalSubtract));
        Row(IrVectorOp.HorizontalSubI32,                VectorShape.Binary,            Binary<int, int, int>(Ssse3.HorizontalSubtract));
        Row(IrVectorOp.HorizontalSubSaturateS16,        VectorShape.Binary,            Binary<short, short, short>(Ssse3.HorizontalSubtractSaturate));
    }

    private static void AddShuffles((VectorShape Shape, Delegate? Method)[] table)
    {
        void Row(IrVectorOp op, VectorShape shape, Delegate method) => table[(int)op * MaxVariants] = (shape, method);
        Row(IrVectorOp.ShiftLeftI16,                    VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftLeftI32,                    VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftLeftI64,                    VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftLeftImmediateI16,           VectorShape.FirstImmediate,    Immediate<ushort>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftLeftImmediateI32,           VectorShape.FirstImmediate,    Immediate<uint>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftLeftImmediateI64,           VectorShape.FirstImmediate,    Immediate<ulong>(Sse2.ShiftLeftLogical));
        Row(IrVectorOp.ShiftRightI16,                   VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightI32,                   VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightI64,                   VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightImmediateI16,          VectorShape.FirstImmediate,    Immediate<ushort>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightImmediateI32,          VectorShape.FirstImmediate,    Immediate<uint>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightImmediateI64,          VectorShape.FirstImmediate,    Immediate<ulong>(Sse2.ShiftRightLogical));
        Row(IrVectorOp.ShiftRightArithmeticI16,         VectorShape.Binary,            Binary<short, short, short>(Sse2.ShiftRightArithmetic));
        Row(IrVectorOp.ShiftRightArithmeticI32,         VectorShape.Binary,            Binary<int, int, int>(Sse2.ShiftRightArithmetic));
        Row(IrVectorOp.ShiftRightArithmeticImmediateI16,VectorShape.FirstImmediate,    Immediate<short>(Sse2.ShiftRightArithmetic));
        Row(IrVectorOp.ShiftRightArithmeticImmediateI32,VectorShape.FirstImmediate,    Immediate<int>(Sse2.ShiftRightArithmetic));
        Row(IrVectorOp.ShiftLeftBytes,                  VectorShape.FirstImmediate,    Immediate<byte>(Sse2.ShiftLeftLogical128BitLane));
        Row(IrVectorOp.ShiftRightBytes,                 VectorShape.FirstImmediate,    Immediate<byte>(Sse2.ShiftRightLogical128BitLane));
        Row(IrVectorOp.InterleaveLowI8,                 VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.UnpackLow));
        Row(IrVectorOp.InterleaveLowI16,                VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.UnpackLow));
        Row(IrVectorOp.InterleaveLowI32,                VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.UnpackLow));
        Row(IrVectorOp.InterleaveLowI64,                VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.UnpackLow));
        Row(IrVectorOp.InterleaveHighI8,                VectorShape.Binary,            Binary<byte, byte, byte>(Sse2.UnpackHigh));
        Row(IrVectorOp.InterleaveHighI16,               VectorShape.Binary,            Binary<ushort, ushort, ushort>(Sse2.UnpackHigh));
        Row(IrVectorOp.InterleaveHighI32,               VectorShape.Binary,            Binary<uint, uint, uint>(Sse2.UnpackHigh));
        Row(IrVectorOp.InterleaveHighI64,               VectorShape.Binary,            Binary<ulong, ulong, ulong>(Sse2.UnpackHigh));
        Row(IrVectorOp.PackS16ToS8,                     VectorShape.Binary,            Binary<short, short, sbyte>(Sse2.PackSignedSaturate));
        Row(IrVectorOp.PackS32ToS16,                    VectorShape.Binary,            Binary<int, int, short>(Sse2.PackSignedSaturate));
        Row(IrVectorOp.PackS16ToU8,                     VectorShape.Binary,            Binary<short, short, byte>(Sse2.PackUnsignedSaturate));
        Row(IrVectorOp.PackS32ToU16,                    VectorShape.Binary,            Binary<int, int, ushort>(Sse41.PackUnsignedSaturate));
        Row(IrVectorOp.ShuffleBytes,                    VectorShape.Binary,            Binary<byte, byte, byte>(Ssse3.Shuffle));
        Row(IrVectorOp.AlignRight,                      VectorShape.BinaryImmediate,   BinaryImmediate<byte>(Ssse3.AlignRight));
        Row(IrVectorOp.ShuffleI32,                      VectorShape.SecondImmediate,   Immediate<uint>(Sse2.Shuffle));
        Row(IrVectorOp.ShuffleLowI16,                   VectorShape.SecondImmediate,   Immediate<ushort>(Sse2.ShuffleLow));
        Row(IrVectorOp.ShuffleHighI16,                  VectorShape.SecondImmediate,   Immediate<ushort>(Sse2.ShuffleHigh));
        Row(IrVectorOp.ShufflePairI32,                  VectorShape.BinaryImmediate,   BinaryImmediate<float>(Sse.Shuffle));
        Row(IrVectorOp.ShufflePairI64,                  VectorShape.BinaryImmediate,   BinaryImmediate<double>(Sse2.Shuffle));
        Row(IrVectorOp.DuplicateEvenI32,                VectorShape.Unary,             Unary<float, float>(Sse3.MoveLowAndDuplicate));
        Row(IrVectorOp.DuplicateOddI32,                 VectorShape.Unary,             Unary<float, float>(Sse3.MoveHighAndDuplicate));
        Row(IrVectorOp.DuplicateLowI64,                 VectorShape.Unary,             Unary<double, double>(Sse3.MoveAndDuplicate));
        Row(IrVectorOp.MoveHighToLow,                   VectorShape.Binary,            Binary<float, float, float>(Sse.MoveHighToLow));
        Row(IrVectorOp.MergeLowI32,                     VectorShape.Binary,            Binary<float, float, float>(Sse.MoveScalar));
        Row(IrVectorOp.BlendI16,                        VectorShape.BinaryImmediate,   BinaryImmediate<ushort>(Sse41.Blend));
        Row(IrVectorOp.BlendI32,                        VectorShape.BinaryImmediate,   BinaryImmediate<float>(Sse41.Blend));
        Row(IrVectorOp.BlendI64,                        VectorShape.BinaryImmediate,   BinaryImmediate<double>(Sse41.Blend));
        Row(IrVectorOp.InsertI8,                        VectorShape.Scalar32Immediate, Insert<byte>(Sse41.Insert));
        Row(IrVectorOp.InsertI16,                       VectorShape.Scalar32Immediate, Insert<ushort>(Sse2.Insert));
        Row(IrVectorOp.InsertI32,                       VectorShape.Scalar32Immediate, Insert<uint>(Sse41.Insert));
        Row(IrVectorOp.InsertI64,                       VectorShape.Scalar64Immediate, Insert<ulong>(Sse41.X64.Insert));
        Row(IrVectorOp.ExtendS8To16,                    VectorShape.Unary,             Unary<sbyte, short>(Sse41.ConvertToVector128Int16));
        Row(IrVectorOp.ExtendS8To32,                    VectorShape.Unary,             Unary<sbyte, int>(Sse41.ConvertToVector128Int32));
        Row(IrVectorOp.ExtendS8To64,                    VectorShape.Unary,             Unary<sbyte, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtendS16To32,                   VectorShape.Unary,             Unary<short, int>(Sse41.ConvertToVector128Int32));
        Row(IrVectorOp.ExtendS16To64,                   VectorShape.Unary,             Unary<short, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtendS32To64,                   VectorShape.Unary,             Unary<int, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtendU8To16,                    VectorShape.Unary,             Unary<byte, short>(Sse41.ConvertToVector128Int16));
        Row(IrVectorOp.ExtendU8To32,                    VectorShape.Unary,             Unary<byte, int>(Sse41.ConvertToVector128Int32));
        Row(IrVectorOp.ExtendU8To64,                    VectorShape.Unary,             Unary<byte, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtendU16To32,                   VectorShape.Unary,             Unary<ushort, int>(Sse41.ConvertToVector128Int32));
        Row(IrVectorOp.ExtendU16To64,                   VectorShape.Unary,             Unary<ushort, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtendU32To64,                   VectorShape.Unary,             Unary<uint, long>(Sse41.ConvertToVector128Int64));
        Row(IrVectorOp.ExtractI8,                       VectorShape.Value32Immediate,  Extract<byte>(Sse41.Extract));
        Row(IrVectorOp.ExtractI16,                      VectorShape.Value32Immediate,  Extract<ushort>(Sse2.Extract));
        Row(IrVectorOp.ExtractI32,                      VectorShape.Value32Immediate,  Extract<uint>(Sse41.Extract));
        Row(IrVectorOp.ExtractI64,                      VectorShape.Value64Immediate,  Extract<ulong>(Sse41.X64.Extract));
        Row(IrVectorOp.SignMaskI8,                      VectorShape.Value32,           Value<byte, int>(Sse2.MoveMask));
        Row(IrVectorOp.SignMaskI32,                     VectorShape.Value32,           Value<float, int>(Sse.MoveMask));
        Row(IrVectorOp.SignMaskI64,                     VectorShape.Value32,           Value<double, int>(Sse2.MoveMask));
    }

    private static void AddFloat((VectorShape Shape, Delegate? Method)[] table)
    {
        void Row(IrVectorOp op, VectorShape shape, Delegate method) => table[(int)op * MaxVariants] = (shape, method);
        Row(IrVectorOp.AddF32,                          VectorShape.BinaryCommuting,   Binary<float, float, float>(Sse.Add));
        Row(IrVectorOp.AddF64,                          VectorShape.BinaryCommuting,   Binary<double, double, double>(Sse2.Add));
        Row(IrVectorOp.AddScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.AddScalar));
        Row(IrVectorOp.AddScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.AddScalar));
        Row(IrVectorOp.SubF32,                          VectorShape.Binary,            Binary<float, float, float>(Sse.Subtract));
        Row(IrVectorOp.SubF64,                          VectorShape.Binary,            Binary<double, double, double>(Sse2.Subtract));
        Row(IrVectorOp.SubScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.SubtractScalar));
        Row(IrVectorOp.SubScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.SubtractScalar));
        Row(IrVectorOp.MulF32,                          VectorShape.BinaryCommuting,   Binary<float, float, float>(Sse.Multiply));
        Row(IrVectorOp.MulF64,                          VectorShape.BinaryCommuting,   Binary<double, double, double>(Sse2.Multiply));
        Row(IrVectorOp.MulScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.MultiplyScalar));
        Row(IrVectorOp.MulScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.MultiplyScalar));
        Row(IrVectorOp.DivF32,                          VectorShape.Binary,            Binary<float, float, float>(Sse.Divide));
        Row(IrVectorOp.DivF64,                          VectorShape.Binary,            Binary<double, double, double>(Sse2.Divide));
        Row(IrVectorOp.DivScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.DivideScalar));
        Row(IrVectorOp.DivScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.DivideScalar));
        Row(IrVectorOp.MinF32,                          VectorShape.Binary,            Binary<float, float, float>(Sse.Min));
        Row(IrVectorOp.MinF64,                          VectorShape.Binary,            Binary<double, double, double>(Sse2.Min));
        Row(IrVectorOp.MinScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.MinScalar));
        Row(IrVectorOp.MinScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.MinScalar));
        Row(IrVectorOp.MaxF32,                          VectorShape.Binary,            Binary<float, float, float>(Sse.Max));
        Row(IrVectorOp.MaxF64,                          VectorShape.Binary,            Binary<double, double, double>(Sse2.Max));
        Row(IrVectorOp.MaxScalarF32,                    VectorShape.Binary,            Binary<float, float, float>(Sse.MaxScalar));
        Row(IrVectorOp.MaxScalarF64,                    VectorShape.Binary,            Binary<double, double, double>(Sse2.MaxScalar));
        Row(IrVectorOp.SqrtF32,                         VectorShape.Unary,             Unary<float, float>(Sse.Sqrt));
        Row(IrVectorOp.SqrtF64,                         VectorShape.Unary,             Unary<double, double>(Sse2.Sqrt));
        Row(IrVectorOp.SqrtScalarF32,                   VectorShape.Binary,            Binary<float, float, float>(Sse.SqrtScalar));
        Row(IrVectorOp.SqrtScalarF64,                   VectorShape.Binary,            Binary<double, double, double>(Sse2.SqrtScalar));
        Row(IrVectorOp.AddSubF32,                       VectorShape.Binary,            Binary<float, float, float>(Sse3.AddSubtract));
        Row(IrVectorOp.HorizontalAddF32,                VectorShape.Binary,            Binary<float, float, float>(Sse3.HorizontalAdd));
        Row(IrVectorOp.HorizontalSubF32,                VectorShape.Binary,            Binary<float, float, float>(Sse3.HorizontalSubtract));
        Row(IrVectorOp.AddSubF64,                       VectorShape.Binary,            Binary<double, double, double>(Sse3.AddSubtract));
        Row(IrVectorOp.HorizontalAddF64,                VectorShape.Binary,            Binary<double, double, double>(Sse3.HorizontalAdd));
        Row(IrVectorOp.HorizontalSubF64,                VectorShape.Binary,            Binary<double, double, double>(Sse3.HorizontalSubtract));
        Row(IrVectorOp.ConvertS32ToF32,                 VectorShape.Unary,             Unary<int, float>(Sse2.ConvertToVector128Single));
        Row(IrVectorOp.ConvertS32ToF64,                 VectorShape.Unary,             Unary<int, double>(Sse2.ConvertToVector128Double));
        Row(IrVectorOp.ConvertF32ToF64,                 VectorShape.Unary,             Unary<float, double>(Sse2.ConvertToVector128Double));
        Row(IrVectorOp.ConvertF64ToF32,                 VectorShape.Unary,             Unary<double, float>(Sse2.ConvertToVector128Single));
        Row(IrVectorOp.ConvertF32ToS32,                 VectorShape.Unary,             Unary<float, int>(Sse2.ConvertToVector128Int32));
        Row(IrVectorOp.TruncateF32ToS32,                VectorShape.Unary,             Unary<float, int>(Sse2.ConvertToVector128Int32WithTruncation));
        Row(IrVectorOp.ConvertF64ToS32,                 VectorShape.Unary,             Unary<double, int>(Sse2.ConvertToVector128Int32));
        Row(IrVectorOp.TruncateF64ToS32,                VectorShape.Unary,             Unary<double, int>(Sse2.ConvertToVector128Int32WithTruncation));
        Row(IrVectorOp.ConvertScalarF32ToF64,           VectorShape.Binary,            Binary<double, float, double>(Sse2.ConvertScalarToVector128Double));
        Row(IrVectorOp.ConvertScalarF64ToF32,           VectorShape.Binary,            Binary<float, double, float>(Sse2.ConvertScalarToVector128Single));
        Row(IrVectorOp.ConvertS32ToScalarF32,           VectorShape.Scalar32,          Scalar<float, int>(Sse.ConvertScalarToVector128Single));
        Row(IrVectorOp.ConvertS32ToScalarF64,           VectorShape.Scalar32,          Scalar<double, int>(Sse2.ConvertScalarToVector128Double));
        Row(IrVectorOp.ConvertS64ToScalarF32,           VectorShape.Scalar64,          Scalar<float, long>(Sse.X64.ConvertScalarToVector128Single));
        Row(IrVectorOp.ConvertS64ToScalarF64,           VectorShape.Scalar64,          Scalar<double, long>(Sse2.X64.ConvertScalarToVector128Double));
        Row(IrVectorOp.ConvertScalarF32ToS32,           VectorShape.Value32,           Value<float, int>(Sse.ConvertToInt32));
        Row(IrVectorOp.TruncateScalarF32ToS32,          VectorShape.Value32,           Value<float, int>(Sse.ConvertToInt32WithTruncation));
        Row(IrVectorOp.ConvertScalarF32ToS64,           VectorShape.Value64,           Value<float, long>(Sse.X64.ConvertToInt64));
        Row(IrVectorOp.TruncateScalarF32ToS64,          VectorShape.Value64,           Value<float, long>(Sse.X64.ConvertToInt64WithTruncation));
        Row(IrVectorOp.ConvertScalarF64ToS32,           VectorShape.Value32,           Value<double, int>(Sse2.ConvertToInt32));
        Row(IrVectorOp.TruncateScalarF64ToS32,          VectorShape.Value32,           Value<double, int>(Sse2.ConvertToInt32WithTruncation));
        Row(IrVectorOp.ConvertScalarF64ToS64,           VectorShape.Value64,           Value<double, long>(Sse2.X64.ConvertToInt64));
        Row(IrVectorOp.TruncateScalarF64ToS64,          VectorShape.Value64,           Value<double, long>(Sse2.X64.ConvertToInt64WithTruncation));
    }

    private static void AddVariants((VectorShape Shape, Delegate? Method)[] table)
    {
        void Variants(IrVectorOp op, VectorShape shape, params ReadOnlySpan<Delegate> methods)
        {
            for (int i = 0; i < methods.Length; i++)
            {
                table[((int)op * MaxVariants) + i] = (shape, methods[i]);
            }
        }

        Variants(IrVectorOp.OrderF32, VectorShape.Order, Order<float>(Sse.CompareScalarOrderedGreaterThanOrEqual), Order<float>(Sse.CompareScalarOrderedGreaterThan));
        Variants(IrVectorOp.OrderF64, VectorShape.Order, Order<double>(Sse2.CompareScalarOrderedGreaterThanOrEqual), Order<double>(Sse2.CompareScalarOrderedGreaterThan));
        Variants(IrVectorOp.OrderQuietF32, VectorShape.Order, Order<float>(Sse.CompareScalarUnorderedGreaterThanOrEqual), Order<float>(Sse.CompareScalarUnorderedGreaterThan));
        Variants(IrVectorOp.OrderQuietF64, VectorShape.Order, Order<double>(Sse2.CompareScalarUnorderedGreaterThanOrEqual), Order<double>(Sse2.CompareScalarUnorderedGreaterThan));
        Variants(IrVectorOp.CompareF32, VectorShape.Binary,
            Binary<float, float, float>(Sse.CompareEqual),
            Binary<float, float, float>(Sse.CompareLessThan),
            Binary<float, float, float>(Sse.CompareLessThanOrEqual),
            Binary<float, float, float>(Sse.CompareUnordered),
            Binary<float, float, float>(Sse.CompareNotEqual),
            Binary<float, float, float>(Sse.CompareNotLessThan),
            Binary<float, float, float>(Sse.CompareNotLessThanOrEqual),
            Binary<float, float, float>(Sse.CompareOrdered));
        Variants(IrVectorOp.CompareScalarF32, VectorShape.Binary,
            Binary<float, float, float>(Sse.CompareScalarEqual),
            Binary<float, float, float>(Sse.CompareScalarLessThan),
            Binary<float, float, float>(Sse.CompareScalarLessThanOrEqual),
            Binary<float, float, float>(Sse.CompareScalarUnordered),
            Binary<float, float, float>(Sse.CompareScalarNotEqual),
            Binary<float, float, float>(Sse.CompareScalarNotLessThan),
            Binary<float, float, float>(Sse.CompareScalarNotLessThanOrEqual),
            Binary<float, float, float>(Sse.CompareScalarOrdered));
        Variants(IrVectorOp.CompareF64, VectorShape.Binary,
            Binary<double, double, double>(Sse2.CompareEqual),
            Binary<double, double, double>(Sse2.CompareLessThan),
            Binary<double, double, double>(Sse2.CompareLessThanOrEqual),
            Binary<double, double, double>(Sse2.CompareUnordered),
            Binary<double, double, double>(Sse2.CompareNotEqual),
            Binary<double, double, double>(Sse2.CompareNotLessThan),
            Binary<double, double, double>(Sse2.CompareNotLessThanOrEqual),
            Binary<double, double, double>(Sse2.CompareOrdered));
        Variants(IrVectorOp.CompareScalarF64, VectorShape.Binary,
            Binary<double, double, double>(Sse2.CompareScalarEqual),
            Binary<double, double, double>(Sse2.CompareScalarLessThan),
            Binary<double, double, double>(Sse2.CompareScalarLessThanOrEqual),
            Binary<double, double, double>(Sse2.CompareScalarUnordered),
            Binary<double, double, double>(Sse2.CompareScalarNotEqual),
            Binary<double, double, double>(Sse2.CompareScalarNotLessThan),
            Binary<double, double, double>(Sse2.CompareScalarNotLessThanOrEqual),
            Binary<double, double, double>(Sse2.CompareScalarOrdered));
        Variants(IrVectorOp.RoundF32, VectorShape.Unary,
            Unary<float, float>(Sse41.RoundToNearestInteger),
            Unary<float, float>(Sse41.RoundToNegativeInfinity),
            Unary<float, float>(Sse41.RoundToPositiveInfinity),
            Unary<float, float>(Sse41.RoundToZero),
            Unary<float, float>(Sse41.RoundCurrentDirection));
        Variants(IrVectorOp.RoundScalarF32, VectorShape.Binary,
            Binary<float, float, float>(Sse41.RoundToNearestIntegerScalar),
            Binary<float, float, float>(Sse41.RoundToNegativeInfinityScalar),
            Binary<float, float, float>(Sse41.RoundToPositiveInfinityScalar),
            Binary<float, float, float>(Sse41.RoundToZeroScalar),
            Binary<float, float, float>(Sse41.RoundCurrentDirectionScalar));
        Variants(IrVectorOp.RoundF64, VectorShape.Unary,
            Unary<double, double>(Sse41.RoundToNearestInteger),
            Unary<double, double>(Sse41.RoundToNegativeInfinity),
            Unary<double, double>(Sse41.RoundToPositiveInfinity),
            Unary<double, double>(Sse41.RoundToZero),
            Unary<double, double>(Sse41.RoundCurrentDirection));
        Variants(IrVectorOp.RoundScalarF64, VectorShape.Binary,
            Binary<double, double, double>(Sse41.RoundToNearestIntegerScalar),
            Binary<double, double, double>(Sse41.RoundToNegativeInfinityScalar),
            Binary<double, double, double>(Sse41.RoundToPositiveInfinityScalar),
            Binary<double, double, double>(Sse41.RoundToZeroScalar),
            Binary<double, double, double>(Sse41.RoundCurrentDirectionScalar));
    }

    private static Func<Vector128<TA>, Vector128<TB>, Vector128<TResult>> Binary<TA, TB, TResult>(Func<Vector128<TA>, Vector128<TB>, Vector128<TResult>> method) => method;

    private static Func<Vector128<T>, Vector128<T>, bool> Order<T>(Func<Vector128<T>, Vector128<T>, bool> method) => method;

    private static Func<Vector128<T>, Vector128<TResult>> Unary<T, TResult>(Func<Vector128<T>, Vector128<TResult>> method) => method;

    private static Func<Vector128<T>, byte, Vector128<T>> Immediate<T>(Func<Vector128<T>, byte, Vector128<T>> method) => method;

    private static Func<Vector128<T>, Vector128<T>, byte, Vector128<T>> BinaryImmediate<T>(Func<Vector128<T>, Vector128<T>, byte, Vector128<T>> method) => method;

    private static Func<Vector128<T>, TScalar, Vector128<T>> Scalar<T, TScalar>(Func<Vector128<T>, TScalar, Vector128<T>> method) => method;

    private static Func<Vector128<T>, T, byte, Vector128<T>> Insert<T>(Func<Vector128<T>, T, byte, Vector128<T>> method) => method;

    private static Func<Vector128<T>, byte, T> Extract<T>(Func<Vector128<T>, byte, T> method) => method;

    private static Func<Vector128<T>, TResult> Value<T, TResult>(Func<Vector128<T>, TResult> method) => method;
}
