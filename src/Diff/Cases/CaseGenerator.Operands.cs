using System.Numerics;
using Iced.Intel;

namespace Emu.Diff.Cases;

/// <summary>Operands.</summary>
internal sealed unsafe partial class CaseGenerator
{
    /// <summary>True for the kinds of operands that are made here.</summary>
    public static bool Makes(OpCodeOperandKind kind) => kind is OpCodeOperandKind.mem or OpCodeOperandKind.mem_offs or OpCodeOperandKind.seg_rBX_al
        or OpCodeOperandKind.seg_rSI or OpCodeOperandKind.seg_rDI or OpCodeOperandKind.es_rDI
        or OpCodeOperandKind.br16_1 or OpCodeOperandKind.br32_1 or OpCodeOperandKind.br64_1 or OpCodeOperandKind.br16_2 or OpCodeOperandKind.br32_4 or OpCodeOperandKind.br64_4
        || IsVectorIndexed(kind) || IsRegisterOrMemory(kind) || FixedRegister(kind) != Register.None || FirstRegister(kind).First != Register.None || ImmediateKind(kind, 0, second: false) is not null;

    /// <summary>True for memory operands with a vector of indices.</summary>
    public static bool IsVectorIndexed(OpCodeOperandKind kind) => kind is OpCodeOperandKind.mem_vsib32x or OpCodeOperandKind.mem_vsib64x
        or OpCodeOperandKind.mem_vsib32y or OpCodeOperandKind.mem_vsib64y;

    private bool TryFill(ref Instruction instruction, InstructionForm form, int operand)
    {
        OpCodeOperandKind kind = form.Operands[operand];
        if (RegisterOf(kind) is Register register and not Register.None)
        {
            instruction.SetOpKind(operand, OpKind.Register);
            instruction.SetOpRegister(operand, register);
            return true;
        }

        switch (kind)
        {
            case OpCodeOperandKind.mem:
            case OpCodeOperandKind any when IsRegisterOrMemory(any):
                instruction.SetOpKind(operand, OpKind.Memory);
                FillMemory(ref instruction, form);
                return true;
            case OpCodeOperandKind indexed when IsVectorIndexed(indexed):
                instruction.SetOpKind(operand, OpKind.Memory);
                return TryFillVectorIndexed(ref instruction, kind);
            case OpCodeOperandKind.mem_offs:
                instruction.SetOpKind(operand, OpKind.Memory);
                FillOffset(ref instruction, form);
                return true;
            case OpCodeOperandKind.seg_rBX_al:
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryBase = Sized(Register.RBX);
                instruction.MemoryIndex = Register.AL;
                return true;
            case OpCodeOperandKind.seg_rSI:
                instruction.SetOpKind(operand, _addressBits switch { 16 => OpKind.MemorySegSI, 32 => OpKind.MemorySegESI, _ => OpKind.MemorySegRSI });
                return true;
            case OpCodeOperandKind.seg_rDI:
                instruction.SetOpKind(operand, _addressBits switch { 16 => OpKind.MemorySegDI, 32 => OpKind.MemorySegEDI, _ => OpKind.MemorySegRDI });
                return true;
            case OpCodeOperandKind.es_rDI:
                instruction.SetOpKind(operand, _addressBits switch { 16 => OpKind.MemoryESDI, 32 => OpKind.MemoryESEDI, _ => OpKind.MemoryESRDI });
                return true;
            default:
                return TryFillImmediate(ref instruction, kind, operand);
        }
    }

    private static bool IsRegisterOrMemory(OpCodeOperandKind kind) => kind is OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem
        or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.ymm_or_mem;

    // A register operand, or None when the operand is (or, for the mixed kinds, is this time) something else.
    private Register RegisterOf(OpCodeOperandKind kind)
    {
        if (IsRegisterOrMemory(kind) && _random.OneIn(2))
        {
            return Register.None;
        }

        Register fixedOne = FixedRegister(kind);
        if (fixedOne != Register.None)
        {
            return fixedOne;
        }

        (Register first, int wide, int narrow) = FirstRegister(kind);
        return first == Register.None ? Register.None : first + _random.Below(Bitness == 64 ? wide : narrow);
    }

