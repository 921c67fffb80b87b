using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Control flow: forward branches, bounded loops, indirect jumps.</summary>
internal sealed unsafe partial class CaseGenerator
{
    private const int LoopBodyInstructions = 3;

    /// <summary>A branch over up to three plain instructions, to what follows.</summary>
    private bool TryAddBranch(InstructionForm form)
    {
        Instruction branch = Instruction.CreateBranch(form.Code, Address);
        if ((branch.RflagsRead & _undefined) != 0 || !MayWrite(branch, form) || !PrepareCount(form))
        {
            return false;
        }

        // Filler comes behind a branch of the same length to itself, which is then replaced.
        int at = _bytes.Count;
        int index = _case.Instructions.Count;
        branch.NearBranch64 = Address;
        if (!_encoder.TryEncode(branch, Address, out uint length, out _))
        {
            return false;
        }

        RflagsBits undefined = _undefined;
        bool wasLast = _last;
        _last = false;
        int skipped = _random.Below(4);
        for (int i = 0; i < skipped; i++)
        {
            AddFiller();
        }

        _last = wasLast;
        _undefined |= undefined;
        ulong target = Address;
        int end = _bytes.Count;
        _bytes.Count = at;
        branch.NearBranch64 = target;
        bool fits = _encoder.TryEncode(branch, Address, out uint encoded, out _) && encoded == length;
        _bytes.Count = end;
        if (fits)
        {
            _case.Instructions.Insert(index, new CaseInstruction(branch, at, at + (int)length));
        }

        return fits;
    }

    // LOOP and JRCXZ look at the counter: small values, so that both ways are taken.
    private bool PrepareCount(InstructionForm form) => form.Info.Mnemonic is not (Mnemonic.Loop or Mnemonic.Loope or Mnemonic.Loopne or Mnemonic.Jcxz or Mnemonic.Jecxz or Mnemonic.Jrcxz)
        || _counterRegister == Register.RCX || _random.OneIn(2) || TrySet(Register.RCX, (ulong)_random.Below(3));

    /// <summary>Up to three plain instructions, run two to nine times.</summary>
    private bool TryAddLoop()
    {
        if (_counterRegister != Register.None || _last)
        {
            return false;
        }

        Register counter = Register.RAX + _random.Below(Bitness == 64 ? 16 : 8);
        if (IsReserved(counter) || !TrySet(counter, (ulong)(2 + _random.Below(8))))
        {
            return false;
        }

        _counterRegister = counter;
        ulong head = Address;

        // The second turn begins with what the first one left undefined.
        _undefined = Arithmetic;
        int body = 1 + _random.Below(LoopBodyInstructions);
        for (int i = 0; i < body; i++)
        {
            AddFiller();
        }

        _counterRegister = Register.None;
        Register half = Register.EAX + (counter - Register.RAX);
        return Emit(Instruction.Create(Bitness == 64 ? Iced.Intel.Code.Dec_rm64 : Iced.Intel.Code.Dec_rm32, Bitness == 64 ? counter : half))
            && Emit(Instruction.CreateBranch(Bitness switch { 64 => Iced.Intel.Code.Jne_rel32_64, 32 => Iced.Intel.Code.Jne_rel32_32, _ => Iced.Intel.Code.Jne_rel16 }, head));
    }

    // Indirect jumps and calls, and RET, go to the instruction behind them.
    private bool TryPrepareJump(in Instruction instruction, InstructionForm form)
    {
        bool isReturn = instruction.Mnemonic == Mnemonic.Ret;
        int size = isReturn || form.Info.OperandSize != 0 ? form.Info.OperandSize / 8 : 8;
        size = size == 0 ? Bitness / 8 : size;
        Register scratch = isReturn || instruction.Op0Kind == OpKind.Memory ? Register.RAX + _random.Below(4) : instruction.Op0Register.GetFullRegister();
        if (IsReserved(scratch) || (isReturn && instruction.OpCount == 1 && instruction.Immediate16 > 64))
        {
            return false;
        }

        // The target is a constant in the setup, so lengths have to be known first: the first pass measures.
        int start = _bytes.Count;
        int count = _case.Instructions.Count;
        ulong target = Address;
        for (int pass = 0; pass < 2; pass++)
        {
            _bytes.Count = start;
            _case.Instructions.RemoveRange(count, _case.Instructions.Count - count);
            if (!EmitJumpOperand(instruction, scratch, size, target))
            {
                return false;
            }

            int setup = _bytes.Count;
            bool encoded = _encoder.TryEncode(instruction, Address, out _, out _);
            target = Address;
            _bytes.Count = setup;
            if (!encoded)
            {
                return false;
            }
        }

        return true;
    }

    private bool EmitJumpOperand(in Instruction instruction, Register scratch, int size, ulong target)
    {
        if (!Emit(Instruction.Create(WideMove, WideRegister(scratch), Bitness == 64 ? target : (uint)target)))
        {
            return false;
        }

        if (instruction.Mnemonic == Mnemonic.Ret)
        {
            Code push = size switch { 2 => Iced.Intel.Code.Push_r16, 4 => Iced.Intel.Code.Push_r32, _ => Iced.Intel.Code.Push_r64 };
            return Emit(Instruction.Create(push, Part(scratch, size)));
        }

        Code store = size switch { 2 => Iced.Intel.Code.Mov_rm16_r16, 4 => Iced.Intel.Code.Mov_rm32_r32, _ => Iced.Intel.Code.Mov_rm64_r64 };
        return instruction.Op0Kind != OpKind.Memory || Emit(WithMemory(instruction, store, Part(scratch, size)));
    }

    private Code WideMove => Bitness == 64 ? Iced.Intel.Code.Mov_r64_imm64 : Iced.Intel.Code.Mov_r32_imm32;

    private Register WideRegister(Register full) => Bitness == 64 ? full : Register.EAX + (full - Register.RAX);

    private static Register Part(Register full, int size) => size switch
    {
        2 => Register.AX + (full - Register.RAX),
        4 => Register.EAX + (full - Register.RAX),
        _ => full,
    };
}
