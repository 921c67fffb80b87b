using Emu.Core.Memory;
using Emu.Frontend.Ir;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// Lifts x86 code to IR: decodes with Iced, finds the instruction's row in <see cref="LiftTable"/> and lets the family's method add
/// ops. Operands, segments and write-back are common code (the other parts of this class).
/// </summary>
internal sealed unsafe partial class X86Lifter : IGuestFrontend
{
    private const int MaxInstructionLength = 15;

    private readonly X86Cpu _cpu;
    private readonly CodeFetcher _fetcher;
    private readonly Decoder[] _decoders;
    private IrBlock _block = new();
    private ulong _modeKey;
    private int _nextTemporary;
    private bool _ended;
    private bool _touchesMmx;
    private int _maxInstructions;
    private bool _afterSti; // one more instruction belongs to the block

    /// <summary>Creates a lifter for <paramref name="cpu"/>.</summary>
    public X86Lifter(X86Cpu cpu, AddressSpace memory)
    {
        _cpu = cpu;
        _fetcher = new CodeFetcher(cpu.Mmu, memory);
        _decoders = [Decoder.Create(16, _fetcher), Decoder.Create(32, _fetcher), Decoder.Create(64, _fetcher)];
    }

    /// <summary>Called with text and address of each instruction that is not implemented, when it is translated.</summary>
    public Action<string>? Unimplemented { get; set; }

    /// <summary>Called with address and text of each instruction that is lifted.</summary>
    public Action<ulong, string>? Disassembled { get; set; }

    /// <summary>64-bit code is relative at every privilege level.</summary>
    public bool RelativeKernel { get; init; }

    /// <summary>16, 32 or 64.</summary>
    private int CodeSize { get; set; }

    private bool Is64 => CodeSize == 64;

    /// <summary>Segments other than FS and GS need no base and no check.</summary>
    private bool IsFlat => (_modeKey & X86ModeKey.Flat) != 0;

    private uint Cpl => (uint)(_modeKey >> X86ModeKey.CplShift) & 3;

    /// <summary>Address of the instruction being lifted.</summary>
    private ulong Pc { get; set; }

    /// <summary>Address of the instruction behind it, cut to the code size.</summary>
    private ulong NextPc { get; set; }

    private ulong PcMask => Is64 ? ulong.MaxValue : uint.MaxValue;

