using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Where generated cases lie.</summary>
/// <param name="Memory">Linear address of page 0 of <see cref="CaseLayout"/>.</param>
/// <param name="Code">Linear address of the slots, half a slot before the first.</param>
/// <param name="Slots">Number of slots.</param>
/// <param name="Return">Where a case jumps at its end.</param>
internal sealed record CasePlacement(ulong Memory, ulong Code, int Slots, ulong Return)
{
    /// <summary>In the memory of the engines.</summary>
    public static CasePlacement Batch(int bitness) =>
        new(CaseLayout.Base, CaseLayout.Base + CaseLayout.SlotsOffset, CaseLayout.SlotCount(bitness), Engines.DriverCode.Return);
}

/// <summary>What to generate.</summary>
internal sealed record CaseOptions
{
    /// <summary>16, 32 or 64.</summary>
    public int Bitness { get; init; } = 64;

    /// <summary>With a case's number, what makes it again.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Most instructions of a case, not counting those that prepare an operand.</summary>
    public int Length { get; init; } = 6;

    /// <summary>Every case may end in an exception; else one in <see cref="RiskyCases"/>.</summary>
    public bool Faults { get; init; }

    /// <summary>The forms: case n is about form n modulo their number.</summary>
    public required InstructionForm[] Forms { get; init; }

    /// <summary>What <paramref name="options"/> of a comparison ask for.</summary>
    public static CaseOptions Of(DiffOptions options, InstructionForm[] forms) =>
        new() { Bitness = options.Mode, Seed = options.Seed, Length = options.Length, Faults = options.Faults, Forms = forms };

    /// <summary>One case in so many gets operands that may fault: exceptions cost an engine a hundred times a case.</summary>
    public const int RiskyCases = 64;
}

/// <summary>
/// Makes cases: random operands, memory operands that reach the windows, input registers with edge values, setup where an operand must make
/// sense, branches and bounded loops. Tracks which flags are undefined, and adds no instruction that reads one. The same seed and number give the
/// same case.
/// </summary>
internal sealed unsafe partial class CaseGenerator
{
    private const int PageSize = CaseLayout.PageSize;

    // RFLAGS bits that may be loaded: the arithmetic flags and DF; where a case may fault, also AC. TF is for the last instruction alone.
    private const ulong LoadableFlags = 0xcd5;
    private const ulong AlignmentCheck = 1 << 18;
    private const ulong Trap = 1 << 8;
    private const RflagsBits Arithmetic = RflagsBits.CF | RflagsBits.PF | RflagsBits.AF | RflagsBits.ZF | RflagsBits.SF | RflagsBits.OF;
    private const int ReturnBytes = 16;
    private const int Attempts = 6;
    private const int Share = 8;
    private const int SmallShare = 64;

    private readonly CasePlacement _placement;
    private readonly CaseOptions _options;
    private readonly InstructionForm[] _forms;
    private readonly InstructionForm[] _fillers;
    private readonly Encoder _encoder;
    private readonly CodeBuffer _bytes = new();
    private readonly InstructionInfoFactory _infoFactory = new();
    private readonly CaseRandom _random = new(0);
    private readonly ulong _segmentBase;
    private readonly ulong _codeBase;
    private DiffCase _case = new();
    private CaseRecord* _input;
    private RflagsBits _undefined;
    private Register _baseRegister;
    private Register _indexRegister;
    private Register _counterRegister;
    private int _addressBits;
    private bool _last;
    private bool _locked;
    private bool _risky;
    private bool _strings;
    private bool _trapped;

    public CaseGenerator(CaseOptions options, CasePlacement placement)
    {
        _placement = placement;
        _options = options;
        _forms = options.Forms;
        // What branches skip and loops repeat: instructions that go straight on.
        InstructionForm[] plain = [.. _forms.Where(form => form.BranchLength == 0 && form.Topic != "branch" && !form.IsStack)];
        _fillers = plain.Length > 0 ? plain : FormTable.Select(["arithmetic"], options.Bitness);
        _encoder = Encoder.Create(options.Bitness, _bytes);
        _segmentBase = options.Bitness == 16 ? placement.Memory : 0;
        _codeBase = options.Bitness == 16 ? placement.Code : 0;
        MakePools();
    }

    private int Bitness => _options.Bitness;

    // Of the cases that may fault, one in so many is single-stepped, and has alignment checks: fewer where exceptions are not what it is about.
    private int TrapShare => _options.Faults ? Share : SmallShare;

    private ulong Address => _case.Entry - _codeBase + (uint)_bytes.Count;

    private ulong Data => _placement.Memory + (CaseLayout.DataPage * PageSize) - _segmentBase;

