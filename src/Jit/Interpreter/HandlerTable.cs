using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Jit.Interpreter;

/// <summary>
/// Finds the handler for an op: the table from run-time values (opcode, widths, operand kinds) to generic instantiations. Each is
/// compiled on first use and remembered.
/// </summary>
internal static unsafe class HandlerTable
{
    private const int RecentCount = 4096;

    private static readonly ConcurrentDictionary<ulong, Entry> Cache = new();

    // In front of it, direct-mapped: a block is encoded with a few loads for each op.
    private static readonly Entry?[] Recent = new Entry?[RecentCount];

    private sealed record Entry(ulong Key, nint Handler);

    /// <summary>The code address of the handler for <paramref name="op"/>. Any thread.</summary>
    public static nint For(in IrOp op)
    {
        ulong key = KeyOf(op);
        ref Entry? recent = ref Recent[(int)((key * 0x9e3779b97f4a7c15) >> 52)];
        if (recent is Entry { Handler: nint handler } found && found.Key == key)
        {
            return handler;
        }

        if (!Cache.TryGetValue(key, out Entry? entry))
        {
            entry = Cache.GetOrAdd(key, new Entry(key, Select(op)));
        }

        recent = entry;
        return entry.Handler;
    }

    /// <summary>The handler of jumps that leave the page.</summary>
    public static nint JumpFar { get; } = CodeOf(Handlers.JumpFar<No>);

    /// <summary>The same in relative blocks.</summary>
    public static nint JumpFarRelative { get; } = CodeOf(Handlers.JumpFar<Yes>);

    /// <summary>The handler of indirect jumps in relative blocks.</summary>
    public static nint JumpIndirectRelative { get; } = CodeOf(Handlers.JumpIndirect<Yes>);

    /// <summary>The handler of indirect jumps in blocks that may not chain.</summary>
    public static nint JumpIndirectUnchained { get; } = CodeOf(Handlers.JumpIndirectUnchained);

    /// <summary>The handler in front of a block that counts its executions.</summary>
    public static nint Count { get; } = CodeOf(Handlers.Count);

    private delegate Op* Handler(Op* op, byte* cpu);

    // The address of the compiled code itself: the one that & gives is a stub that jumps there, which costs a fifth of the speed.
    private static nint CodeOf(Handler handler)
    {
        RuntimeMethodHandle method = handler.Method.MethodHandle;
        RuntimeHelpers.PrepareMethod(method, [.. handler.Method.GetGenericArguments().Select(type => type.TypeHandle)]);
        return method.GetFunctionPointer();
    }

    // Everything Select looks at.
    private static ulong KeyOf(in IrOp op)
    {
        ulong key = (ulong)op.Opcode | ((ulong)op.Width << 8) | ((ulong)op.Address << 16) | (op.ImmediateB ? 1UL << 20 : 0) | (op.SetsFlags ? 1UL << 21 : 0);
        return op.Opcode switch
        {
            IrOpcode.Call => key | (op.Dst == 0 ? 1UL << 22 : 0),
            IrOpcode.Adc or IrOpcode.Sbb => key | ((ulong)op.Flags << 40),
            IrOpcode.JumpIf or IrOpcode.SetCondition or IrOpcode.Select => key | ((ulong)op.Sub << 24) | ((ulong)op.Scale << 32) | ((ulong)op.Flags << 40),
            _ => key | ((ulong)op.Sub << 24),
        };
    }

