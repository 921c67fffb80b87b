using Emu.Frontend.Ir;
using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>The x87 instructions by <see cref="Code"/>, FWAIT included. Waiting forms (FSTCW) decode as FWAIT and the plain one.</summary>
public static unsafe partial class X87Table
{
    private const ulong NoneSet = 1UL << 63;

    private static readonly X87Entry[] Entries = BuildEntries();

    /// <summary>Finds the entry of an instruction, its stack index filled in.</summary>
    public static bool TryGet(in Instruction instruction, out X87Entry entry)
    {
        entry = Entries[(int)instruction.Code];
        if (entry.Helper == 0)
        {
            return false;
        }

        // Of two register operands one is ST(0).
        int index = Math.Max(StackIndex(instruction, 0), StackIndex(instruction, 1));
        entry = index > 0 ? entry with { A = (ulong)index } : entry;
        return true;
    }

    /// <summary>The encodings with an entry.</summary>
    public static IEnumerable<Code> Codes => Enumerable.Range(0, Entries.Length).Where(code => Entries[code].Helper != 0).Select(code => (Code)code);

    private static int StackIndex(in Instruction instruction, int operand) =>
        instruction.OpCount > operand && instruction.GetOpKind(operand) == OpKind.Register ? instruction.GetOpRegister(operand) - Register.ST0 : -1;

    private static X87Entry[] BuildEntries()
    {
        var rows = new Rows(new X87Entry[Enum.GetValues<Code>().Length]);
        AddArithmetic(rows);
        AddMoves(rows);
        AddComparisons(rows);
        AddControl(rows);
        return rows.Entries;
    }

    private static void* Pointer(delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper) => helper;

    /// <summary>The table under construction.</summary>
    private readonly struct Rows(X87Entry[] entries)
    {
        public X87Entry[] Entries { get; } = entries;

        /// <summary>A computing instruction: waits, and sets the pointers.</summary>
        public void Add(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm) =>
            Put(code, new X87Entry((nint)helper, (nint)Pointer(&X87Control.CheckWaiting), memory, (byte)bytes, X87Result.None, 0, imm, true));

        /// <summary>As <see cref="Add"/>, with ST(1).</summary>
        public void WithNext(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm) =>
            Put(code, new X87Entry((nint)helper, (nint)Pointer(&X87Control.CheckWaiting), memory, (byte)bytes, X87Result.None, 1, imm, true));

        /// <summary>As <see cref="Add"/>, computing with host floats.</summary>
        public void WithHostFloat(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm)
        {
            Add(code, helper, memory, bytes, imm);
            Entries[(int)code] = Entries[(int)code] with { UsesHostFloat = true };
        }

        /// <summary>As <see cref="Add"/>, looking at the arithmetic flags.</summary>
        public void ReadingFlags(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm)
        {
            Add(code, helper, memory, bytes, imm);
            Entries[(int)code] = Entries[(int)code] with { ReadsFlags = true };
        }

        /// <summary>As <see cref="Add"/>, storing what <paramref name="value"/> gives.</summary>
        public void Store(
            Code code,
            delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper,
            X87Memory memory,
            int bytes,
            ulong imm,
            delegate*<CpuHeader*, ulong, ulong, ulong, ulong> value)
        {
            Add(code, helper, memory, bytes, imm);
            Entries[(int)code] = Entries[(int)code] with { Value = (nint)value };
        }

        /// <summary>As <see cref="Control"/>, changing the control word.</summary>
        public void ControlAndMode(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm)
        {
            Control(code, helper, memory, bytes, imm);
            Entries[(int)code] = Entries[(int)code] with { ChangesMode = true };
        }

        /// <summary>As <see cref="NoWait"/>, changing the control word.</summary>
        public void NoWaitAndMode(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm)
        {
            NoWait(code, helper, memory, bytes, imm);
            Entries[(int)code] = Entries[(int)code] with { ChangesMode = true };
        }

        /// <summary>As <see cref="Add"/>, returning flags.</summary>
        public void Flags(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm) =>
            Put(code, new X87Entry((nint)helper, (nint)Pointer(&X87Control.CheckWaiting), memory, (byte)bytes, X87Result.Flags, 0, imm, true));

        /// <summary>A control instruction that waits.</summary>
        public void Control(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm) =>
            Put(code, new X87Entry((nint)helper, (nint)Pointer(&X87Control.CheckWaiting), memory, (byte)bytes, X87Result.None, 0, imm, false));

        /// <summary>A control instruction that does not wait.</summary>
        public void NoWait(Code code, delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, X87Memory memory, int bytes, ulong imm) =>
            Put(code, new X87Entry(
                (nint)helper,
                (nint)Pointer(&X87Control.CheckNotWaiting),
                memory,
                (byte)bytes,
                memory == X87Memory.Result ? X87Result.Memory : X87Result.None,
                0,
                imm,
                false));

        public void Put(Code code, X87Entry entry) => Entries[(int)code] = entry;
    }
}
