using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>Adds the ops of one instruction; <paramref name="argument"/> tells the members of a family apart.</summary>
internal delegate void LiftMethod(X86Lifter lifter, in Instruction instruction, int argument);

/// <summary>What the lifter does for a mnemonic.</summary>
internal readonly record struct LiftRow(LiftMethod? Method, int Argument);

/// <summary>One row a mnemonic: its family's method and the variation. Mnemonics without a row are #UD, named by <c>-d unimp</c>.</summary>
internal static unsafe partial class LiftTable
{
    // Instructions without architectural effect here: hints, fences (loads and stores are already ordered), cache control.
    // Static fields are initialised in order, and Build reads this one.
    private static readonly (Mnemonic Mnemonic, string Reason)[] Hints =
    [
        (Mnemonic.Nop,         "by definition"),
        (Mnemonic.Reservednop, "hint space"),
        (Mnemonic.Endbr32,     "CET is not offered"),
        (Mnemonic.Endbr64,     "CET is not offered"),
        (Mnemonic.Pause,       "hint"),
        (Mnemonic.Lfence,      "already ordered"),
        (Mnemonic.Sfence,      "already ordered"),
        (Mnemonic.Prefetchnta, "hint"),
        (Mnemonic.Prefetcht0,  "hint"),
        (Mnemonic.Prefetcht1,  "hint"),
        (Mnemonic.Prefetcht2,  "hint"),
        (Mnemonic.Prefetchw,   "hint"),
        (Mnemonic.Prefetch,    "hint"),
        (Mnemonic.Prefetchwt1, "hint"),
        (Mnemonic.Prefetchit0, "hint"),
        (Mnemonic.Prefetchit1, "hint"),
        (Mnemonic.Cldemote,    "hint"),
        (Mnemonic.Rdsspd,      "CET is not offered"),
        (Mnemonic.Rdsspq,      "CET is not offered"),
    ];

    private static readonly LiftRow[] Rows = Build();

    /// <summary>The row of <paramref name="mnemonic"/>.</summary>
    public static LiftRow For(Mnemonic mnemonic) => Rows[(int)mnemonic];

    private static LiftRow[] Build()
    {
        var rows = new LiftRow[Enum.GetValues<Mnemonic>().Length];
        void Row(Mnemonic mnemonic, LiftMethod method, int argument = 0) => rows[(int)mnemonic] = new LiftRow(method, argument);
        AddArithmetic(Row);
        AddMoves(Row);
        AddBits(Row);
        AddBranches(Row);
        AddStrings(Row);
        AddSystem(Row);
        AddFloatingPoint(rows);
        AddVex(Row);
        return rows;
    }

    private delegate void AddRow(Mnemonic mnemonic, LiftMethod method, int argument = 0);

