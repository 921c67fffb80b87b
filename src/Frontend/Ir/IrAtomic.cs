namespace Emu.Frontend.Ir;

/// <summary>What an <see cref="IrOpcode.Atomic"/> puts into memory, from what was there (which it returns) and its operands.</summary>
public enum IrAtomic : byte
{
    /// <summary>Operand.</summary>
    Exchange,

    /// <summary>Memory + operand.</summary>
    Add,

    /// <summary>Memory − operand.</summary>
    Subtract,

    /// <summary>Memory &amp; operand.</summary>
    And,

    /// <summary>Memory | operand.</summary>
    Or,

    /// <summary>Memory ^ operand.</summary>
    Xor,

    /// <summary>−memory.</summary>
    Negate,

    /// <summary>Operand if it equals the accumulator C.</summary>
    CompareExchange,
}
