using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Where the lazy flags are at a point of a region.</summary>
internal enum FlagsForm : byte
{
    /// <summary>Nobody will look at them.</summary>
    Dead,

    /// <summary>In the vCPU's header.</summary>
    Memory,

    /// <summary>In the locals, what they mean is known.</summary>
    Known,

    /// <summary>In the locals, with what they mean in one too.</summary>
    Dynamic,
}

/// <summary>Where the carry flag is; INC and DEC keep it from what came before.</summary>
internal enum FlagsCarry : byte
{
    /// <summary>Follows from the flags themselves.</summary>
    Derived,

    /// <summary>The value is in the carry local.</summary>
    Local,

    /// <summary>The header's flags tell, which are older than the locals. If those are not of INC or DEC, they equal the header's.</summary>
    Memory,
}

/// <summary>What is known of the lazy flags at a point of a region, so that hot code need not store what it can tell later.</summary>
/// <param name="Form">Where they are.</param>
/// <param name="Kind">With <see cref="FlagsForm.Known"/>: what computed them.</param>
/// <param name="Width">With <see cref="FlagsForm.Known"/>: its width.</param>
/// <param name="Carry">Where the carry flag is.</param>
/// <param name="Synced">The header has them as well.</param>
internal readonly record struct FlagsState(FlagsForm Form, FlagsKind Kind = default, IrWidth Width = default, FlagsCarry Carry = default, bool Synced = false)
{
    /// <summary>The state at a region's entry.</summary>
    public static FlagsState InMemory => new(FlagsForm.Memory, Synced: true);

    /// <summary>True when nothing need be stored for the header to have the flags.</summary>
    public bool IsInHeader => Form is FlagsForm.Dead or FlagsForm.Memory || Synced;

    private bool CarryIsInMemory => Form == FlagsForm.Memory || Carry == FlagsCarry.Memory;

    /// <summary>The state where two paths meet; both must be convertible to it.</summary>
    public static FlagsState Meet(FlagsState a, FlagsState b)
    {
        (a, b) = (a with { Synced = a.Form == FlagsForm.Memory }, b with { Synced = b.Form == FlagsForm.Memory });
        if (a == b)
        {
            return a;
        }

        if (a.Form == FlagsForm.Known && b.Form == FlagsForm.Known && a.Kind == b.Kind && a.Width == b.Width)
        {
            return a with { Carry = FlagsCarry.Local };
        }

        return new FlagsState(FlagsForm.Dynamic, Carry: a.CarryIsInMemory && b.CarryIsInMemory ? FlagsCarry.Memory : FlagsCarry.Derived);
    }

    /// <summary>The state after the header was brought up to date. Where only the header can tell all afterwards, it is all that counts.</summary>
    public FlagsState AfterSync() => Form switch
    {
        FlagsForm.Known when Carry != FlagsCarry.Memory => this with { Synced = true },
        FlagsForm.Dead => this,
        _ => InMemory,
    };

    /// <summary>The state after <paramref name="op"/>.</summary>
    /// <param name="op">An op that is compiled.</param>
    /// <param name="liveAfter">Whether anything looks at the flags afterwards.</param>
    public FlagsState After(in IrOp op, bool liveAfter)
    {
        FlagsState state = this;
        if (op.IsCall && op.OnlyChangesFlags && !liveAfter)
        {
            return new FlagsState(FlagsForm.Dead); // it is left out
        }

        if (op.IsCall)
        {
            bool looks = (op.Effects & (IrCallEffects.MayFault | IrCallEffects.ReadsFlags)) != 0;
            state = looks ? state.AfterSync() : state;
            return (op.Effects & IrCallEffects.WritesFlags) != 0 ? InMemory : state;
        }

        if (NeedsHeaderFor(op))
        {
            state = state.AfterSync();
        }

        if (!op.SetsFlags)
        {
            return state;
        }

        return liveAfter ? state.AfterSetting(op) : new FlagsState(FlagsForm.Dead);
    }

    /// <summary>True when <paramref name="op"/> looks at the flags in a way that the locals cannot answer.</summary>
    public bool NeedsHeaderFor(in IrOp op) => op.Opcode switch
    {
        IrOpcode.SetCondition or IrOpcode.Select or IrOpcode.JumpIf => !CanTest(op.Condition),
        IrOpcode.Adc or IrOpcode.Sbb => !CanTest(IrCondition.Below),
        IrOpcode.Increment or IrOpcode.Decrement => op.SetsFlags && Form == FlagsForm.Dynamic && Carry == FlagsCarry.Derived,
        _ => false,
    };

    /// <summary>True when a condition can be evaluated from the locals.</summary>
    public bool CanTest(IrCondition condition)
    {
        if (condition is IrCondition.Below or IrCondition.AboveOrEqual && Carry == FlagsCarry.Memory)
        {
            return true;
        }

        if (Form != FlagsForm.Known)
        {
            return false;
        }

        bool ofResult = condition is IrCondition.Equal or IrCondition.NotEqual or IrCondition.Sign or IrCondition.NotSign or IrCondition.Parity or IrCondition.NotParity;
        bool ofCarry = condition is IrCondition.Below or IrCondition.AboveOrEqual;
        bool ofOverflow = condition is IrCondition.Overflow or IrCondition.NotOverflow;
        bool ofOrder = condition is IrCondition.Less or IrCondition.GreaterOrEqual or IrCondition.LessOrEqual or IrCondition.Greater;
        return Kind switch
        {
            FlagsKind.Sub or FlagsKind.Logic or FlagsKind.Materialised => true,
            FlagsKind.Inc or FlagsKind.Dec => ofResult || ofOrder || ofCarry || ofOverflow,
            FlagsKind.Mul => ofResult || ofCarry || ofOverflow,
            _ => ofResult || ofCarry,
        };
    }

    /// <summary>What an op that sets flags makes of them.</summary>
    public static FlagsKind KindOf(IrOpcode opcode) => opcode switch
    {
        IrOpcode.SetFlags => FlagsKind.Materialised,
        IrOpcode.Add => FlagsKind.Add,
        IrOpcode.Adc => FlagsKind.Adc,
        IrOpcode.Sub or IrOpcode.Compare or IrOpcode.CompareJump or IrOpcode.Negate => FlagsKind.Sub,
        IrOpcode.Sbb => FlagsKind.Sbb,
        IrOpcode.Increment => FlagsKind.Inc,
        IrOpcode.Decrement => FlagsKind.Dec,
        IrOpcode.ShiftLeft => FlagsKind.Shl,
        IrOpcode.ShiftRight => FlagsKind.Shr,
        IrOpcode.ShiftRightArithmetic => FlagsKind.Sar,
        IrOpcode.Multiply or IrOpcode.MultiplyWideSigned or IrOpcode.MultiplyWideUnsigned => FlagsKind.Mul,
        _ => FlagsKind.Logic,
    };

    private FlagsState AfterSetting(in IrOp op)
    {
        if (op.Opcode is IrOpcode.ShiftLeft or IrOpcode.ShiftRight or IrOpcode.ShiftRightArithmetic && !op.ImmediateB)
        {
            return new FlagsState(FlagsForm.Dynamic); // a count of zero keeps the old ones
        }

        FlagsCarry carry = FlagsCarry.Derived;
        if (op.Opcode is IrOpcode.Increment or IrOpcode.Decrement)
        {
            carry = CarryIsInMemory ? FlagsCarry.Memory : FlagsCarry.Local;
        }

        return new FlagsState(FlagsForm.Known, KindOf(op.Opcode), op.Width, carry);
    }
}