    private static void AddArithmetic(AddRow row)
    {
        row(Mnemonic.Add,      X86Lifter.Arithmetic,    (int)IrOpcode.Add);
        row(Mnemonic.Or,       X86Lifter.Arithmetic,    (int)IrOpcode.Or);
        row(Mnemonic.Adc,      X86Lifter.Arithmetic,    (int)IrOpcode.Adc);
        row(Mnemonic.Sbb,      X86Lifter.Arithmetic,    (int)IrOpcode.Sbb);
        row(Mnemonic.And,      X86Lifter.Arithmetic,    (int)IrOpcode.And);
        row(Mnemonic.Sub,      X86Lifter.Arithmetic,    (int)IrOpcode.Sub);
        row(Mnemonic.Xor,      X86Lifter.Arithmetic,    (int)IrOpcode.Xor);
        row(Mnemonic.Cmp,      X86Lifter.FlagsOnly,     (int)IrOpcode.Compare);
        row(Mnemonic.Test,     X86Lifter.FlagsOnly,     (int)IrOpcode.Test);
        row(Mnemonic.Inc,      X86Lifter.Unary,         (int)IrOpcode.Increment);
        row(Mnemonic.Dec,      X86Lifter.Unary,         (int)IrOpcode.Decrement);
        row(Mnemonic.Neg,      X86Lifter.Unary,         (int)IrOpcode.Negate);
        row(Mnemonic.Not,      X86Lifter.Unary,         (int)IrOpcode.Not);
        row(Mnemonic.Shl,      X86Lifter.Shift,         (int)IrOpcode.ShiftLeft);
        row(Mnemonic.Sal,      X86Lifter.Shift,         (int)IrOpcode.ShiftLeft);
        row(Mnemonic.Shr,      X86Lifter.Shift,         (int)IrOpcode.ShiftRight);
        row(Mnemonic.Sar,      X86Lifter.Shift,         (int)IrOpcode.ShiftRightArithmetic);
        row(Mnemonic.Rol,      X86Lifter.Rotate,        (int)IrOpcode.RotateLeft);
        row(Mnemonic.Ror,      X86Lifter.Rotate,        (int)IrOpcode.RotateRight);
        row(Mnemonic.Rcl,      X86Lifter.RotateCarry,   1);
        row(Mnemonic.Rcr,      X86Lifter.RotateCarry,   0);
        row(Mnemonic.Shld,     X86Lifter.DoubleShift,   1);
        row(Mnemonic.Shrd,     X86Lifter.DoubleShift,   0);
        row(Mnemonic.Imul,     X86Lifter.MultiplySigned);
        row(Mnemonic.Mul,      X86Lifter.MultiplyWide,  (int)IrOpcode.MultiplyWideUnsigned);
        row(Mnemonic.Div,      X86Lifter.Divide,        0);
        row(Mnemonic.Idiv,     X86Lifter.Divide,        1);
        row(Mnemonic.Aaa,      X86Lifter.Decimal,       ArithmeticHelpers.Aaa);
        row(Mnemonic.Aas,      X86Lifter.Decimal,       ArithmeticHelpers.Aas);
        row(Mnemonic.Daa,      X86Lifter.Decimal,       ArithmeticHelpers.Daa);
        row(Mnemonic.Das,      X86Lifter.Decimal,       ArithmeticHelpers.Das);
        row(Mnemonic.Aam,      X86Lifter.Decimal,       ArithmeticHelpers.Aam);
        row(Mnemonic.Aad,      X86Lifter.Decimal,       ArithmeticHelpers.Aad);
        row(Mnemonic.Xadd,     X86Lifter.ExchangeAdd);
        row(Mnemonic.Cmpxchg,  X86Lifter.CompareExchange);
        row(Mnemonic.Cmpxchg8b,  X86Lifter.CompareExchangeWide, 8);
        row(Mnemonic.Cmpxchg16b, X86Lifter.CompareExchangeWide, 16);
        row(Mnemonic.Clc,      X86Lifter.Carry,         0);
        row(Mnemonic.Stc,      X86Lifter.Carry,         1);
        row(Mnemonic.Cmc,      X86Lifter.Carry,         2);
        row(Mnemonic.Lahf,     X86Lifter.LoadFlags);
        row(Mnemonic.Sahf,     X86Lifter.StoreFlags);
        row(Mnemonic.Salc,     X86Lifter.SetAlFromCarry);
    }

    private static void AddMoves(AddRow row)
    {
        row(Mnemonic.Mov,      X86Lifter.MoveAny);
        row(Mnemonic.Movnti,   X86Lifter.MoveAny);
        row(Mnemonic.Movzx,    X86Lifter.MoveExtended,  0);
        row(Mnemonic.Movsx,    X86Lifter.MoveExtended,  1);
        row(Mnemonic.Movsxd,   X86Lifter.MoveExtended,  1);
        row(Mnemonic.Movbe,    X86Lifter.MoveSwapped);
        row(Mnemonic.Bswap,    X86Lifter.ByteSwap);
        row(Mnemonic.Lea,      X86Lifter.LoadAddress);
        row(Mnemonic.Xchg,     X86Lifter.Exchange);
        row(Mnemonic.Cbw,      X86Lifter.WidenAccumulator, 1);
        row(Mnemonic.Cwde,     X86Lifter.WidenAccumulator, 2);
        row(Mnemonic.Cdqe,     X86Lifter.WidenAccumulator, 4);
        row(Mnemonic.Cwd,      X86Lifter.SignIntoRdx,   2);
        row(Mnemonic.Cdq,      X86Lifter.SignIntoRdx,   4);
        row(Mnemonic.Cqo,      X86Lifter.SignIntoRdx,   8);
        row(Mnemonic.Xlatb,    X86Lifter.Translate);
        row(Mnemonic.Push,     X86Lifter.PushOperand);
        row(Mnemonic.Pop,      X86Lifter.PopOperand);
        row(Mnemonic.Pusha,    X86Lifter.PushAll,       2);
        row(Mnemonic.Pushad,   X86Lifter.PushAll,       4);
        row(Mnemonic.Popa,     X86Lifter.PopAll,        2);
        row(Mnemonic.Popad,    X86Lifter.PopAll,        4);
        row(Mnemonic.Pushf,    X86Lifter.PushFlags,     2);
        row(Mnemonic.Pushfd,   X86Lifter.PushFlags,     4);
        row(Mnemonic.Pushfq,   X86Lifter.PushFlags,     8);
        row(Mnemonic.Popf,     X86Lifter.PopFlags,      2);
        row(Mnemonic.Popfd,    X86Lifter.PopFlags,      4);
        row(Mnemonic.Popfq,    X86Lifter.PopFlags,      8);
        row(Mnemonic.Enter,    X86Lifter.EnterFrame);
        row(Mnemonic.Leave,    X86Lifter.LeaveFrame);
        row(Mnemonic.Les,      X86Lifter.LoadFarPointer, X86Segment.Es);
        row(Mnemonic.Lds,      X86Lifter.LoadFarPointer, X86Segment.Ds);
        row(Mnemonic.Lss,      X86Lifter.LoadFarPointer, X86Segment.Ss);
        row(Mnemonic.Lfs,      X86Lifter.LoadFarPointer, X86Segment.Fs);
        row(Mnemonic.Lgs,      X86Lifter.LoadFarPointer, X86Segment.Gs);
        foreach ((Mnemonic nothing, _) in Hints)
        {
            row(nothing, X86Lifter.Nothing);
        }
    }

