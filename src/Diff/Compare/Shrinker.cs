using System.Runtime.InteropServices;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Diff.Compare;

/// <summary>Makes a case that differs as small as it gets: fewer instructions, simpler operands, inputs that matter.</summary>
internal sealed unsafe class Shrinker(PairTester tester)
{
    private StoredCase _best = null!;

    /// <summary>The smallest case found. <paramref name="subject"/> itself when it does not differ alone.</summary>
    public StoredCase Shrink(StoredCase subject)
    {
        _best = subject;
        if (!Try(subject))
        {
            return subject;
        }

        for (int size = int.MaxValue; _best.Code.Length < size;)
        {
            size = _best.Code.Length;
            DropInstructions();
        }

        SimplifyInstructions();
        SimplifyInput();
        return _best;
    }

    private bool Try(StoredCase candidate)
    {
        if (tester.Run(candidate) is not { Differs: true, Deviation: null })
        {
            return false;
        }

        _best = candidate;
        return true;
    }

    private void DropInstructions()
    {
        for (int count = Math.Max(1, _best.Decode().Count / 2); count >= 1; count /= 2)
        {
            for (int i = _best.Decode().Count - count; i >= 0; i--)
            {
                List<Instruction> left = _best.Decode();
                if (i + count <= left.Count && left.Count > count)
                {
                    left.RemoveRange(i, count);
                    TryCode(left);
                }
            }
        }
    }

    private void SimplifyInstructions()
    {
        for (int i = 0; i < _best.Decode().Count; i++)
        {
            ReadOnlySpan<Action<Change>> changes =
            [
                change => change.Instruction.HasLockPrefix = false,
                change => change.Instruction.SegmentPrefix = Register.None,
                change => (change.Instruction.HasRepePrefix, change.Instruction.HasRepnePrefix) = (false, false),
                change => SetImmediate(change, 0),
                change => SetImmediate(change, 1),
                change => (change.Instruction.MemoryIndex, change.Instruction.MemoryIndexScale) = (Register.None, 1),
            ];
            foreach (Action<Change> apply in changes)
            {
                List<Instruction> instructions = _best.Decode();
                var change = new Change { Instruction = instructions[i] };
                apply(change);
                if (change.Instruction != instructions[i])
                {
                    instructions[i] = change.Instruction;
                    TryCode(instructions);
                }
            }
        }
    }

    private static void SetImmediate(Change change, long value)
    {
        for (int operand = 0; operand < change.Instruction.OpCount; operand++)
        {
            if (change.Instruction.GetOpKind(operand) is >= OpKind.Immediate8 and <= OpKind.Immediate32to64)
            {
                change.Instruction.SetImmediate(operand, value);
            }
        }
    }

    // Branches to an instruction that is gone lead to the one behind it; the encoder moves all others.
    private void TryCode(List<Instruction> instructions)
    {
        List<Instruction> all = _best.Decode();
        ulong end = _best.EntryPointer + (uint)_best.Code.Length;
        Span<Instruction> span = CollectionsMarshal.AsSpan(instructions);
        foreach (ref Instruction instruction in span)
        {
            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Call && instruction.NearBranchTarget != 0)
            {
                int target = FlagAnalysis.IndexOf(all, instruction.NearBranchTarget);
                while (target < all.Count && FlagAnalysis.IndexOf(instructions, all[target].IP) == instructions.Count)
                {
                    target++;
                }

                instruction.NearBranch64 = target < all.Count ? all[target].IP : end;
            }
        }

        // The last one marks the end, so that branches there are moved too.
        Instruction mark = Instruction.Create(_best.Bitness == 16 ? Code.Nopw : Code.Nopd);
        mark.IP = end;
        instructions.Add(mark);
        var writer = new StoredCase.ListWriter();
        if (!LoopsForEver(instructions) && BlockEncoder.TryEncode(_best.Bitness, new InstructionBlock(writer, instructions, _best.EntryPointer), out _, out _))
        {
            Try(_best with { Code = [.. writer.Bytes.SkipLast(1)] });
        }
    }

    // A branch backwards that has lost its counter costs a watchdog's patience.
    private static bool LoopsForEver(List<Instruction> instructions)
    {
        for (int i = 0; i < instructions.Count; i++)
        {
            bool back = instructions[i].FlowControl == FlowControl.ConditionalBranch && instructions[i].NearBranchTarget <= instructions[i].IP;
            if (back && (i == 0 || instructions[i - 1].Mnemonic != Mnemonic.Dec
                || !instructions.Exists(set => set.Mnemonic == Mnemonic.Mov && set.Op1Kind >= OpKind.Immediate8 && set.Op0Register == instructions[i - 1].Op0Register)))
            {
                return true;
            }
        }

        return false;
    }

    private void SimplifyInput()
    {
        TryInput(state => (state->State.X87Control, state->State.X87Status, state->State.X87Tags) = (0x37f, 0, 0));
        TryInput(state => state->State.X87Control = 0x37f);
        TryInput(state => state->State.X87Status = 0);
        TryInput(state => state->State.Mxcsr = 0x1f80);
        TryInput(state => state->State.Rflags = 0x202);
        TryInput(state => state->State.Control = 0);
        Clear(CaseRecord.MemoryOffset, CaseRecord.Size, 8);
        Clear(CaseState.UpperVectorOffset, CaseState.UpperVectorOffset + CaseState.UpperVectorBytes, 8);
        Clear(160, 416, 16);
        Clear(160, 416, 8);
        Clear(32, 160, 16);
        Clear(CaseState.GprOffset, CaseState.RflagsOffset, 8);
        for (int i = 0; i < 16; i++)
        {
            int register = i;
            _ = IsClear(CaseState.GprOffset + (8 * i), CaseState.GprOffset + (8 * i) + 8)
                || TryInput(record => record->State.Gpr[register] = 1)
                || TryInput(record => record->State.Gpr[register] &= 0xff)
                || TryInput(record => record->State.Gpr[register] &= uint.MaxValue);
        }
    }

    // Halves first: most of the input does not matter.
    private void Clear(int start, int end, int unit)
    {
        if (IsClear(start, end) || TryInput(record => new Span<byte>((byte*)record + start, end - start).Clear()) || end - start <= unit)
        {
            return;
        }

        int middle = start + ((end - start) / unit / 2 * unit);
        Clear(start, middle, unit);
        Clear(middle, end, unit);
    }

    private bool IsClear(int start, int end) => !_best.Input.AsSpan(start, end - start).ContainsAnyExcept((byte)0);

    private bool TryInput(InputChange change)
    {
        byte[] input = [.. _best.Input];
        fixed (byte* bytes = input)
        {
            change((CaseRecord*)bytes);
        }

        return !input.AsSpan().SequenceEqual(_best.Input) && Try(_best with { Input = input });
    }

    private delegate void InputChange(CaseRecord* record);

    private sealed class Change
    {
        public Instruction Instruction;
    }
}