    private static nint Select(in IrOp op) => op.Opcode switch
    {
        IrOpcode.Move when op.Width == IrWidth.W128 => CodeOf(Handlers.VectorMove),
        IrOpcode.Move => op.ImmediateB ? ByWidth<MoveFamily<ImmediateOperand>>(op.Width) : ByWidth<MoveFamily<SlotOperand>>(op.Width),
        IrOpcode.ZeroExtend => ByWidths<ZeroExtendFamily>(op.Width, op.DestinationWidth),
        IrOpcode.SignExtend => ByWidths<SignExtendFamily>(op.Width, op.DestinationWidth),
        IrOpcode.Lea => op.Width == IrWidth.W64 ? ByAddress<LeaFamily<Width64>>(op.Address) : ByAddress<LeaFamily<Width32>>(op.Address),
        IrOpcode.Add => Binary<AddOp>(op),
        IrOpcode.Sub => Binary<SubOp>(op),
        IrOpcode.And => Binary<AndOp>(op),
        IrOpcode.Or => Binary<OrOp>(op),
        IrOpcode.Xor => Binary<XorOp>(op),
        IrOpcode.Adc => WithCarry<AdcOp>(op),
        IrOpcode.Sbb => WithCarry<SbbOp>(op),
        IrOpcode.Compare => op.ImmediateB ? ByWidth<CompareFamily<ImmediateOperand>>(op.Width) : ByWidth<CompareFamily<SlotOperand>>(op.Width),
        IrOpcode.Test => op.ImmediateB ? ByWidth<TestFamily<ImmediateOperand>>(op.Width) : ByWidth<TestFamily<SlotOperand>>(op.Width),
        IrOpcode.Negate => op.SetsFlags ? ByWidth<NegateFamily<Yes>>(op.Width) : ByWidth<NegateFamily<No>>(op.Width),
        IrOpcode.Not => ByWidth<NotFamily>(op.Width),
        IrOpcode.Increment => op.SetsFlags ? ByWidth<StepFamily<Yes, Yes>>(op.Width) : ByWidth<StepFamily<Yes, No>>(op.Width),
        IrOpcode.Decrement => op.SetsFlags ? ByWidth<StepFamily<No, Yes>>(op.Width) : ByWidth<StepFamily<No, No>>(op.Width),
        IrOpcode.ShiftLeft => Shift<ShiftLeftOp>(op),
        IrOpcode.ShiftRight => Shift<ShiftRightOp>(op),
        IrOpcode.ShiftRightArithmetic => Shift<ShiftRightArithmeticOp>(op),
        IrOpcode.RotateLeft => op.ImmediateB ? ByWidth<RotateFamily<Yes, ImmediateOperand>>(op.Width) : ByWidth<RotateFamily<Yes, SlotOperand>>(op.Width),
        IrOpcode.RotateRight => op.ImmediateB ? ByWidth<RotateFamily<No, ImmediateOperand>>(op.Width) : ByWidth<RotateFamily<No, SlotOperand>>(op.Width),
        IrOpcode.Multiply => op.ImmediateB ? Multiply<ImmediateOperand>(op) : Multiply<SlotOperand>(op),
        IrOpcode.MultiplyWideUnsigned => op.SetsFlags ? ByWidth<MultiplyWideFamily<No, Yes>>(op.Width) : ByWidth<MultiplyWideFamily<No, No>>(op.Width),
        IrOpcode.MultiplyWideSigned => op.SetsFlags ? ByWidth<MultiplyWideFamily<Yes, Yes>>(op.Width) : ByWidth<MultiplyWideFamily<Yes, No>>(op.Width),
        IrOpcode.ByteSwap => ByWidth<ByteSwapFamily>(op.Width),
        IrOpcode.LowestBit => ByWidth<FindBitFamily<No>>(op.Width),
        IrOpcode.HighestBit => ByWidth<FindBitFamily<Yes>>(op.Width),
        IrOpcode.SetFlags => CodeOf(Handlers.SetFlags),
        IrOpcode.CheckAligned => CodeOf(Handlers.CheckAligned),
        IrOpcode.SetCondition => Conditional<SetConditionChooser>(op),
        IrOpcode.Select => Conditional<SelectChooser>(op),
        IrOpcode.JumpIf => Conditional<JumpIfChooser>(op),
        IrOpcode.Load when op.Width == IrWidth.W128 => ByAddress<LoadVectorFamily>(op.Address),
        IrOpcode.Load => LoadOf<LoadChooser>(op),
        IrOpcode.LoadSigned => LoadOf<LoadSignedChooser>(op),
        IrOpcode.LoadForWrite when op.Width == IrWidth.W128 => ByAddress<ProbeVectorFamily>(op.Address),
        IrOpcode.LoadForWrite => LoadOf<LoadForWriteChooser>(op),
        IrOpcode.Store when op.Width == IrWidth.W128 => ByAddress<StoreVectorFamily>(op.Address),
        IrOpcode.Store => op.ImmediateB ? StoreOf<Yes>(op) : StoreOf<No>(op),
        IrOpcode.DivideUnsigned or IrOpcode.DivideSigned => CodeOf(Handlers.CallVoid),
        IrOpcode.Atomic => CodeOf(Handlers.Call),
        IrOpcode.Call => op.Dst == 0 ? CodeOf(Handlers.CallVoid) : CodeOf(Handlers.Call),
        IrOpcode.CallVector => CodeOf(Handlers.CallVector),
        IrOpcode.CallVectorValue => CodeOf(Handlers.CallVectorValue),
        IrOpcode.Jump => CodeOf(Handlers.Jump),
        IrOpcode.CompareJump => (op.ImmediateB, op.SetsFlags) switch
        {
            (false, false) => CompareJump<SlotOperand, No>(op),
            (false, true) => CompareJump<SlotOperand, Yes>(op),
            (true, false) => CompareJump<ImmediateOperand, No>(op),
            _ => CompareJump<ImmediateOperand, Yes>(op),
        },
        IrOpcode.TestJump => (op.ImmediateB, op.SetsFlags) switch
        {
            (false, false) => TestJump<SlotOperand, No>(op),
            (false, true) => TestJump<SlotOperand, Yes>(op),
            (true, false) => TestJump<ImmediateOperand, No>(op),
            _ => TestJump<ImmediateOperand, Yes>(op),
        },
        IrOpcode.JumpIndirect => CodeOf(Handlers.JumpIndirect<No>),
        IrOpcode.Exit => CodeOf(Handlers.Exit),
        _ => throw new NotSupportedException($"tier 0: {op.Opcode}"),
    };