    private static void AddBits(AddRow row)
    {
        row(Mnemonic.Bt,       X86Lifter.BitTest,       X86Lifter.BitTestOnly);
        row(Mnemonic.Bts,      X86Lifter.BitTest,       (int)IrOpcode.Or);
        row(Mnemonic.Btr,      X86Lifter.BitTest,       (int)IrOpcode.And);
        row(Mnemonic.Btc,      X86Lifter.BitTest,       (int)IrOpcode.Xor);
        row(Mnemonic.Bsf,      X86Lifter.BitScan,       0);
        row(Mnemonic.Bsr,      X86Lifter.BitScan,       1);
        row(Mnemonic.Tzcnt,    X86Lifter.BitCount,      0);
        row(Mnemonic.Lzcnt,    X86Lifter.BitCount,      1);
        row(Mnemonic.Popcnt,   X86Lifter.BitCount,      2);
        row(Mnemonic.Andn,     X86Lifter.AndNot);
        row(Mnemonic.Blsi,     X86Lifter.LowestSetBit,  BitHelpers.Isolate);
        row(Mnemonic.Blsmsk,   X86Lifter.LowestSetBit,  BitHelpers.MaskUpTo);
        row(Mnemonic.Blsr,     X86Lifter.LowestSetBit,  BitHelpers.Reset);
        row(Mnemonic.Bextr,    X86Lifter.BitField,      0);
        row(Mnemonic.Bzhi,     X86Lifter.BitField,      1);
        row(Mnemonic.Pdep,     X86Lifter.BitField,      2);
        row(Mnemonic.Pext,     X86Lifter.BitField,      3);
        row(Mnemonic.Rorx,     X86Lifter.ShiftWithoutFlags, (int)IrOpcode.RotateRight);
        row(Mnemonic.Sarx,     X86Lifter.ShiftWithoutFlags, (int)IrOpcode.ShiftRightArithmetic);
        row(Mnemonic.Shlx,     X86Lifter.ShiftWithoutFlags, (int)IrOpcode.ShiftLeft);
        row(Mnemonic.Shrx,     X86Lifter.ShiftWithoutFlags, (int)IrOpcode.ShiftRight);
        row(Mnemonic.Mulx,     X86Lifter.MultiplyWithoutFlags);
        row(Mnemonic.Adcx,     X86Lifter.AddWithOneFlag, 0);
        row(Mnemonic.Adox,     X86Lifter.AddWithOneFlag, 1);
        row(Mnemonic.Rdrand,   X86Lifter.RandomNumber);
        row(Mnemonic.Rdseed,   X86Lifter.RandomNumber);
    }