    // The first register of a kind, and how many there are in 64-bit code and elsewhere. Of the 8-bit ones the 20 include AH to BH.
    private static (Register First, int Wide, int Narrow) FirstRegister(OpCodeOperandKind kind) => kind switch
    {
        OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r8_or_mem => (Register.AL, 20, 8),
        OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r16_rm => (Register.AX, 16, 8),
        OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_vvvv => (Register.EAX, 16, 8),
        OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_opcode or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.r64_rm or OpCodeOperandKind.r64_vvvv => (Register.RAX, 16, 8),
        OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.mm_or_mem => (Register.MM0, 8, 8),
        OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_vvvv or OpCodeOperandKind.xmm_is4 => (Register.XMM0, 16, 8),
        OpCodeOperandKind.ymm_reg or OpCodeOperandKind.ymm_rm or OpCodeOperandKind.ymm_or_mem or OpCodeOperandKind.ymm_vvvv or OpCodeOperandKind.ymm_is4 => (Register.YMM0, 16, 8),
        OpCodeOperandKind.sti_opcode => (Register.ST0, 8, 8),
        _ => (Register.None, 0, 0),
    };

    private static Register FixedRegister(OpCodeOperandKind kind) => kind switch
    {
        OpCodeOperandKind.st0 => Register.ST0,
        OpCodeOperandKind.al => Register.AL,
        OpCodeOperandKind.cl => Register.CL,
        OpCodeOperandKind.ax => Register.AX,
        OpCodeOperandKind.eax => Register.EAX,
        OpCodeOperandKind.rax => Register.RAX,
        OpCodeOperandKind.dx => Register.DX,
        _ => Register.None,
    };

    private static (OpKind Kind, long Value)? ImmediateKind(OpCodeOperandKind kind, ulong value, bool second) => kind switch
    {
        OpCodeOperandKind.imm8 => (second ? OpKind.Immediate8_2nd : OpKind.Immediate8, (long)(byte)value),
        OpCodeOperandKind.imm8_const_1 => (OpKind.Immediate8, 1),
        OpCodeOperandKind.imm8sex16 => (OpKind.Immediate8to16, (sbyte)value),
        OpCodeOperandKind.imm8sex32 => (OpKind.Immediate8to32, (sbyte)value),
        OpCodeOperandKind.imm8sex64 => (OpKind.Immediate8to64, (sbyte)value),
        OpCodeOperandKind.imm16 => (OpKind.Immediate16, (ushort)value),
        OpCodeOperandKind.imm32 => (OpKind.Immediate32, (uint)value),
        OpCodeOperandKind.imm32sex64 => (OpKind.Immediate32to64, (int)value),
        OpCodeOperandKind.imm64 => (OpKind.Immediate64, (long)value),
        _ => null,
    };

    private bool TryFillImmediate(ref Instruction instruction, OpCodeOperandKind kind, int operand)
    {
        ulong value = _random.Value();
        bool second = operand == 1 && instruction.Mnemonic == Mnemonic.Enter;
        if (ImmediateKind(kind, value, second) is not (OpKind, long) immediate)
        {
            throw new InvalidOperationException($"{instruction.Code}: no operand of kind {kind} is made here.");
        }

        instruction.SetOpKind(operand, immediate.Kind);
        if (second)
        {
            instruction.Immediate8_2nd = (byte)(value & 3);
            return true;
        }

        // Frames and returns that stay inside the stack window.
        bool small = kind == OpCodeOperandKind.imm16 && instruction.Mnemonic is Mnemonic.Enter or Mnemonic.Ret;
        instruction.SetImmediate(operand, small ? immediate.Value & 0x1f : immediate.Value);
        return true;
    }

    private void FillOffset(ref Instruction instruction, InstructionForm form)
    {
        instruction.MemoryDisplSize = _addressBits switch { 16 => 2, 32 => 4, _ => _random.OneIn(2) ? 8 : 4 };
        instruction.MemoryDisplacement64 = Target(form);
    }

