using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Operations of AES, PCLMULQDQ, AVX2 and FMA.</content>
internal static partial class VectorInstructions
{
    private static void AddExtensions((VectorShape Shape, Delegate? Method)[] table)
    {
        void Row(IrVectorOp op, VectorShape shape, Delegate method, int variant = 0) => table[((int)op * MaxVariants) + variant] = (shape, method);
        Row(IrVectorOp.ShiftLeftEachI32,            VectorShape.Binary,          Binary<uint, uint, uint>(Avx2.ShiftLeftLogicalVariable));
        Row(IrVectorOp.ShiftLeftEachI64,            VectorShape.Binary,          Binary<ulong, ulong, ulong>(Avx2.ShiftLeftLogicalVariable));
        Row(IrVectorOp.ShiftRightEachI32,           VectorShape.Binary,          Binary<uint, uint, uint>(Avx2.ShiftRightLogicalVariable));
        Row(IrVectorOp.ShiftRightEachI64,           VectorShape.Binary,          Binary<ulong, ulong, ulong>(Avx2.ShiftRightLogicalVariable));
        Row(IrVectorOp.ShiftRightArithmeticEachI32, VectorShape.Binary,          Binary<int, uint, int>(Avx2.ShiftRightArithmeticVariable));
        Row(IrVectorOp.AesEncrypt,                  VectorShape.Binary,          Binary<byte, byte, byte>(Aes.Encrypt));
        Row(IrVectorOp.AesEncryptLast,              VectorShape.Binary,          Binary<byte, byte, byte>(Aes.EncryptLast));
        Row(IrVectorOp.AesDecrypt,                  VectorShape.Binary,          Binary<byte, byte, byte>(Aes.Decrypt));
        Row(IrVectorOp.AesDecryptLast,              VectorShape.Binary,          Binary<byte, byte, byte>(Aes.DecryptLast));
        Row(IrVectorOp.MulCarryless,                VectorShape.BinaryImmediate, BinaryImmediate<ulong>(Pclmulqdq.CarrylessMultiply));
        Row(IrVectorOp.BlendSignI8,                 VectorShape.Blend,           Ternary<byte>(Sse41.BlendVariable));
        Row(IrVectorOp.BlendSignI32,                VectorShape.Blend,           Ternary<float>(Sse41.BlendVariable));
        Row(IrVectorOp.BlendSignI64,                VectorShape.Blend,           Ternary<double>(Sse41.BlendVariable));
        AddFused(Row);
    }

    // Variants: bit 0 subtracts in odd lanes, bit 1 in even ones, bit 2 negates the product.
    private static void AddFused(Action<IrVectorOp, VectorShape, Delegate, int> row)
    {
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplyAdd),                     0);
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplySubtractAdd),             1);
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplyAddSubtract),             2);
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplySubtract),                3);
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplyAddNegated),              4);
        row(IrVectorOp.FusedMultiplyAddF32,       VectorShape.Fused,       Ternary<float>(Fma.MultiplySubtractNegated),         7);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplyAdd),                    0);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplySubtractAdd),            1);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplyAddSubtract),            2);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplySubtract),               3);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplyAddNegated),             4);
        row(IrVectorOp.FusedMultiplyAddF64,       VectorShape.Fused,       Ternary<double>(Fma.MultiplySubtractNegated),        7);
        row(IrVectorOp.FusedMultiplyAddScalarF32, VectorShape.FusedScalar, Ternary<float>(Fma.MultiplyAddScalar),               0);
        row(IrVectorOp.FusedMultiplyAddScalarF32, VectorShape.FusedScalar, Ternary<float>(Fma.MultiplySubtractScalar),          3);
        row(IrVectorOp.FusedMultiplyAddScalarF32, VectorShape.FusedScalar, Ternary<float>(Fma.MultiplyAddNegatedScalar),        4);
        row(IrVectorOp.FusedMultiplyAddScalarF32, VectorShape.FusedScalar, Ternary<float>(Fma.MultiplySubtractNegatedScalar),   7);
        row(IrVectorOp.FusedMultiplyAddScalarF64, VectorShape.FusedScalar, Ternary<double>(Fma.MultiplyAddScalar),              0);
        row(IrVectorOp.FusedMultiplyAddScalarF64, VectorShape.FusedScalar, Ternary<double>(Fma.MultiplySubtractScalar),         3);
        row(IrVectorOp.FusedMultiplyAddScalarF64, VectorShape.FusedScalar, Ternary<double>(Fma.MultiplyAddNegatedScalar),       4);
        row(IrVectorOp.FusedMultiplyAddScalarF64, VectorShape.FusedScalar, Ternary<double>(Fma.MultiplySubtractNegatedScalar),  7);
    }

    private static Func<Vector128<T>, Vector128<T>, Vector128<T>, Vector128<T>> Ternary<T>(Func<Vector128<T>, Vector128<T>, Vector128<T>, Vector128<T>> method) => method;
}
