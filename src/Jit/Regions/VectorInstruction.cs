using System.Reflection;

namespace Emu.Jit.Regions;

/// <summary>What an instruction of the host takes from an IR vector op and gives for it.</summary>
internal enum VectorShape : byte
{
    /// <summary>Vector of A and B.</summary>
    Binary,

    /// <summary>As <see cref="Binary"/>, but RyuJIT may exchange the operands: which of two NaNs comes out must be seen to.</summary>
    BinaryCommuting,

    /// <summary>Vector of B.</summary>
    Unary,

    /// <summary>Vector of A and the immediate.</summary>
    FirstImmediate,

    /// <summary>Vector of B and the immediate.</summary>
    SecondImmediate,

    /// <summary>Vector of A, B and the immediate.</summary>
    BinaryImmediate,

    /// <summary>Vector of A, B and Dst.</summary>
    Blend,

    /// <summary>Vector of the three operands of a fused multiply-add, in an order that the immediate tells. Of NaNs the first must come out.</summary>
    Fused,

    /// <summary>The same in the lowest lane.</summary>
    FusedScalar,

    /// <summary>Vector of A and a 32-bit scalar B.</summary>
    Scalar32,

    /// <summary>Vector of A and a 64-bit scalar B.</summary>
    Scalar64,

    /// <summary>Vector of A, a 32-bit scalar B and the immediate.</summary>
    Scalar32Immediate,

    /// <summary>Vector of A, a 64-bit scalar B and the immediate.</summary>
    Scalar64Immediate,

    /// <summary>32-bit value of B.</summary>
    Value32,

    /// <summary>64-bit value of B.</summary>
    Value64,

    /// <summary>32-bit value of B and the immediate.</summary>
    Value32Immediate,

    /// <summary>64-bit value of B and the immediate.</summary>
    Value64Immediate,

    /// <summary>Value of A and B, the flags of their order, put together from A ≥ B and B ≥ A.</summary>
    Order,
}

/// <summary>A method that RyuJIT compiles to the instruction for an IR vector op.</summary>
/// <param name="Shape">Its operands and result.</param>
/// <param name="Method">The method.</param>
internal sealed record VectorInstruction(VectorShape Shape, MethodInfo Method)
{
    /// <summary>The op's A is an operand.</summary>
    public bool ReadsFirst => Shape is not (VectorShape.Unary or VectorShape.SecondImmediate or VectorShape.Value32 or VectorShape.Value64
        or VectorShape.Value32Immediate or VectorShape.Value64Immediate);

    /// <summary>The op's B is an operand.</summary>
    public bool ReadsSecond => Shape != VectorShape.FirstImmediate;
}

/// <summary>A vector whose value does not depend on the operands.</summary>
internal enum ConstantVector
{
    /// <summary>All zeros.</summary>
    Zero,

    /// <summary>All ones.</summary>
    Ones,
}
