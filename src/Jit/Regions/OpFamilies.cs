using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Families of operations that can be kept out of compiled code, to find the one that is compiled wrongly.</summary>
[Flags]
internal enum OpFamilies
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Loads and stores.</summary>
    Memory = 1,

    /// <summary>Addition, subtraction, logic, moves between widths, addresses.</summary>
    Alu = 2,

    /// <summary>Shifts and rotations.</summary>
    Shift = 4,

    /// <summary>Multiplication and division.</summary>
    Multiply = 8,

    /// <summary>Carries, conditions as values, comparisons that are not part of a branch.</summary>
    Flags = 16,

    /// <summary>Conditional direct jumps.</summary>
    Branch = 32,

    /// <summary>Indirect jumps.</summary>
    Indirect = 64,

    /// <summary>Helpers on scalars.</summary>
    Call = 128,

    /// <summary>Helpers on vectors, moves of vectors.</summary>
    Vector = 256,

    /// <summary>Locked instructions.</summary>
    Atomic = 512,

    /// <summary>Floating-point helpers on vectors, which the host's instructions replace.</summary>
    Float = 1024,
}

/// <summary>Names and members of <see cref="OpFamilies"/>.</summary>
internal static class OpFamily
{
    /// <summary>The names on the command line.</summary>
    public static IReadOnlyDictionary<string, OpFamilies> Names { get; } = new Dictionary<string, OpFamilies>
    {
        ["memory"] = OpFamilies.Memory,
        ["alu"] = OpFamilies.Alu,
        ["shift"] = OpFamilies.Shift,
        ["mul"] = OpFamilies.Multiply,
        ["flags"] = OpFamilies.Flags,
        ["branch"] = OpFamilies.Branch,
        ["indirect"] = OpFamilies.Indirect,
        ["call"] = OpFamilies.Call,
        ["vector"] = OpFamilies.Vector,
        ["atomic"] = OpFamilies.Atomic,
        ["float"] = OpFamilies.Float,
    };

    /// <summary>The families with these names.</summary>
    public static OpFamilies Parse(IEnumerable<string> names) => names.Aggregate(OpFamilies.None, (families, name) => families | Names[name]);

    /// <summary>The families of <paramref name="op"/>; the plain jump and the exit, which every block needs, have none.</summary>
    public static OpFamilies Of(in IrOp op) => op.Opcode switch
    {
        IrOpcode.CallVector or IrOpcode.CallVectorValue when IrVectorOps.IsFloat(op.VectorOp) => OpFamilies.Vector | OpFamilies.Float,
        IrOpcode.CallVector or IrOpcode.CallVectorValue => OpFamilies.Vector,
        _ when op.Width == IrWidth.W128 => OpFamilies.Vector,
        IrOpcode.Load or IrOpcode.LoadSigned or IrOpcode.LoadForWrite or IrOpcode.Store => OpFamilies.Memory,
        IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic or IrOpcode.RotateLeft or IrOpcode.RotateRight => OpFamilies.Shift,
        IrOpcode.Multiply => OpFamilies.Multiply,
        _ when op.WritesTwo => OpFamilies.Multiply,
        IrOpcode.Adc or IrOpcode.Sbb or IrOpcode.SetCondition or IrOpcode.Select or IrOpcode.Compare or IrOpcode.Test => OpFamilies.Flags,
        IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump => OpFamilies.Branch,
        IrOpcode.JumpIndirect => OpFamilies.Indirect,
        IrOpcode.Atomic => OpFamilies.Atomic,
        IrOpcode.Call => OpFamilies.Call,
        IrOpcode.Nop or IrOpcode.Jump or IrOpcode.Exit => OpFamilies.None,
        _ => OpFamilies.Alu,
    };
}
