using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>
/// The shapes of ops that compiled programs are made of: what a kernel's boot uses, with few exceptions. Their handlers can be compiled on
/// another thread before code with them is met.
/// </summary>
internal static class CommonOps
{
    private static readonly IrWidth[] Wide = [IrWidth.W64, IrWidth.W32];
    private static readonly IrWidth[] Most = [.. Wide, IrWidth.W8];
    private static readonly IrAddress[] Addresses = [IrAddress.Base, IrAddress.BaseIndex];
    private static readonly bool[] Either = [false, true];

    private static readonly IrCondition[] Conditions =
    [
        IrCondition.Equal, IrCondition.NotEqual, IrCondition.Below, IrCondition.AboveOrEqual, IrCondition.BelowOrEqual, IrCondition.Above,
        IrCondition.LessOrEqual, IrCondition.Greater, IrCondition.Less, IrCondition.GreaterOrEqual, IrCondition.Sign, IrCondition.NotSign,
    ];

    /// <summary>One op of each shape, the most common first. Only what a handler is chosen by is set.</summary>
    public static IEnumerable<IrOp> All => [.. Transfers, .. Arithmetic, .. FusedJumps, .. Conditionals];

    private static IEnumerable<IrOp> Transfers =>
    [
        .. Each(Addresses, address => Each(Most, width => new IrOp { Opcode = IrOpcode.Load, Width = width, Sub = (byte)width, Address = address })),
        .. Each(Addresses, address => new IrOp { Opcode = IrOpcode.Load, Width = IrWidth.W8, Sub = (byte)IrWidth.W32, Address = address }),
        .. Each(Addresses, address => new IrOp { Opcode = IrOpcode.Load, Width = IrWidth.W16, Sub = (byte)IrWidth.W32, Address = address }),
        .. Each(Addresses, address => new IrOp { Opcode = IrOpcode.LoadSigned, Width = IrWidth.W32, Sub = (byte)IrWidth.W64, Address = address }),
        .. Each(Addresses, address => Each(Most, width => Each(Either, immediate =>
            new IrOp { Opcode = IrOpcode.Store, Width = width, ImmediateB = immediate, Address = address }))),
        .. Each(Most, width => new IrOp { Opcode = IrOpcode.LoadForWrite, Width = width, Sub = (byte)width, Address = IrAddress.Base }),
        .. Each(Wide, width => Each(Either, immediate => new IrOp { Opcode = IrOpcode.Move, Width = width, ImmediateB = immediate })),
        .. Each(Wide, width => Each(Addresses, address => new IrOp { Opcode = IrOpcode.Lea, Width = width, Address = address })),
        .. Each([IrWidth.W8, IrWidth.W16], width => new IrOp { Opcode = IrOpcode.ZeroExtend, Width = width, Sub = (byte)IrWidth.W32 }),
        new() { Opcode = IrOpcode.SignExtend, Width = IrWidth.W32, Sub = (byte)IrWidth.W64 },
        new() { Opcode = IrOpcode.Jump },
        new() { Opcode = IrOpcode.JumpIndirect },
        new() { Opcode = IrOpcode.Call, Dst = 1 },
    ];

    private static IEnumerable<IrOp> Arithmetic =>
    [
        .. Each([IrOpcode.Add, IrOpcode.Sub, IrOpcode.And, IrOpcode.Or, IrOpcode.Xor], opcode => WithOperands(opcode, Wide)),
        .. Each([IrOpcode.ShiftRight, IrOpcode.ShiftLeft, IrOpcode.ShiftRightArithmetic], opcode => WithOperands(opcode, Wide)),
        .. Each([IrOpcode.And, IrOpcode.Or, IrOpcode.Xor], opcode => WithOperands(opcode, [IrWidth.W8])),
        .. Each([IrOpcode.Compare, IrOpcode.Test], opcode => Each(Most, width => Each(Either, immediate =>
            new IrOp { Opcode = opcode, Width = width, ImmediateB = immediate, SetsFlags = true }))),
        .. Each([IrOpcode.Increment, IrOpcode.Decrement], opcode => Each(Wide, width => Each(Either, flags =>
            new IrOp { Opcode = opcode, Width = width, SetsFlags = flags }))),
    ];

    private static IEnumerable<IrOp> FusedJumps => Each(Conditions, condition => Each(Most, width => Each(Either, immediate =>
        new IrOp { Opcode = IrOpcode.CompareJump, Width = width, Sub = (byte)condition, ImmediateB = immediate, SetsFlags = true })))
        .Concat(Each(Conditions, condition => Each(Most, width =>
            new IrOp { Opcode = IrOpcode.TestJump, Width = width, Sub = (byte)condition, SetsFlags = true })));

    private static IEnumerable<IrOp> Conditionals =>
    [
        .. Each([IrOpcode.JumpIf, IrOpcode.SetCondition, IrOpcode.Select], opcode => Each(Conditions, condition => Each(Wide, width =>
            new IrOp { Opcode = opcode, Sub = (byte)condition, Scale = (byte)width, Flags = FlagsKind.Sub }))),
        .. Each([IrOpcode.JumpIf, IrOpcode.SetCondition, IrOpcode.Select],
            opcode => Each([IrCondition.Equal, IrCondition.NotEqual, IrCondition.Sign, IrCondition.NotSign], condition => Each(Most, width =>
                new IrOp { Opcode = opcode, Sub = (byte)condition, Scale = (byte)width, Flags = FlagsKind.Logic }))),
    ];

    private static IEnumerable<IrOp> WithOperands(IrOpcode opcode, IrWidth[] widths) => Each(widths, width => Each(Either, immediate => Each(Either, flags =>
        new IrOp { Opcode = opcode, Width = width, ImmediateB = immediate, SetsFlags = flags })));

    private static IEnumerable<IrOp> Each<T>(T[] values, Func<T, IrOp> make) => values.Select(make);

    private static IEnumerable<IrOp> Each<T>(T[] values, Func<T, IEnumerable<IrOp>> make) => values.SelectMany(make);
}