    // Where the carry comes from is often known: long additions are chains of ADD, ADC, ADC.
    private static nint WithCarry<TOp>(in IrOp op)
        where TOp : struct, IBinary => op.Flags switch
        {
            FlagsKind.Add => Binary<TOp, AddFlags>(op),
            FlagsKind.Adc => Binary<TOp, AdcFlags>(op),
            _ => Binary<TOp, UnknownFlags>(op),
        };

    private static nint Binary<TOp>(in IrOp op)
        where TOp : struct, IBinary => Binary<TOp, UnknownFlags>(op);

    private static nint Binary<TOp, TCarry>(in IrOp op)
        where TOp : struct, IBinary
        where TCarry : struct, IFlagsSource => (op.ImmediateB, op.SetsFlags) switch
        {
            (false, false) => ByWidth<BinaryFamily<TOp, SlotOperand, No, TCarry>>(op.Width),
            (false, true) => ByWidth<BinaryFamily<TOp, SlotOperand, Yes, TCarry>>(op.Width),
            (true, false) => ByWidth<BinaryFamily<TOp, ImmediateOperand, No, TCarry>>(op.Width),
            _ => ByWidth<BinaryFamily<TOp, ImmediateOperand, Yes, TCarry>>(op.Width),
        };

    private static nint Shift<TOp>(in IrOp op)
        where TOp : struct, IShift => (op.ImmediateB, op.SetsFlags) switch
        {
            (false, false) => ByWidth<ShiftFamily<TOp, SlotOperand, No>>(op.Width),
            (false, true) => ByWidth<ShiftFamily<TOp, SlotOperand, Yes>>(op.Width),
            (true, false) => ByWidth<ShiftFamily<TOp, ImmediateOperand, No>>(op.Width),
            _ => ByWidth<ShiftFamily<TOp, ImmediateOperand, Yes>>(op.Width),
        };

    private static nint Multiply<TOperand>(in IrOp op)
        where TOperand : struct, IOperand => op.SetsFlags
            ? ByWidth<MultiplyFamily<TOperand, Yes>>(op.Width)
            : ByWidth<MultiplyFamily<TOperand, No>>(op.Width);

