using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>An instruction form of Iced's tables, with what the generator wants to know of it at hand.</summary>
internal sealed class InstructionForm
{
    /// <summary>Reads Iced's tables.</summary>
    public InstructionForm(Code code)
    {
        Code = code;
        Info = code.ToOpCode();
        Operands = [.. Enumerable.Range(0, Info.OpCount).Select(Info.GetOpKind)];
        MemoryBytes = Math.Max(1, Info.MemorySize.GetSize());
        Group = FormTable.GroupOf(Info);
        Topic = FormTable.TopicOf(Info);
        BranchLength = MeasureBranch();
        IsStack = Info.Mnemonic is Mnemonic.Push or Mnemonic.Pop or Mnemonic.Pushf or Mnemonic.Pushfq or Mnemonic.Pushfd or Mnemonic.Popf or Mnemonic.Popfq
            or Mnemonic.Popfd or Mnemonic.Enter or Mnemonic.Leave or Mnemonic.Pusha or Mnemonic.Pushad or Mnemonic.Popa or Mnemonic.Popad
            or Mnemonic.Call or Mnemonic.Ret;
        TakesAnyAlignment = Info.Encoding == EncodingKind.VEX ? !AlignedVex.Contains(Info.Mnemonic) : Info.MemorySize.GetSize() < 16 || AnyAlignment.Contains(Info.Mnemonic);
        IsGather = Array.Exists(Operands, CaseGenerator.IsVectorIndexed);
    }

    private static readonly HashSet<Mnemonic> AnyAlignment =
    [
        Mnemonic.Movups, Mnemonic.Movupd, Mnemonic.Movdqu, Mnemonic.Lddqu, Mnemonic.Pcmpestri, Mnemonic.Pcmpestrm, Mnemonic.Pcmpistri,
        Mnemonic.Pcmpistrm, Mnemonic.Lea,
    ];

    private static readonly HashSet<Mnemonic> AlignedVex =
    [
        Mnemonic.Vmovaps, Mnemonic.Vmovapd, Mnemonic.Vmovdqa, Mnemonic.Vmovntps, Mnemonic.Vmovntpd, Mnemonic.Vmovntdq, Mnemonic.Vmovntdqa,
    ];

    public Code Code { get; }

    public OpCodeInfo Info { get; }

    public OpCodeOperandKind[] Operands { get; }

    /// <summary>Bytes of its memory operand, at least 1.</summary>
    public int MemoryBytes { get; }

    /// <summary>Name of its instruction set: base, x87, mmx, sse…</summary>
    public string Group { get; }

    /// <summary>Name of its kind inside the base set (arithmetic, shift, move…), or of the group.</summary>
    public string Topic { get; }

    /// <summary>For near branches with a relative target: bytes in 64- and 32-bit code; else 0.</summary>
    public int BranchLength { get; }

    /// <summary>Moves RSP by design.</summary>
    public bool IsStack { get; }

    /// <summary>No #GP for a memory operand that is not aligned.</summary>
    public bool TakesAnyAlignment { get; }

    /// <summary>Its memory operands are at the elements of a vector of indices.</summary>
    public bool IsGather { get; }

    /// <inheritdoc/>
    public override string ToString() => Code.ToString();

    private int MeasureBranch()
    {
        if (Operands is not [OpCodeOperandKind.br16_1 or OpCodeOperandKind.br32_1 or OpCodeOperandKind.br64_1 or OpCodeOperandKind.br16_2 or OpCodeOperandKind.br32_4 or OpCodeOperandKind.br64_4])
        {
            return 0;
        }

        // The bytes of a branch to itself; prefixes depend on the mode, so the longest counts.
        int longest = 0;
        foreach ((int bitness, bool has) in ((int, bool)[])[(64, Info.Mode64), (32, Info.Mode32), (16, Info.Mode16)])
        {
            var encoder = Encoder.Create(bitness, new NoBytes());
            if (has && encoder.TryEncode(Instruction.CreateBranch(Code, 0x1000), 0x1000, out uint length, out _))
            {
                longest = Math.Max(longest, (int)length);
            }
        }

        return longest;
    }

    private sealed class NoBytes : CodeWriter
    {
        public override void WriteByte(byte value)
        {
        }
    }
}
