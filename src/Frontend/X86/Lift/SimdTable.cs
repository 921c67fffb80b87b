using Emu.Frontend.Ir;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// MMX and SSE instructions that a helper performs, by mnemonic. Plain moves, loads and stores are not here: the lifter does
/// them. MASKMOVQ and MASKMOVDQU are not here either: <see cref="Simd.MaskedStore"/>.
/// </summary>
public static unsafe partial class SimdTable
{
    private const int Forms = 6;

    private static readonly SimdEntry[] Entries = BuildEntries();

    /// <summary>Finds the entry of an instruction; the string instructions CMPSD and MOVSD are told from their namesakes.</summary>
    public static bool TryGet(in Instruction instruction, out SimdEntry entry)
    {
        entry = default;
        return TryGetForm(instruction, out SimdForm form) && TryGet(instruction.Mnemonic, form, out entry);
    }

    /// <summary>True when some form of the mnemonic has an entry.</summary>
    public static bool Knows(Mnemonic mnemonic)
    {
        for (int form = 0; form < Forms; form++)
        {
            if (Entries[((int)mnemonic * Forms) + form].Helper != 0)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Finds the entry of a mnemonic in one form.</summary>
    public static bool TryGet(Mnemonic mnemonic, SimdForm form, out SimdEntry entry)
    {
        entry = Entries[((int)mnemonic * Forms) + (int)form];
        return entry.Helper != 0;
    }

    private static bool TryGetForm(in Instruction instruction, out SimdForm form)
    {
        Register first = instruction.Op0Register;
        Register second = instruction.OpCount > 1 ? instruction.Op1Register : Register.None;
        bool immediate = instruction.OpCount == 2 && instruction.Op1Kind == OpKind.Immediate8;
        form = SimdForm.Xmm;
        if (first.IsMM() || (!first.IsXMM() && second.IsMM()))
        {
            form = immediate ? SimdForm.MmxImmediate : SimdForm.Mmx;
            return true;
        }

        if (immediate)
        {
            form = SimdForm.XmmImmediate;
        }
        else if (instruction.Mnemonic == Mnemonic.Insertps && instruction.Op1Kind == OpKind.Memory)
        {
            form = SimdForm.XmmMemory;
        }
        else if (IsQwordConversion(instruction.Code))
        {
            form = SimdForm.XmmQword;
        }

        return first.IsXMM() || second.IsXMM() || IsConversionToGeneral(instruction.Mnemonic);
    }

    private static bool IsQwordConversion(Code code) => code is
        Code.Cvtsi2ss_xmm_rm64 or Code.Cvtsi2sd_xmm_rm64 or
        Code.Cvtss2si_r64_xmmm32 or Code.Cvtsd2si_r64_xmmm64 or
        Code.Cvttss2si_r64_xmmm32 or Code.Cvttsd2si_r64_xmmm64;

    /// <summary>The conversions to a general register, which name no vector register when the source is memory.</summary>
    public static bool IsConversionToGeneral(Mnemonic mnemonic) =>
        mnemonic is Mnemonic.Cvtss2si or Mnemonic.Cvttss2si or Mnemonic.Cvtsd2si or Mnemonic.Cvttsd2si;

    private static SimdEntry[] BuildEntries()
    {
        var rows = new Rows(new SimdEntry[Enum.GetValues<Mnemonic>().Length * Forms]);
        AddInteger(rows);
        AddShifts(rows);
        AddShuffles(rows);
        AddFloat(rows);
        AddConversions(rows);
        AddExtensions(rows);
        return rows.Entries;
    }

    /// <summary>The table under construction: one call a row, one fact a column.</summary>
    private readonly struct Rows(SimdEntry[] entries)
    {
        public SimdEntry[] Entries { get; } = entries;

        /// <summary>An instruction of both register files that reads whole registers or memory of that size.</summary>
        public void Both(
            Mnemonic mnemonic,
            delegate*<CpuHeader*, byte*, byte*, byte*, int, void> mmx,
            delegate*<CpuHeader*, byte*, byte*, byte*, int, void> xmm,
            int mmxBytes = 8,
            int xmmBytes = 16,
            IrVectorOp op = IrVectorOp.None)
        {
            Vector(SimdForm.Mmx, mnemonic, mmx, mmxBytes);
            Vector(SimdForm.Xmm, mnemonic, xmm, xmmBytes, op: op);
        }

        public void Xmm(Mnemonic mnemonic, delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper, int bytes = 16, IrVectorOp op = IrVectorOp.None) =>
            Vector(SimdForm.Xmm, mnemonic, helper, bytes, op: op);

        public void Vector(
            SimdForm form,
            Mnemonic mnemonic,
            delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper,
            int bytes,
            bool mayRaise = false,
            IrVectorOp op = IrVectorOp.None) =>
            Add(form, mnemonic, new SimdEntry((nint)helper, (byte)bytes, SimdResult.Vector, bytes == 16, mayRaise, op));

        public void Value(
            SimdForm form,
            Mnemonic mnemonic,
            delegate*<CpuHeader*, byte*, byte*, int, ulong> helper,
            int bytes = 0,
            SimdResult result = SimdResult.Value,
            bool mayRaise = false,
            IrVectorOp op = IrVectorOp.None) =>
            Add(form, mnemonic, new SimdEntry((nint)helper, (byte)bytes, result, bytes == 16, mayRaise, op));

        /// <summary>A string comparison, whose memory operand needs no alignment.</summary>
        public void Unaligned(Mnemonic mnemonic, delegate*<CpuHeader*, byte*, byte*, int, ulong> helper, SimdResult result) =>
            Add(SimdForm.Xmm, mnemonic, new SimdEntry((nint)helper, 16, result, Aligned: false, MayRaise: false, IrVectorOp.None));

        public void Add(SimdForm form, Mnemonic mnemonic, SimdEntry entry) => Entries[((int)mnemonic * Forms) + (int)form] = entry;
    }
}