    private ulong StackMiddle => _placement.Memory + ((CaseLayout.StackPage + 1) * PageSize) - _segmentBase;

    /// <summary>Slot of case <paramref name="number"/>.</summary>
    public int SlotOf(ulong number) => (int)(number % (uint)_placement.Slots);

    /// <summary>Makes case <paramref name="number"/>. The code is <see cref="DiffCase.CodeLength"/> bytes of <see cref="Code"/>, until the next call.</summary>
    public void Generate(ulong number, DiffCase target, CaseRecord* input)
    {
        _case = target;
        _input = input;
        Begin(number);
        InstructionForm main = _forms[(int)(number % (uint)_forms.Length)];
        target.MainCode = main.Code;
        int count = _options.Length == 1 || _random.OneIn(2) ? 1 : 2 + _random.Below(_options.Length - 1);
        for (int i = 1; i < count && HasRoom(); i++)
        {
            AddAny();
        }

        _last = true;
        for (int attempt = 0; !TryAddOften(main); attempt++)
        {
            // What came before leaves it no flags or no registers: alone it goes, or with other registers for addresses.
            Restart();
            ChooseAddressing();
            _last = true;
            if (attempt == Attempts)
            {
                Emit(Instruction.Create(Iced.Intel.Code.Stc));
                break;
            }
        }

        EmitReturn();
        target.CodeLength = _bytes.Count;
        target.UndefinedFlags = _undefined;
        input->State.Rip = target.Entry;
    }

    /// <summary>The bytes of the last case.</summary>
    public ReadOnlySpan<byte> Code => _bytes.Written;

    private void Begin(ulong number)
    {
        _random.Restart((_options.Seed * 0x9e37_79b9_7f4a_7c15) ^ (number * 0xd134_2543_de82_ef95));
        _ = _random.Next();
        _case.Number = number;
        _strings = _forms[(int)(number % (uint)_forms.Length)].Topic == "string";
        _case.Entry = _placement.Code + (CaseLayout.SlotSize / 2) + (ulong)(SlotOf(number) * CaseLayout.SlotSize);
        _case.EntryPointer = _case.Entry - _codeBase;
        _risky = _options.Faults || _random.OneIn(CaseOptions.RiskyCases);
        _trapped = _risky && _random.OneIn(TrapShare);
        Restart();
        MakeInput();
    }

    private void Restart()
    {
        _bytes.Count = 0;
        _case.Instructions.Clear();
        _undefined = RflagsBits.None;
        _counterRegister = Register.None;
        _last = false;
    }

    private bool HasRoom() => _bytes.Count < CaseLayout.SlotSize - 160;

    // Gives up when nothing fits: every form may read flags that are undefined by now.
    private void AddAny()
    {
        for (int attempt = 0; attempt < 24; attempt++)
        {
            if (_random.OneIn(12) ? TryAddLoop() : TryAddBefore(_random.Pick(_forms)))
            {
                return;
            }
        }
    }

    // Nothing comes behind what always takes an exception.
    private bool TryAddBefore(InstructionForm form) => form.Info.Mnemonic is not (Mnemonic.Int3 or Mnemonic.Ud2) && TryAdd(form);

    private void AddFiller()
    {
        for (int attempt = 0; attempt < 24 && !TryAddBefore(_random.Pick(_fillers)); attempt++)
        {
        }
    }

    private bool TryAddOften(InstructionForm form)
    {
        for (int attempt = 0; attempt < 12; attempt++)
        {
            if (TryAdd(form))
            {
                return true;
            }
        }

        return false;
    }

    private bool TryAdd(InstructionForm form)
    {
        int bytes = _bytes.Count;
        int instructions = _case.Instructions.Count;
        RflagsBits undefined = _undefined;
        if (form.BranchLength > 0 ? TryAddBranch(form) : TryAddForm(form))
        {
            return true;
        }

        _bytes.Count = bytes;
        _case.Instructions.RemoveRange(instructions, _case.Instructions.Count - instructions);
        _undefined = undefined;
        return false;
    }

    private bool TryAddForm(InstructionForm form)
    {
        Instruction instruction = default;
        instruction.Code = form.Code;
        _locked = form.Info.CanUseLockPrefix && _random.OneIn(3);
        OpCodeOperandKind[] kinds = form.Operands;
        for (int i = 0; i < kinds.Length; i++)
        {
            if (!TryFill(ref instruction, form, i))
            {
                return false;
            }
        }

        MakeAliases(ref instruction, form);
        AddPrefixes(ref instruction, form);
        return MayWrite(instruction, form) && TryPrepare(ref instruction, form) && (!_last || !_trapped || EmitTrap()) && Emit(instruction);
    }

