using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>A case by itself: what a file holds, and what shrinking works on.</summary>
internal sealed unsafe record StoredCase
{
    public required int Bitness { get; init; }

    /// <summary>Seed and number it was generated from; informative.</summary>
    public ulong Seed { get; init; }

    public ulong Number { get; init; }

    /// <summary>Linear address of the first byte.</summary>
    public required ulong Entry { get; init; }

    /// <summary>The code, without the way back.</summary>
    public required byte[] Code { get; init; }

    /// <summary>A <see cref="CaseRecord"/>.</summary>
    public required byte[] Input { get; init; }

    /// <summary>The engines it is about, the reference first.</summary>
    public IReadOnlyList<string> Engines { get; init; } = [];

    /// <summary>The slot of a batch that it runs in.</summary>
    public int Slot => (int)((Entry - CaseLayout.Base - CaseLayout.SlotsOffset) / CaseLayout.SlotSize) % CaseLayout.BatchSize;

    /// <summary>The entry as the instruction pointer has it.</summary>
    public ulong EntryPointer => Bitness == 16 ? Entry - CaseLayout.Base - CaseLayout.SlotsOffset : Entry;

    /// <summary>Takes the case in <paramref name="slot"/> out of a batch.</summary>
    public static StoredCase Of(CaseBatch batch, int slot, ulong seed, IReadOnlyList<string> engines)
    {
        DiffCase subject = batch.Cases[slot];
        int length = subject.Instructions[^1].End;
        return new StoredCase
        {
            Bitness = batch.Bitness,
            Seed = seed,
            Number = subject.Number,
            Entry = subject.Entry,
            Code = batch.CodeAt(subject.Entry)[..length].ToArray(),
            Input = batch.Inputs(slot, 1).ToArray(),
            Engines = engines,
        };
    }

    /// <summary>Makes case <paramref name="number"/> of <paramref name="options"/>.</summary>
    public static StoredCase Generate(DiffOptions options, ulong number)
    {
        using var batch = new CaseBatch(options.Mode);
        var generator = new CaseGenerator(CaseOptions.Of(options, FormTable.Select(options.Isa, options.Mode)), CasePlacement.Batch(options.Mode));
        int slot = generator.SlotOf(number);
        generator.Generate(number, batch.Cases[slot], batch.Input(slot));
        generator.Code.CopyTo(batch.CodeAt(batch.Cases[slot].Entry));
        return Of(batch, slot, options.Seed, options.Engines);
    }

    /// <summary>The instructions.</summary>
    public List<Instruction> Decode() => FlagAnalysis.Decode(Code, EntryPointer, Bitness);

    /// <summary>The code with the way back.</summary>
    public byte[] CodeWithReturn()
    {
        var writer = new ListWriter();
        var encoder = Encoder.Create(Bitness, writer);
        Instruction jump = Bitness == 64
            ? Instruction.CreateBranch(Iced.Intel.Code.Jmp_rel32_64, Diff.Engines.DriverCode.Return)
            : Instruction.CreateBranch(Iced.Intel.Code.Jmp_ptr1632, Diff.Engines.DriverCode.Code64Selector, (uint)Diff.Engines.DriverCode.Return);
        _ = encoder.Encode(jump, EntryPointer + (uint)Code.Length);
        return [.. Code, .. writer.Bytes];
    }

    /// <summary>Puts it into <paramref name="batch"/> as the only case. False when its code reads flags that are undefined.</summary>
    public bool TryLoad(CaseBatch batch)
    {
        List<Instruction> instructions = Decode();
        bool sound = FlagAnalysis.TryAnalyze(instructions, out RflagsBits undefined);
        byte[] code = CodeWithReturn();
        int slot = Slot;
        DiffCase subject = batch.Cases[slot];
        subject.Number = Number;
        subject.Entry = Entry;
        subject.EntryPointer = EntryPointer;
        subject.CodeLength = code.Length;
        subject.Control = BitConverter.ToUInt64(Input, CaseState.ControlOffset);
        subject.UndefinedFlags = undefined;
        subject.Instructions.Clear();
        int offset = 0;
        foreach (Instruction instruction in instructions)
        {
            subject.Instructions.Add(new CaseInstruction(instruction, offset, offset += instruction.Length));
        }

        subject.MainCode = instructions.Count > 0 ? instructions[^1].Code : Iced.Intel.Code.INVALID;
        code.CopyTo(batch.CodeAt(Entry));
        Input.CopyTo(new Span<byte>(batch.Input(slot), CaseRecord.Size));
        batch.Input(slot)->State.Rip = Entry;
        (batch.First, batch.Count) = (slot, 1);
        return sound;
    }

    /// <summary>Bytes of an encoder.</summary>
    internal sealed class ListWriter : CodeWriter
    {
        public List<byte> Bytes { get; } = [];

        public override void WriteByte(byte value) => Bytes.Add(value);
    }
}