    private static void AddBranches(AddRow row)
    {
        row(Mnemonic.Jmp,      X86Lifter.Jump);
        row(Mnemonic.Call,     X86Lifter.CallNearOrFar);
        row(Mnemonic.Ret,      X86Lifter.Return);
        row(Mnemonic.Retf,     X86Lifter.ReturnFar);
        row(Mnemonic.Iret,     X86Lifter.InterruptReturn, 2);
        row(Mnemonic.Iretd,    X86Lifter.InterruptReturn, 4);
        row(Mnemonic.Iretq,    X86Lifter.InterruptReturn, 8);
        row(Mnemonic.Loop,     X86Lifter.LoopWhile,     0);
        row(Mnemonic.Loope,    X86Lifter.LoopWhile,     1);
        row(Mnemonic.Loopne,   X86Lifter.LoopWhile,     2);
        row(Mnemonic.Jcxz,     X86Lifter.JumpIfCountZero, 2);
        row(Mnemonic.Jecxz,    X86Lifter.JumpIfCountZero, 4);
        row(Mnemonic.Jrcxz,    X86Lifter.JumpIfCountZero, 8);
        Mnemonic[] jumps = [Mnemonic.Jo, Mnemonic.Jno, Mnemonic.Jb, Mnemonic.Jae, Mnemonic.Je, Mnemonic.Jne, Mnemonic.Jbe, Mnemonic.Ja,
            Mnemonic.Js, Mnemonic.Jns, Mnemonic.Jp, Mnemonic.Jnp, Mnemonic.Jl, Mnemonic.Jge, Mnemonic.Jle, Mnemonic.Jg];
        Mnemonic[] sets = [Mnemonic.Seto, Mnemonic.Setno, Mnemonic.Setb, Mnemonic.Setae, Mnemonic.Sete, Mnemonic.Setne, Mnemonic.Setbe, Mnemonic.Seta,
            Mnemonic.Sets, Mnemonic.Setns, Mnemonic.Setp, Mnemonic.Setnp, Mnemonic.Setl, Mnemonic.Setge, Mnemonic.Setle, Mnemonic.Setg];
        Mnemonic[] moves = [Mnemonic.Cmovo, Mnemonic.Cmovno, Mnemonic.Cmovb, Mnemonic.Cmovae, Mnemonic.Cmove, Mnemonic.Cmovne, Mnemonic.Cmovbe, Mnemonic.Cmova,
            Mnemonic.Cmovs, Mnemonic.Cmovns, Mnemonic.Cmovp, Mnemonic.Cmovnp, Mnemonic.Cmovl, Mnemonic.Cmovge, Mnemonic.Cmovle, Mnemonic.Cmovg];
        for (int condition = 0; condition < 16; condition++)
        {
            row(jumps[condition], X86Lifter.JumpIf, condition);
            row(sets[condition], X86Lifter.SetIf, condition);
            row(moves[condition], X86Lifter.MoveIf, condition);
        }
    }

    private static void AddStrings(AddRow row)
    {
        row(Mnemonic.Movsb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Move, 1));
        row(Mnemonic.Movsw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Move, 2));
        row(Mnemonic.Movsd,    X86Lifter.StringOrSse,   StringHelpers.Pack(StringOperation.Move, 4));
        row(Mnemonic.Movsq,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Move, 8));
        row(Mnemonic.Stosb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Store, 1));
        row(Mnemonic.Stosw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Store, 2));
        row(Mnemonic.Stosd,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Store, 4));
        row(Mnemonic.Stosq,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Store, 8));
        row(Mnemonic.Lodsb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Load, 1));
        row(Mnemonic.Lodsw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Load, 2));
        row(Mnemonic.Lodsd,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Load, 4));
        row(Mnemonic.Lodsq,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Load, 8));
        row(Mnemonic.Scasb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Scan, 1));
        row(Mnemonic.Scasw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Scan, 2));
        row(Mnemonic.Scasd,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Scan, 4));
        row(Mnemonic.Scasq,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Scan, 8));
        row(Mnemonic.Cmpsb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Compare, 1));
        row(Mnemonic.Cmpsw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Compare, 2));
        row(Mnemonic.Cmpsd,    X86Lifter.StringOrSse,   StringHelpers.Pack(StringOperation.Compare, 4));
        row(Mnemonic.Cmpsq,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Compare, 8));
        row(Mnemonic.Insb,     X86Lifter.String,        StringHelpers.Pack(StringOperation.Input, 1));
        row(Mnemonic.Insw,     X86Lifter.String,        StringHelpers.Pack(StringOperation.Input, 2));
        row(Mnemonic.Insd,     X86Lifter.String,        StringHelpers.Pack(StringOperation.Input, 4));
        row(Mnemonic.Outsb,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Output, 1));
        row(Mnemonic.Outsw,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Output, 2));
        row(Mnemonic.Outsd,    X86Lifter.String,        StringHelpers.Pack(StringOperation.Output, 4));
    }
}