    /// <summary>A memory operand in one of the address forms of the case's address size.</summary>
    private void FillMemory(ref Instruction instruction, InstructionForm form)
    {
        bool noAccess = form.Info.Mnemonic is Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Reservednop && _random.OneIn(2);
        if (noAccess || (_risky && _random.OneIn(24)))
        {
            FillAnyAddress(ref instruction, noAccess);
            return;
        }

        ulong target = Target(form);
        int shape = _random.Below(8);
        if (shape == 0 && Bitness == 64)
        {
            instruction.MemoryBase = _addressBits == 32 ? Register.EIP : Register.RIP;
            instruction.MemoryDisplSize = _addressBits == 32 ? 4 : 8;
            instruction.MemoryDisplacement64 = target;
            return;
        }

        if (shape <= 1)
        {
            instruction.MemoryDisplSize = _addressBits / 8;
            instruction.MemoryDisplacement64 = target;
            return;
        }

        FillBaseIndex(ref instruction, target, withBase: shape < 7, withIndex: shape >= 5);
    }

    private void FillBaseIndex(ref Instruction instruction, ulong target, bool withBase, bool withIndex)
    {
        int scale = withIndex && _addressBits != 16 ? 1 << _random.Below(4) : 1;
        if (withBase && _baseRegister == Register.RSP)
        {
            (withIndex, target) = (false, _input->State.Gpr[4] + (uint)(_random.Below(64) & ~15));
        }

        CaseState* state = &_input->State;
        ulong sum = (withBase ? state->Gpr[_baseRegister - Register.RAX] : 0) + (withIndex ? state->Gpr[_indexRegister - Register.RAX] * (uint)scale : 0);
        instruction.MemoryBase = withBase ? Sized(_baseRegister) : Register.None;
        instruction.MemoryIndex = withIndex ? Sized(_indexRegister) : Register.None;
        instruction.MemoryIndexScale = scale;
        SetDisplacement(ref instruction, (long)(target - sum));
    }

    /// <summary>Base and displacement of a gather; <see cref="TryPrepareGather"/> makes indices from −8 to 15 of what the index register holds.</summary>
    private bool TryFillVectorIndexed(ref Instruction instruction, OpCodeOperandKind kind)
    {
        if (_addressBits == 16)
        {
            return false;
        }

        bool wide = kind is OpCodeOperandKind.mem_vsib32y or OpCodeOperandKind.mem_vsib64y;
        ulong start = _input->State.Gpr[_baseRegister - Register.RAX];
        int middle = _risky && _random.OneIn(2) ? 3 * PageSize : PageSize;
        ulong target = _baseRegister == Register.RSP ? start + (uint)_random.Below(64) : Data + (uint)(middle - 96 + _random.Below(128));
        instruction.MemoryBase = Sized(_baseRegister);
        instruction.MemoryIndex = (wide ? Register.YMM0 : Register.XMM0) + _random.Below(Bitness == 64 ? 16 : 8);
        instruction.MemoryIndexScale = 1 << _random.Below(4);
        SetDisplacement(ref instruction, (long)(target - start));
        return true;
    }

    private static readonly int[] UnmappedPages = [.. Enumerable.Range(0, CaseLayout.Pages).Where(page => CaseLayout.AccessOf(page) == PageAccess.None)];

    private void FillAnyAddress(ref Instruction instruction, bool noAccess)
    {
        if (_addressBits == 16)
        {
            // Into a page that is not mapped, or across the limit; what else there is is not the same on every engine.
            int page = noAccess ? 0 : _random.Pick(UnmappedPages) * PageSize;
            FillBaseIndex(ref instruction, (uint)(page + (_random.Below(PageSize) | (_random.OneIn(4) ? 0xff0 : 0))), _random.OneIn(2), _random.OneIn(2));
            return;
        }

        // The whole of 16-bit code's 64 KiB is near, so there it takes registers that still are what they were.
        int registers = Bitness == 64 ? 16 : 8;
        bool any = Bitness != 16 || noAccess;
        instruction.MemoryBase = _random.OneIn(8) ? Register.None : Sized(any ? Register.RAX + _random.Below(registers) : _baseRegister);
        Register index = any ? Register.RAX + _random.Below(registers) : _indexRegister;
        bool withIndex = index != Register.RSP && _random.OneIn(2);
        instruction.MemoryIndex = withIndex ? Sized(index) : Register.None;
        instruction.MemoryIndexScale = withIndex ? 1 << _random.Below(4) : 1;
        SetDisplacement(ref instruction, (int)_random.Value());
        while (noAccess is false && IsNearMemory(instruction))
        {
            SetDisplacement(ref instruction, (int)_random.Next());
        }
    }

