using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Tests.VexOracle;

/// <summary>
/// Makes snippets from a family's forms: random operands, memory operands that reach the data pages, input registers with edge
/// values, setup instructions where an operand must make sense. Tracks which flags are undefined, and adds no instruction that
/// reads one. The same seed gives the same snippet when the memory lies at the same address.
/// </summary>
internal sealed unsafe partial class SnippetGenerator
{
    private const int PageSize = NativeSnippet.PageSize;

    // RFLAGS bits that may be loaded: the arithmetic flags and DF. TF and AC would trap natively.
    private const ulong LoadableFlags = 0xcd5;

    private readonly ulong _base;
    private readonly ulong _return;
    private readonly Encoder _encoder;
    private readonly List<byte> _bytes = [];
    private readonly InstructionInfoFactory _infoFactory = new();
    private CaseRandom _random = new(0);
    private List<SnippetInstruction> _instructions = [];
    private ulong _entry;
    private RflagsBits _undefined;
    private Register _baseRegister;
    private Register _indexRegister;
    private bool _narrowAddresses;
    private bool _last;
    private bool _locked;
    private OracleState _input;

    public SnippetGenerator(ulong memory, ulong returnAddress)
    {
        _base = memory;
        _return = returnAddress;
        _encoder = Encoder.Create(64, new ByteWriter(_bytes));
    }

    private ulong Address => _entry + (uint)_bytes.Count;

    private ulong Data => _base + (NativeSnippet.DataPage * PageSize);

    private ulong Stack => _base + (NativeSnippet.StackPage * PageSize);

    /// <summary>The case of <paramref name="seed"/>.</summary>
    public Snippet Generate(SnippetFamily family, ulong seed)
    {
        _random = new CaseRandom(seed);
        _bytes.Clear();
        _instructions = [];
        _undefined = RflagsBits.None;
        ulong code = _base + (NativeSnippet.CodePage * PageSize);
        _entry = _random.OneIn(16) ? code + PageSize - 1 - (uint)_random.Below(40) : code + (uint)_random.Below(64);
        MakeInput();
        int count = _random.OneIn(3) ? 1 : 1 + _random.Below(family.MaxLength);
        for (int i = 0; i < count; i++)
        {
            _last = i == count - 1;
            AddAny(family.Codes);
        }

        if (_instructions.Count == 0)
        {
            Emit(Instruction.Create(Code.Stc), note: true);
        }

        Emit(Instruction.CreateBranch(Code.Jmp_rel32_64, _return), note: false);
        return new Snippet { Seed = seed, Entry = _entry, Instructions = _instructions, Code = _bytes.ToArray(), UndefinedFlags = _undefined, Input = _input };
    }

    private void MakeInput()
    {
        _input = default;
        for (int i = 0; i < 16; i++)
        {
            _input.Gpr[i] = _random.Value();
        }

        _narrowAddresses = _random.OneIn(8);
        _baseRegister = Register.RAX + _random.Below(16);
        do
        {
            _indexRegister = Register.RAX + _random.Below(16);
        }
        while (_indexRegister == _baseRegister || _indexRegister == Register.RSP);

        ulong pointer = Data + 1024 + (uint)_random.Below(4096);
        ulong index = (ulong)(_random.Below(512) - 256);
        if (_narrowAddresses)
        {
            pointer |= _random.Next() << 32;
            index = _random.Value();
        }

        _input.Gpr[_baseRegister - Register.RAX] = pointer;
        _input.Gpr[_indexRegister - Register.RAX] = index;
        _input.Gpr[4] = Stack + 4096 + (uint)(_random.OneIn(8) ? _random.Below(64) - 32 : 8 * (_random.Below(64) - 32));
        _input.Rflags = (_random.Next() & 0x8d5) | 0x202;
        MakeFloatingInput();
    }

    // Gives up when nothing fits: every form of the family may read flags that are undefined by now.
    private void AddAny(IReadOnlyList<Code> codes)
    {
        for (int attempt = 0; attempt < 64 && !TryAdd(codes[_random.Below(codes.Count)]); attempt++)
        {
        }
    }

    private bool TryAdd(Code code)
    {
        int bytes = _bytes.Count;
        int instructions = _instructions.Count;
        RflagsBits undefined = _undefined;
        if (TryAddForm(code))
        {
            return true;
        }

        _bytes.RemoveRange(bytes, _bytes.Count - bytes);
        _instructions.RemoveRange(instructions, _instructions.Count - instructions);
        _undefined = undefined;
        return false;
    }

    private bool TryAddForm(Code code)
    {
        OpCodeInfo info = code.ToOpCode();
        if (BranchLength(code) is > 0 and int length)
        {
            return TryAddBranch(code, length);
        }

        Instruction instruction = default;
        instruction.Code = code;
        _locked = info.CanUseLockPrefix && _random.OneIn(3);
        for (int i = 0; i < info.OpCount; i++)
        {
            if (!TryFill(ref instruction, info, i))
            {
                return false;
            }
        }

        AddPrefixes(ref instruction, info);
        if (!MayWrite(instruction) || !TryPrepare(ref instruction))
        {
            return false;
        }

        return Emit(instruction, note: true);
    }