    private static nint Conditional<TChooser>(in IrOp op)
        where TChooser : IConditionalChooser => (op.Flags, op.Condition) switch
        {
            (FlagsKind.Materialised, _) => TChooser.For<UnknownFlags, Width64>(op.Condition),
            (FlagsKind.Sub, _) => ByFlagsWidth<TChooser, SubFlags>(op),
            (FlagsKind.Logic, _) => ByFlagsWidth<TChooser, ResultFlags>(op),
            (FlagsKind.Add, IrCondition.Below or IrCondition.AboveOrEqual) => TChooser.For<AddFlags, Width64>(op.Condition),
            (FlagsKind.Adc, IrCondition.Below or IrCondition.AboveOrEqual) => TChooser.For<AdcFlags, Width64>(op.Condition),

            // Shifts by a variable count keep the old flags when it is zero, so their kind is not certain.
            (FlagsKind.Add or FlagsKind.Adc or FlagsKind.Sbb or FlagsKind.Inc or FlagsKind.Dec,
                IrCondition.Equal or IrCondition.NotEqual or IrCondition.Sign or IrCondition.NotSign) => ByFlagsWidth<TChooser, ResultFlags>(op),
            _ => TChooser.For<UnknownFlags, Width64>(op.Condition),
        };

    private static nint ByFlagsWidth<TChooser, TSource>(in IrOp op)
        where TChooser : IConditionalChooser
        where TSource : struct, IFlagsSource => (IrWidth)op.Scale switch
        {
            IrWidth.W8 => TChooser.For<TSource, Width8>(op.Condition),
            IrWidth.W16 => TChooser.For<TSource, Width16>(op.Condition),
            IrWidth.W32 => TChooser.For<TSource, Width32>(op.Condition),
            _ => TChooser.For<TSource, Width64>(op.Condition),
        };

    private static nint CompareJump<TOperand, TFlags>(in IrOp op)
        where TOperand : struct, IOperand
        where TFlags : struct, IFlag => op.Width switch
        {
            IrWidth.W8 => ByCondition<CompareJumpFamily<TOperand, Width8, TFlags>>(op.Condition),
            IrWidth.W16 => ByCondition<CompareJumpFamily<TOperand, Width16, TFlags>>(op.Condition),
            IrWidth.W32 => ByCondition<CompareJumpFamily<TOperand, Width32, TFlags>>(op.Condition),
            _ => ByCondition<CompareJumpFamily<TOperand, Width64, TFlags>>(op.Condition),
        };

    private static nint TestJump<TOperand, TFlags>(in IrOp op)
        where TOperand : struct, IOperand
        where TFlags : struct, IFlag => op.Width switch
        {
            IrWidth.W8 => ByCondition<TestJumpFamily<TOperand, Width8, TFlags>>(op.Condition),
            IrWidth.W16 => ByCondition<TestJumpFamily<TOperand, Width16, TFlags>>(op.Condition),
            IrWidth.W32 => ByCondition<TestJumpFamily<TOperand, Width32, TFlags>>(op.Condition),
            _ => ByCondition<TestJumpFamily<TOperand, Width64, TFlags>>(op.Condition),
        };

    private static nint LoadOf<TChooser>(in IrOp op)
        where TChooser : ILoadChooser => (op.Width, op.DestinationWidth) switch
        {
            (IrWidth.W8, IrWidth.W8) => TChooser.For<Width8, Width8>(op.Address),
            (IrWidth.W8, IrWidth.W16) => TChooser.For<Width8, Width16>(op.Address),
            (IrWidth.W8, IrWidth.W32) => TChooser.For<Width8, Width32>(op.Address),
            (IrWidth.W8, _) => TChooser.For<Width8, Width64>(op.Address),
            (IrWidth.W16, IrWidth.W16) => TChooser.For<Width16, Width16>(op.Address),
            (IrWidth.W16, IrWidth.W32) => TChooser.For<Width16, Width32>(op.Address),
            (IrWidth.W16, _) => TChooser.For<Width16, Width64>(op.Address),
            (IrWidth.W32, IrWidth.W64) => TChooser.For<Width32, Width64>(op.Address),
            (IrWidth.W32, _) => TChooser.For<Width32, Width32>(op.Address),
            _ => TChooser.For<Width64, Width64>(op.Address),
        };

