using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>
/// The shapes of ops that compiled programs are made of: what a kernel's boot uses, with few exceptions. Their handlers can be compiled on
/// another thread before code with them is met.
/// </summary>
/// <remarks>Loops rather than queries: those over structs would be compiled at start themselves.</remarks>
internal static class CommonOps
{
    private static readonly IrWidth[] Wide = [IrWidth.W64, IrWidth.W32];
    private static readonly IrWidth[] Most = [.. Wide, IrWidth.W8];
    private static readonly IrAddress[] Addresses = [IrAddress.Base, IrAddress.BaseIndex];
    private static readonly bool[] Either = [false, true];

    private static readonly IrOpcode[] Binary =
    [
        IrOpcode.Add, IrOpcode.Sub, IrOpcode.And, IrOpcode.Or, IrOpcode.Xor, IrOpcode.ShiftRight, IrOpcode.ShiftLeft, IrOpcode.ShiftRightArithmetic,
        IrOpcode.Compare, IrOpcode.Test,
    ];

    private static readonly IrCondition[] Conditions =
    [
        IrCondition.Equal, IrCondition.NotEqual, IrCondition.Below, IrCondition.AboveOrEqual, IrCondition.BelowOrEqual, IrCondition.Above,
        IrCondition.LessOrEqual, IrCondition.Greater, IrCondition.Less, IrCondition.GreaterOrEqual, IrCondition.Sign, IrCondition.NotSign,
    ];

    /// <summary>One op of each shape, the most common first. Only what a handler is chosen by is set.</summary>
    public static IEnumerable<IrOp> All()
    {
        foreach (Func<IEnumerable<IrOp>> part in (Func<IEnumerable<IrOp>>[])[Transfers, Arithmetic, FusedJumps, Conditionals])
        {
            foreach (IrOp op in part())
            {
                yield return op;
            }
        }
    }

    private static IEnumerable<IrOp> Transfers()
    {
        foreach (IrAddress address in Addresses)
        {
            foreach (IrWidth width in Most)
            {
                yield return new IrOp { Opcode = IrOpcode.Load, Width = width, Sub = (byte)width, Address = address };
                yield return new IrOp { Opcode = IrOpcode.Store, Width = width, Address = address };
                yield return new IrOp { Opcode = IrOpcode.Store, Width = width, Address = address, ImmediateB = true };
            }

            yield return new IrOp { Opcode = IrOpcode.Load, Width = IrWidth.W8, Sub = (byte)IrWidth.W32, Address = address };
            yield return new IrOp { Opcode = IrOpcode.Load, Width = IrWidth.W16, Sub = (byte)IrWidth.W32, Address = address };
            yield return new IrOp { Opcode = IrOpcode.LoadSigned, Width = IrWidth.W32, Sub = (byte)IrWidth.W64, Address = address };
            yield return new IrOp { Opcode = IrOpcode.Lea, Width = IrWidth.W64, Address = address };
            yield return new IrOp { Opcode = IrOpcode.Lea, Width = IrWidth.W32, Address = address };
        }

        foreach (IrWidth width in Most)
        {
            yield return new IrOp { Opcode = IrOpcode.LoadForWrite, Width = width, Sub = (byte)width, Address = IrAddress.Base };
            yield return new IrOp { Opcode = IrOpcode.Move, Width = width };
            yield return new IrOp { Opcode = IrOpcode.Move, Width = width, ImmediateB = true };
        }

        yield return new IrOp { Opcode = IrOpcode.ZeroExtend, Width = IrWidth.W8, Sub = (byte)IrWidth.W32 };
        yield return new IrOp { Opcode = IrOpcode.ZeroExtend, Width = IrWidth.W16, Sub = (byte)IrWidth.W32 };
        yield return new IrOp { Opcode = IrOpcode.SignExtend, Width = IrWidth.W32, Sub = (byte)IrWidth.W64 };
        yield return new IrOp { Opcode = IrOpcode.Jump };
        yield return new IrOp { Opcode = IrOpcode.JumpIndirect };
        yield return new IrOp { Opcode = IrOpcode.Call, Dst = 1 };
    }

    private static IEnumerable<IrOp> Arithmetic()
    {
        foreach (IrOpcode opcode in Binary)
        {
            bool onlyFlags = opcode is IrOpcode.Compare or IrOpcode.Test;
            foreach (IrWidth width in opcode is IrOpcode.And or IrOpcode.Or or IrOpcode.Xor || onlyFlags ? Most : Wide)
            {
                foreach (bool immediate in Either)
                {
                    yield return new IrOp { Opcode = opcode, Width = width, ImmediateB = immediate, SetsFlags = true };
                    if (!onlyFlags)
                    {
                        yield return new IrOp { Opcode = opcode, Width = width, ImmediateB = immediate };
                    }
                }
            }
        }

        foreach (IrWidth width in Wide)
        {
            foreach (bool flags in Either)
            {
                yield return new IrOp { Opcode = IrOpcode.Increment, Width = width, SetsFlags = flags };
                yield return new IrOp { Opcode = IrOpcode.Decrement, Width = width, SetsFlags = flags };
            }
        }
    }

    private static IEnumerable<IrOp> FusedJumps()
    {
        foreach (IrCondition condition in Conditions)
        {
            foreach (IrWidth width in Most)
            {
                yield return new IrOp { Opcode = IrOpcode.CompareJump, Width = width, Sub = (byte)condition, SetsFlags = true };
                yield return new IrOp { Opcode = IrOpcode.CompareJump, Width = width, Sub = (byte)condition, SetsFlags = true, ImmediateB = true };
                yield return new IrOp { Opcode = IrOpcode.TestJump, Width = width, Sub = (byte)condition, SetsFlags = true };
            }
        }
    }

    private static IEnumerable<IrOp> Conditionals()
    {
        foreach (IrOpcode opcode in (IrOpcode[])[IrOpcode.JumpIf, IrOpcode.SetCondition, IrOpcode.Select])
        {
            foreach (IrCondition condition in Conditions)
            {
                bool ofResult = condition is IrCondition.Equal or IrCondition.NotEqual or IrCondition.Sign or IrCondition.NotSign;
                foreach (IrWidth width in Wide)
                {
                    yield return new IrOp { Opcode = opcode, Sub = (byte)condition, Scale = (byte)width, Flags = FlagsKind.Sub };
                    if (ofResult)
                    {
                        yield return new IrOp { Opcode = opcode, Sub = (byte)condition, Scale = (byte)width, Flags = FlagsKind.Logic };
                    }
                }
            }
        }
    }
}