    /// <summary>A forward branch over one to three instructions of the common kind.</summary>
    private bool TryAddBranch(Code code, int length)
    {
        Instruction branch = Instruction.CreateBranch(code, Address);
        if (_last || (branch.RflagsRead & _undefined) != 0 || !MayWrite(branch))
        {
            return false;
        }

        int at = _bytes.Count;
        int index = _instructions.Count;
        for (int i = 0; i < length; i++)
        {
            _bytes.Add(0x90);
        }

        RflagsBits undefined = _undefined;
        int skipped = 1 + _random.Below(3);
        for (int i = 0; i < skipped; i++)
        {
            AddAny(SnippetFamily.Bits.Codes);
        }

        _undefined |= undefined;
        branch.NearBranch64 = Address;
        List<byte> body = _bytes[(at + length)..];
        _bytes.RemoveRange(at, _bytes.Count - at);
        if (!_encoder.TryEncode(branch, Address, out uint encoded, out _) || encoded != length)
        {
            return false;
        }

        _bytes.AddRange(body);
        _instructions.Insert(index, new SnippetInstruction(branch, at, at + length, undefined));
        return true;
    }

    // Prefixes that change the meaning (LOCK, REP) or only the encoding (GS with base 0, a redundant DS).
    private void AddPrefixes(ref Instruction instruction, OpCodeInfo info)
    {
        bool memoryDestination = info.OpCount > 0 && instruction.Op0Kind == OpKind.Memory;
        if (_locked && memoryDestination)
        {
            instruction.HasLockPrefix = true;
        }

        if (instruction.IsStringInstruction)
        {
            int repeat = _random.Below(3);
            instruction.HasRepePrefix = repeat == 1 && (info.CanUseRepPrefix || info.CanUseRepnePrefix);
            instruction.HasRepnePrefix = repeat == 2 && info.CanUseRepnePrefix;
        }

        if (memoryDestination && _random.OneIn(16))
        {
            instruction.SegmentPrefix = _random.OneIn(2) ? Register.GS : Register.DS;
        }
    }

    /// <summary>The registers that addresses depend on must survive, except in the last instruction.</summary>
    private bool MayWrite(in Instruction instruction)
    {
        if (_last && instruction.Mnemonic is not (Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne))
        {
            return true;
        }

        bool stack = instruction.Mnemonic is Mnemonic.Push or Mnemonic.Pop or Mnemonic.Pushf or Mnemonic.Pushfq or Mnemonic.Popf or Mnemonic.Popfq or Mnemonic.Enter or Mnemonic.Leave;
        foreach (UsedRegister used in _infoFactory.GetInfo(instruction).GetUsedRegisters())
        {
            Register full = used.Register.GetFullRegister();
            bool reserved = full == _baseRegister || full == _indexRegister || (full == Register.RSP && !stack);
            if (reserved && used.Access is not (OpAccess.Read or OpAccess.CondRead))
            {
                return false;
            }
        }

        // POP RSP and the like: the explicit operand.
        return !stack || instruction.OpCount == 0 || instruction.Op0Kind != OpKind.Register || instruction.Op0Register.GetFullRegister() != Register.RSP
            || instruction.Mnemonic == Mnemonic.Push;
    }

    private bool Emit(Instruction instruction, bool note)
    {
        if (note && (_undefined & instruction.RflagsRead) != 0)
        {
            return false;
        }

        int offset = _bytes.Count;
        if (!_encoder.TryEncode(instruction, Address, out _, out _))
        {
            _bytes.RemoveRange(offset, _bytes.Count - offset);
            return false;
        }

        if (note)
        {
            _undefined = UndefinedFlags.After(instruction, _undefined);
            _instructions.Add(new SnippetInstruction(instruction, offset, _bytes.Count, _undefined));
        }

        return true;
    }

    // Bytes of a branch with a fixed form; 0 for what is no near conditional branch of 64-bit code.
    private static int BranchLength(Code code)
    {
        string name = code.ToString();
        int prefix = name.EndsWith("_ECX", StringComparison.Ordinal) || code == Code.Jecxz_rel8_64 ? 1 : 0;
        return name[0] is not ('J' or 'L') || name.StartsWith("Jmp", StringComparison.Ordinal) ? 0
            : name.Contains("_rel8_64", StringComparison.Ordinal) ? 2 + prefix
            : name.EndsWith("_rel32_64", StringComparison.Ordinal) ? 6
            : 0;
    }

    private sealed class ByteWriter(List<byte> bytes) : CodeWriter
    {
        public override void WriteByte(byte value) => bytes.Add(value);
    }
}