    private static nint StoreOf<TImmediate>(in IrOp op)
        where TImmediate : struct, IFlag => op.Width switch
        {
            IrWidth.W8 => ByAddress<StoreFamily<Width8, TImmediate>>(op.Address),
            IrWidth.W16 => ByAddress<StoreFamily<Width16, TImmediate>>(op.Address),
            IrWidth.W32 => ByAddress<StoreFamily<Width32, TImmediate>>(op.Address),
            _ => ByAddress<StoreFamily<Width64, TImmediate>>(op.Address),
        };

    private static nint ByWidth<TFamily>(IrWidth width)
        where TFamily : IWidthFamily => width switch
        {
            IrWidth.W8 => TFamily.For<Width8>(),
            IrWidth.W16 => TFamily.For<Width16>(),
            IrWidth.W32 => TFamily.For<Width32>(),
            _ => TFamily.For<Width64>(),
        };

    private static nint ByWidths<TFamily>(IrWidth from, IrWidth to)
        where TFamily : IWidthPairFamily => (from, to) switch
        {
            (IrWidth.W8, IrWidth.W16) => TFamily.For<Width8, Width16>(),
            (IrWidth.W8, IrWidth.W32) => TFamily.For<Width8, Width32>(),
            (IrWidth.W8, _) => TFamily.For<Width8, Width64>(),
            (IrWidth.W16, IrWidth.W32) => TFamily.For<Width16, Width32>(),
            (IrWidth.W16, _) => TFamily.For<Width16, Width64>(),
            _ => TFamily.For<Width32, Width64>(),
        };

    private static nint ByAddress<TFamily>(IrAddress form)
        where TFamily : IAddressFamily => form switch
        {
            IrAddress.Base => TFamily.For<AddressBase>(),
            IrAddress.BaseIndex => TFamily.For<AddressBaseIndex>(),
            IrAddress.BaseIndexSegment => TFamily.For<AddressBaseIndexSegment>(),
            _ => TFamily.For<AddressWrap32>(),
        };

    private static nint ByCondition<TFamily>(IrCondition condition)
        where TFamily : IConditionFamily => condition switch
        {
            IrCondition.Overflow => TFamily.For<CondO>(),
            IrCondition.NotOverflow => TFamily.For<CondNo>(),
            IrCondition.Below => TFamily.For<CondB>(),
            IrCondition.AboveOrEqual => TFamily.For<CondAe>(),
            IrCondition.Equal => TFamily.For<CondE>(),
            IrCondition.NotEqual => TFamily.For<CondNe>(),
            IrCondition.BelowOrEqual => TFamily.For<CondBe>(),
            IrCondition.Above => TFamily.For<CondA>(),
            IrCondition.Sign => TFamily.For<CondS>(),
            IrCondition.NotSign => TFamily.For<CondNs>(),
            IrCondition.Parity => TFamily.For<CondP>(),
            IrCondition.NotParity => TFamily.For<CondNp>(),
            IrCondition.Less => TFamily.For<CondL>(),
            IrCondition.GreaterOrEqual => TFamily.For<CondGe>(),
            IrCondition.LessOrEqual => TFamily.For<CondLe>(),
            _ => TFamily.For<CondG>(),
        };

    // A family is a handler with some type arguments still open; For closes it.
    private interface IWidthFamily
    {
        static abstract nint For<TWidth>()
            where TWidth : struct, IWidth;
    }

    private interface IWidthPairFamily
    {
        static abstract nint For<TFrom, TTo>()
            where TFrom : struct, IWidth
            where TTo : struct, IWidth;
    }

    private interface IAddressFamily
    {
        static abstract nint For<TAddress>()
            where TAddress : struct, IAddressForm;
    }

    private interface IConditionFamily
    {
        static abstract nint For<TCondition>()
            where TCondition : struct, ICondition;
    }

    private interface IConditionalChooser
    {
        static abstract nint For<TSource, TWidth>(IrCondition condition)
            where TSource : struct, IFlagsSource
            where TWidth : struct, IWidth;
    }