    // A wild store must not hit what belongs to the driver, or to other cases.
    private bool IsNearMemory(in Instruction instruction)
    {
        const ulong Slack = 0x1_0000;
        ulong address = Value(instruction.MemoryBase) + (Value(instruction.MemoryIndex) * (uint)instruction.MemoryIndexScale) + instruction.MemoryDisplacement64;
        address = _addressBits == 32 ? (uint)address : address;
        return address + _segmentBase - _placement.Memory + Slack < CaseLayout.Size + (2 * Slack);

        ulong Value(Register register) => register == Register.None ? 0 : _input->State.Gpr[register.GetFullRegister() - Register.RAX];
    }

    private void SetDisplacement(ref Instruction instruction, long displacement)
    {
        displacement = _addressBits switch { 16 => (short)displacement, 32 => (int)displacement, _ => displacement };
        bool small = displacement == (sbyte)displacement && instruction.MemoryBase != Register.None;
        instruction.MemoryDisplSize = small ? 1 : _addressBits / 8;
        instruction.MemoryDisplacement64 = _addressBits switch { 16 => (ushort)displacement, 32 => (uint)displacement, _ => (ulong)displacement };
    }

    private Register Sized(Register register) => _addressBits switch
    {
        16 => Register.AX + (register - Register.RAX),
        32 => Register.EAX + (register - Register.RAX),
        _ => register,
    };

    private void ChooseAddressRegisters()
    {
        if (_strings)
        {
            // RSI, RDI and RCX are taken.
            (_baseRegister, _indexRegister) = (Register.RBX, Register.RBP);
            return;
        }

        if (_addressBits == 16)
        {
            _baseRegister = _random.OneIn(2) ? Register.RBX : Register.RBP;
            _indexRegister = _random.OneIn(2) ? Register.RSI : Register.RDI;
            return;
        }

        int registers = Bitness == 64 ? 16 : 8;
        _baseRegister = Register.RAX + _random.Below(registers);
        do
        {
            _indexRegister = Register.RAX + _random.Below(registers);
        }
        while (_indexRegister == _baseRegister || _indexRegister == Register.RSP);
    }

    /// <summary>Where a memory operand points: into the windows; for risky cases also across a page end into the read-only or the unmapped page.</summary>
    private ulong Target(InstructionForm form)
    {
        int size = form.MemoryBytes;
        bool bits = form.Info.Mnemonic is Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc;
        int offset = bits ? PageSize - 64 + _random.Below(128 - size) : _random.Below(_risky ? 24 : 16) switch
        {
            0 or 1 or 2 => PageSize - _random.Below(size + 1),
            3 => (2 * PageSize) - size,
            16 or 17 => (2 * PageSize) - _random.Below(size + 1),
            18 => (2 * PageSize) + _random.Below(64),
            19 => (3 * PageSize) - _random.Below(size + 1),
            20 => (3 * PageSize) + _random.Below(64),
            _ => PageSize - (CaseLayout.DataWindow / 2) + _random.Below(CaseLayout.DataWindow - size),
        };
        bool atomic = _locked || form.Info.Mnemonic == Mnemonic.Xchg;
        bool align = size >= 16 && !form.TakesAnyAlignment ? AcceptsUnalignedHere(form) || !(_risky && _random.OneIn(4)) : _random.OneIn(2);
        if (align || (atomic && size > 1 && (offset & 63) + size > 64))
        {
            // A locked access across a cache line is a split lock, for which some kernels punish a process.
            offset &= ~((int)BitOperations.RoundUpToPowerOf2((uint)size) - 1);
        }

        return Data + (uint)offset;
    }

    // The SHA instructions take #GP for an operand that is not aligned (SDM vol. 2, exceptions type 4), and so they do in the emulator;
    // AMD's Zen processors do not look.
    private static bool AcceptsUnalignedHere(InstructionForm form) => form.Group == "sha";
}