    /// <inheritdoc/>
    public bool TryGetFetchAddress(out ulong linear)
    {
        X86CpuState* state = _cpu.State;
        ulong pc = state->Header.Pc;
        ulong key = state->Header.ModeKey;
        linear = LinearOf(pc);
        if ((key & (X86ModeKey.Flat | X86ModeKey.Code64)) == 0 && (uint)pc > state->Segment[X86Segment.Cs].Limit)
        {
            _cpu.PendingFault = new X86Fault(X86Vector.GeneralProtection, 0);
            return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public bool IsRelative => IsRelativeMode(_cpu.State->Header.ModeKey);

    /// <inheritdoc/>
    public bool TryLift(IrBlock block, ulong pc, ulong physical, int maxInstructions)
    {
        Begin(block, pc);
        _maxInstructions = maxInstructions;
        Decoder decoder = _decoders[CodeSize >> 5];
        _fetcher.Start(LinearOf(pc), physical);
        decoder.IP = Pc;
        while (!_ended)
        {
            ulong offset = decoder.IP - block.StartPc;
            Pc = decoder.IP & PcMask;
            decoder.Decode(out Instruction instruction);
            if (_fetcher.Faulted)
            {
                if (block.InstructionCount == 0)
                {
                    return false;
                }

                break; // the fault is taken when execution gets there
            }

            int end = (int)offset + instruction.Length;
            if (!FitsCodeLimit(end, block))
            {
                if (block.InstructionCount == 0)
                {
                    _cpu.PendingFault = new X86Fault(X86Vector.GeneralProtection, 0);
                    return false;
                }

                break;
            }

            NextPc = (Pc + (uint)instruction.Length) & PcMask;
            block.BeginInstruction((int)offset);
            block.ByteLength = end;
            _nextTemporary = 0;
            Disassembled?.Invoke(Pc, instruction.ToString());
            bool afterSti = _afterSti;
            _afterSti = false;
            LiftInstruction(instruction);
            if (!_ended && (afterSti || block.InstructionCount >= maxInstructions || _fetcher.AtPageEnd || block.OpCount > 1500) && !_afterSti)
            {
                EndWithJump(NextPc);
            }
        }

        if (!_ended)
        {
            EndWithJump(Pc);
        }

        return true;
    }

    // Programs and libraries of 64 bits are mapped at other addresses in each process; kernels stay where they are.
    private bool IsRelativeMode(ulong modeKey) =>
        (modeKey & X86ModeKey.CodeSizeMask) == X86ModeKey.Code64 && (RelativeKernel || ((modeKey >> X86ModeKey.CplShift) & 3) == 3);

    private ulong LinearOf(ulong pc) =>
        (_cpu.State->Header.ModeKey & X86ModeKey.Code64) != 0 ? pc : (uint)(pc + _cpu.State->SegmentBase[X86Segment.Cs]);

    private void Begin(IrBlock block, ulong pc)
    {
        _block = block;
        _modeKey = _cpu.State->Header.ModeKey;
        CodeSize = (_modeKey & X86ModeKey.CodeSizeMask) switch { 0 => 16, X86ModeKey.Code32 => 32, _ => 64 };
        Pc = pc;
        block.Begin(Pc, _modeKey, PcMask, IsRelativeMode(_modeKey));

        // Outside flat mode the CS limit is checked at every entry, and CS base may change the meaning of an offset.
        block.MayChain = IsFlat && (_modeKey >> X86ModeKey.CodeBaseShift) == 0;
        _ended = false;
        _afterSti = false;
    }

    private bool FitsCodeLimit(int end, IrBlock block) =>
        IsFlat || block.StartPc + (uint)end - 1 <= _cpu.State->Segment[X86Segment.Cs].Limit;

    private void LiftInstruction(in Instruction instruction)
    {
        if (instruction.IsInvalid && instruction.Length == MaxInstructionLength)
        {
            RaiseAlways(X86Vector.GeneralProtection); // it goes on behind the limit
            return;
        }

        LiftRow row = LiftTable.For(instruction.Mnemonic);
        if (row.Method is null || instruction.IsInvalid || !IsLockLegal(instruction) || instruction.Encoding > EncodingKind.VEX)
        {
            Undefined(instruction);
            return;
        }

        _touchesMmx = false;
        row.Method(this, instruction, row.Argument);
        if (_touchesMmx)
        {
            FinishMmx(instruction);
        }
    }

    // LOCK is legal only on the read-modify-write forms with a memory destination; Iced decodes the others as invalid.
    private static bool IsLockLegal(in Instruction instruction) => !instruction.HasLockPrefix || instruction.Op0Kind == OpKind.Memory;

    /// <summary>Raises #UD when executed; an encoding that Iced knows but this frontend does not is reported by name.</summary>
    private void Undefined(in Instruction instruction)
    {
        if (!instruction.IsInvalid && instruction.Mnemonic is not (Mnemonic.Ud0 or Mnemonic.Ud1 or Mnemonic.Ud2))
        {
            Unimplemented?.Invoke($"{instruction} at {Pc:x16}");
        }

        RaiseAlways(X86Vector.InvalidOpcode);
    }

    /// <summary>Ends the block with an exception of the current instruction.</summary>
    private void RaiseAlways(X86Vector vector)
    {
        ref IrOp op = ref Call(&Helpers.TransferHelpers.RaiseException, IrCallEffects.MayFault);
        op.Imm = (long)vector;
        EndWithExit();
    }

    /// <summary>Ends the block: continue at <paramref name="target"/>.</summary>
    private void EndWithJump(ulong target, IrJumpKind kind = IrJumpKind.Plain)
    {
        if (IsJumpEncodable(target))
        {
            _block.AddJump(target, _block.InstructionCount, kind);
            _ended = true;
        }
        else
        {
            MovePc(CpuHeader.PcSlot, target);
            EndWithExit();
        }
    }

    /// <summary>Ends the block: the program counter was set, return to the dispatcher.</summary>
    private void EndWithExit()
    {
        _block.Add(IrOpcode.Exit, IrWidth.W64).Dst = (ushort)_block.InstructionCount;
        _ended = true;
    }

    /// <summary>Ends the block after an instruction that changed what later instructions mean: continue behind it.</summary>
    private void EndAtNext()
    {
        MovePc(CpuHeader.PcSlot, NextPc);
        EndWithLookup();
    }

    /// <summary>Ends the block: the program counter was set. The dispatcher is asked only when there is something for it to do.</summary>
    private void EndWithLookup()
    {
        Call(&Helpers.FlagHelpers.RequestDispatch, IrCallEffects.None);
        EndWithIndirectJump(CpuHeader.PcSlot);
    }

    private void EndWithIndirectJump(ushort target, IrJumpKind kind = IrJumpKind.Plain)
    {
        ref IrOp op = ref _block.Add(IrOpcode.JumpIndirect, IrWidth.W64);
        op.Sub = (byte)kind;
        op.A = target;
        op.Dst = (ushort)_block.InstructionCount;
        _ended = true;
    }

    private void EndWithBranch(IrCondition condition, ulong target)
    {
        if (IsJumpEncodable(target) && IsJumpEncodable(NextPc))
        {
            _block.AddJumpIf(condition, target, _block.InstructionCount);
            EndWithJump(NextPc);
            return;
        }

        ushort taken = Temporary();
        MovePc(taken, target);
        MovePc(CpuHeader.PcSlot, NextPc);
        ref IrOp op = ref _block.AddCondition(IrOpcode.Select, IrWidth.W64, condition);
        (op.Dst, op.A, op.B) = (CpuHeader.PcSlot, CpuHeader.PcSlot, taken);
        EndWithExit();
    }

    /// <summary>Sets a slot to a program counter.</summary>
    private void MovePc(ushort slot, ulong pc)
    {
        long delta = (long)(pc - _block.StartPage);
        if (!_block.IsRelative)
        {
            MoveImmediate(slot, IrWidth.W64, pc);
        }
        else if (delta == (int)delta)
        {
            ref IrOp op = ref _block.Add(IrOpcode.Lea, IrWidth.W64);
            (op.Dst, op.A, op.B, op.C, op.Imm) = (slot, CpuHeader.PcPageSlot, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, delta);
        }
        else
        {
            MoveImmediate(slot, IrWidth.W64, (ulong)delta);
            BinarySlots(IrOpcode.Add, IrWidth.W64, slot, slot, CpuHeader.PcPageSlot);
        }
    }

    private bool IsJumpEncodable(ulong target) => !Is64 || (long)(target - _block.StartPc) == (int)(target - _block.StartPc);

    private ushort Temporary() => _nextTemporary < CpuHeader.TemporaryCount
        ? X86Slots.Temporary(_nextTemporary++)
        : throw new InvalidOperationException("An instruction needs more temporaries than there are.");
}