    private interface ILoadChooser
    {
        static abstract nint For<TWidth, TTo>(IrAddress form)
            where TWidth : struct, IWidth
            where TTo : struct, IWidth;
    }

    private readonly struct MoveFamily<TOperand> : IWidthFamily
        where TOperand : struct, IOperand
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Move<TWidth, TOperand>);
    }

    private readonly struct ZeroExtendFamily : IWidthPairFamily
    {
        public static nint For<TFrom, TTo>()
            where TFrom : struct, IWidth
            where TTo : struct, IWidth => CodeOf(Handlers.ZeroExtend<TFrom, TTo>);
    }

    private readonly struct SignExtendFamily : IWidthPairFamily
    {
        public static nint For<TFrom, TTo>()
            where TFrom : struct, IWidth
            where TTo : struct, IWidth => CodeOf(Handlers.SignExtend<TFrom, TTo>);
    }

    private readonly struct LeaFamily<TWidth> : IAddressFamily
        where TWidth : struct, IWidth
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.Lea<TWidth, TAddress>);
    }

    private readonly struct BinaryFamily<TOp, TOperand, TFlags, TCarry> : IWidthFamily
        where TOp : struct, IBinary
        where TOperand : struct, IOperand
        where TFlags : struct, IFlag
        where TCarry : struct, IFlagsSource
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Binary<TOp, TWidth, TOperand, TFlags, TCarry>);
    }

    private readonly struct CompareFamily<TOperand> : IWidthFamily
        where TOperand : struct, IOperand
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Compare<TWidth, TOperand>);
    }

    private readonly struct TestFamily<TOperand> : IWidthFamily
        where TOperand : struct, IOperand
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Test<TWidth, TOperand>);
    }

    private readonly struct NegateFamily<TFlags> : IWidthFamily
        where TFlags : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Negate<TWidth, TFlags>);
    }

    private readonly struct NotFamily : IWidthFamily
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Not<TWidth>);
    }

    private readonly struct FindBitFamily<THighest> : IWidthFamily
        where THighest : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.FindBit<THighest, TWidth>);
    }

    private readonly struct StepFamily<TUp, TFlags> : IWidthFamily
        where TUp : struct, IFlag
        where TFlags : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Step<TUp, TWidth, TFlags>);
    }

    private readonly struct ShiftFamily<TOp, TOperand, TFlags> : IWidthFamily
        where TOp : struct, IShift
        where TOperand : struct, IOperand
        where TFlags : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Shift<TOp, TWidth, TOperand, TFlags>);
    }

    private readonly struct RotateFamily<TLeft, TOperand> : IWidthFamily
        where TLeft : struct, IFlag
        where TOperand : struct, IOperand
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Rotate<TLeft, TWidth, TOperand>);
    }

    private readonly struct MultiplyFamily<TOperand, TFlags> : IWidthFamily
        where TOperand : struct, IOperand
        where TFlags : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.Multiply<TWidth, TOperand, TFlags>);
    }

    private readonly struct MultiplyWideFamily<TSigned, TFlags> : IWidthFamily
        where TSigned : struct, IFlag
        where TFlags : struct, IFlag
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.MultiplyWide<TSigned, TWidth, TFlags>);
    }

    private readonly struct ByteSwapFamily : IWidthFamily
    {
        public static nint For<TWidth>()
            where TWidth : struct, IWidth => CodeOf(Handlers.ByteSwap<TWidth>);
    }

    private readonly struct SetConditionFamily<TSource, TWidth> : IConditionFamily
        where TSource : struct, IFlagsSource
        where TWidth : struct, IWidth
    {
        public static nint For<TCondition>()
            where TCondition : struct, ICondition => CodeOf(Handlers.SetCondition<TCondition, TSource, TWidth>);
    }

    private readonly struct SelectFamily<TSource, TWidth> : IConditionFamily
        where TSource : struct, IFlagsSource
        where TWidth : struct, IWidth
    {
        public static nint For<TCondition>()
            where TCondition : struct, ICondition => CodeOf(Handlers.Select<TCondition, TSource, TWidth>);
    }

    private readonly struct JumpIfFamily<TSource, TWidth> : IConditionFamily
        where TSource : struct, IFlagsSource
        where TWidth : struct, IWidth
    {
        public static nint For<TCondition>()
            where TCondition : struct, ICondition => CodeOf(Handlers.JumpIf<TCondition, TSource, TWidth>);
    }

    private readonly struct SetConditionChooser : IConditionalChooser
    {
        public static nint For<TSource, TWidth>(IrCondition condition)
            where TSource : struct, IFlagsSource
            where TWidth : struct, IWidth => ByCondition<SetConditionFamily<TSource, TWidth>>(condition);
    }

    private readonly struct SelectChooser : IConditionalChooser
    {
        public static nint For<TSource, TWidth>(IrCondition condition)
            where TSource : struct, IFlagsSource
            where TWidth : struct, IWidth => ByCondition<SelectFamily<TSource, TWidth>>(condition);
    }

    private readonly struct JumpIfChooser : IConditionalChooser
    {
        public static nint For<TSource, TWidth>(IrCondition condition)
            where TSource : struct, IFlagsSource
            where TWidth : struct, IWidth => ByCondition<JumpIfFamily<TSource, TWidth>>(condition);
    }

    private readonly struct CompareJumpFamily<TOperand, TWidth, TFlags> : IConditionFamily
        where TOperand : struct, IOperand
        where TWidth : struct, IWidth
        where TFlags : struct, IFlag
    {
        public static nint For<TCondition>()
            where TCondition : struct, ICondition => CodeOf(Handlers.CompareJump<TCondition, TOperand, TWidth, TFlags>);
    }

    private readonly struct TestJumpFamily<TOperand, TWidth, TFlags> : IConditionFamily
        where TOperand : struct, IOperand
        where TWidth : struct, IWidth
        where TFlags : struct, IFlag
    {
        public static nint For<TCondition>()
            where TCondition : struct, ICondition => CodeOf(Handlers.TestJump<TCondition, TOperand, TWidth, TFlags>);
    }

    private readonly struct LoadFamily<TWidth, TTo> : IAddressFamily
        where TWidth : struct, IWidth
        where TTo : struct, IWidth
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.Load<TWidth, TTo, TAddress>);
    }

    private readonly struct LoadSignedFamily<TWidth, TTo> : IAddressFamily
        where TWidth : struct, IWidth
        where TTo : struct, IWidth
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.LoadSigned<TWidth, TTo, TAddress>);
    }

    private readonly struct LoadForWriteFamily<TWidth, TTo> : IAddressFamily
        where TWidth : struct, IWidth
        where TTo : struct, IWidth
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.LoadForWrite<TWidth, TTo, TAddress>);
    }

    private readonly struct ProbeVectorFamily : IAddressFamily
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.ProbeVector<TAddress>);
    }

    private readonly struct StoreFamily<TWidth, TImmediate> : IAddressFamily
        where TWidth : struct, IWidth
        where TImmediate : struct, IFlag
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.Store<TWidth, TImmediate, TAddress>);
    }

    private readonly struct LoadVectorFamily : IAddressFamily
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.LoadVector<TAddress>);
    }

    private readonly struct StoreVectorFamily : IAddressFamily
    {
        public static nint For<TAddress>()
            where TAddress : struct, IAddressForm => CodeOf(Handlers.StoreVector<TAddress>);
    }

    private readonly struct LoadChooser : ILoadChooser
    {
        public static nint For<TWidth, TTo>(IrAddress form)
            where TWidth : struct, IWidth
            where TTo : struct, IWidth => ByAddress<LoadFamily<TWidth, TTo>>(form);
    }

    private readonly struct LoadSignedChooser : ILoadChooser
    {
        public static nint For<TWidth, TTo>(IrAddress form)
            where TWidth : struct, IWidth
            where TTo : struct, IWidth => ByAddress<LoadSignedFamily<TWidth, TTo>>(form);
    }

    private readonly struct LoadForWriteChooser : ILoadChooser
    {
        public static nint For<TWidth, TTo>(IrAddress form)
            where TWidth : struct, IWidth
            where TTo : struct, IWidth => ByAddress<LoadForWriteFamily<TWidth, TTo>>(form);
    }
}