    // The same register twice, more often than chance has it.
    private void MakeAliases(ref Instruction instruction, InstructionForm form)
    {
        if (form.Operands.Length >= 2 && instruction.Op0Kind == OpKind.Register && instruction.Op1Kind == OpKind.Register
            && instruction.Op0Register.GetSize() == instruction.Op1Register.GetSize() && form.Operands[1] is not (OpCodeOperandKind.cl or OpCodeOperandKind.st0)
            && form.Operands[0] is not (OpCodeOperandKind.st0 or OpCodeOperandKind.rax or OpCodeOperandKind.eax or OpCodeOperandKind.ax)
            && !form.IsGather && (instruction.Op0Register.IsGPR() == instruction.Op1Register.IsGPR()) && (instruction.Op0Register.IsXMM() == instruction.Op1Register.IsXMM()) && _random.OneIn(8))
        {
            instruction.Op1Register = instruction.Op0Register;
        }

        // Three operands: the sources alike, or the second source the destination.
        if (form.Info.Encoding == EncodingKind.VEX && form.Operands.Length >= 3 && !form.IsGather && instruction.Op2Kind == OpKind.Register && _random.OneIn(8))
        {
            Register same = _random.OneIn(2) ? instruction.Op0Register : instruction.Op1Register;
            instruction.Op2Register = same.GetSize() == instruction.Op2Register.GetSize() && same.IsGPR() == instruction.Op2Register.IsGPR() ? same : instruction.Op2Register;
        }
    }

    // Prefixes that change the meaning (LOCK, REP) or only the encoding (GS with base 0, a redundant DS).
    private void AddPrefixes(ref Instruction instruction, InstructionForm form)
    {
        OpCodeInfo info = form.Info;
        bool memoryDestination = info.OpCount > 0 && instruction.Op0Kind == OpKind.Memory;
        if (_locked && memoryDestination)
        {
            instruction.HasLockPrefix = true;
        }

        if (form.Topic == "string")
        {
            int repeat = _random.Below(3);
            instruction.HasRepePrefix = repeat == 1 && (info.CanUseRepPrefix || info.CanUseRepnePrefix);
            instruction.HasRepnePrefix = repeat == 2 && info.CanUseRepnePrefix;
        }

        if (memoryDestination && _random.OneIn(16))
        {
            instruction.SegmentPrefix = _random.OneIn(2) && Bitness == 64 ? Register.GS : Register.DS;
        }
    }

    /// <summary>The registers that addresses and loops depend on must survive, except in the last instruction.</summary>
    private bool MayWrite(in Instruction instruction, InstructionForm form)
    {
        if (_last)
        {
            return true;
        }

        foreach (UsedRegister used in _infoFactory.GetInfo(instruction).GetUsedRegisters())
        {
            if (used.Access is OpAccess.Read or OpAccess.CondRead)
            {
                continue;
            }

            Register full = used.Register.GetFullRegister();
            if (full == _baseRegister || full == _indexRegister || full == _counterRegister || (full == Register.RSP && !form.IsStack))
            {
                return false;
            }
        }

        // POP RSP and the like: the explicit operand.
        return !form.IsStack || instruction.OpCount == 0 || instruction.Op0Kind != OpKind.Register || instruction.Op0Register.GetFullRegister() != Register.RSP
            || instruction.Mnemonic == Mnemonic.Push;
    }

    private bool Emit(in Instruction instruction)
    {
        if ((_undefined & instruction.RflagsRead) != 0)
        {
            return false;
        }

        int offset = _bytes.Count;
        if (offset > CaseLayout.SlotSize - 2 * ReturnBytes || !_encoder.TryEncode(instruction, Address, out _, out _))
        {
            _bytes.Count = offset;
            return false;
        }

        _undefined = UndefinedFlags.After(instruction, _undefined);
        _case.Instructions.Add(new CaseInstruction(instruction, offset, _bytes.Count));
        return true;
    }

    private void EmitReturn()
    {
        Instruction jump = Bitness == 64
            ? Instruction.CreateBranch(Iced.Intel.Code.Jmp_rel32_64, _placement.Return)
            : Instruction.CreateBranch(Iced.Intel.Code.Jmp_ptr1632, Engines.DriverCode.Code64Selector, (uint)_placement.Return);
        _ = _encoder.Encode(jump, Address);
    }

    private sealed class CodeBuffer : CodeWriter
    {
        private readonly byte[] _buffer = new byte[2 * CaseLayout.SlotSize];

        public int Count { get; set; }

        public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Count);

        public override void WriteByte(byte value) => _buffer[Count++] = value;

        /// <summary>Makes room for <paramref name="length"/> bytes at <paramref name="offset"/>.</summary>
        public Span<byte> From(int offset) => _buffer.AsSpan(offset);
    }
}
