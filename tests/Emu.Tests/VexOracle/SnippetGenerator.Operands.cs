using Iced.Intel;

namespace Emu.Tests.VexOracle;

/// <summary>Operands and the setup some instructions need.</summary>
internal sealed unsafe partial class SnippetGenerator
{
    // MXCSR.MM of AMD processors, reserved elsewhere and in the emulator.
    private const uint MisalignedMask = 1 << 17;

    private bool TryFill(ref Instruction instruction, OpCodeInfo info, int operand)
    {
        OpCodeOperandKind kind = info.GetOpKind(operand);
        if (RegisterOf(kind) is Register register and not Register.None)
        {
            instruction.SetOpKind(operand, OpKind.Register);
            instruction.SetOpRegister(operand, register);
            return true;
        }

        switch (kind)
        {
            case OpCodeOperandKind.mem:
            case OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r64_or_mem:
            case OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.ymm_or_mem:
                instruction.SetOpKind(operand, OpKind.Memory);
                FillMemory(ref instruction, info);
                return true;
            case OpCodeOperandKind.mem_vsib32x or OpCodeOperandKind.mem_vsib64x or OpCodeOperandKind.mem_vsib32y or OpCodeOperandKind.mem_vsib64y:
                instruction.SetOpKind(operand, OpKind.Memory);
                FillVectorIndexed(ref instruction, kind);
                return true;
            case OpCodeOperandKind.mem_offs:
                instruction.SetOpKind(operand, OpKind.Memory);
                FillOffset(ref instruction, info);
                return true;
            case OpCodeOperandKind.seg_rBX_al:
                instruction.SetOpKind(operand, OpKind.Memory);
                instruction.MemoryBase = _narrowAddresses ? Register.EBX : Register.RBX;
                instruction.MemoryIndex = Register.AL;
                return true;
            case OpCodeOperandKind.seg_rSI:
                instruction.SetOpKind(operand, _narrowAddresses ? OpKind.MemorySegESI : OpKind.MemorySegRSI);
                return true;
            case OpCodeOperandKind.seg_rDI:
                instruction.SetOpKind(operand, _narrowAddresses ? OpKind.MemorySegEDI : OpKind.MemorySegRDI);
                return true;
            case OpCodeOperandKind.es_rDI:
                instruction.SetOpKind(operand, _narrowAddresses ? OpKind.MemoryESEDI : OpKind.MemoryESRDI);
                return true;
            default:
                return TryFillImmediate(ref instruction, kind, operand);
        }
    }

    // A register operand, or None when the operand is (or, for the mixed kinds, is this time) something else.
    private Register RegisterOf(OpCodeOperandKind kind) => kind switch
    {
        OpCodeOperandKind.r8_or_mem or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r64_or_mem
            or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.ymm_or_mem when _random.OneIn(2) => Register.None,
        OpCodeOperandKind.r8_reg or OpCodeOperandKind.r8_opcode or OpCodeOperandKind.r8_or_mem => Register.AL + _random.Below(20),
        OpCodeOperandKind.r16_reg or OpCodeOperandKind.r16_opcode or OpCodeOperandKind.r16_or_mem or OpCodeOperandKind.r16_rm => Register.AX + _random.Below(16),
        OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_opcode or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_rm or OpCodeOperandKind.r32_vvvv => Register.EAX + _random.Below(16),
        OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_opcode or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.r64_rm or OpCodeOperandKind.r64_vvvv => Register.RAX + _random.Below(16),
        OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_rm or OpCodeOperandKind.mm_or_mem => Register.MM0 + _random.Below(8),
        OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_rm or OpCodeOperandKind.xmm_or_mem
            or OpCodeOperandKind.xmm_vvvv or OpCodeOperandKind.xmm_is4 => Register.XMM0 + _random.Below(16),
        OpCodeOperandKind.ymm_reg or OpCodeOperandKind.ymm_rm or OpCodeOperandKind.ymm_or_mem
            or OpCodeOperandKind.ymm_vvvv or OpCodeOperandKind.ymm_is4 => Register.YMM0 + _random.Below(16),
        OpCodeOperandKind.sti_opcode => Register.ST0 + _random.Below(8),
        OpCodeOperandKind.st0 => Register.ST0,
        OpCodeOperandKind.al => Register.AL,
        OpCodeOperandKind.cl => Register.CL,
        OpCodeOperandKind.ax => Register.AX,
        OpCodeOperandKind.eax => Register.EAX,
        OpCodeOperandKind.rax => Register.RAX,
        OpCodeOperandKind.dx => Register.DX,
        _ => Register.None,
    };

    private bool TryFillImmediate(ref Instruction instruction, OpCodeOperandKind kind, int operand)
    {
        ulong value = _random.Value();
        bool second = operand == 1 && instruction.Mnemonic == Mnemonic.Enter;
        OpKind immediate = kind switch
        {
            OpCodeOperandKind.imm8 => second ? OpKind.Immediate8_2nd : OpKind.Immediate8,
            OpCodeOperandKind.imm8_const_1 => OpKind.Immediate8,
            OpCodeOperandKind.imm8sex16 => OpKind.Immediate8to16,
            OpCodeOperandKind.imm8sex32 => OpKind.Immediate8to32,
            OpCodeOperandKind.imm8sex64 => OpKind.Immediate8to64,
            OpCodeOperandKind.imm16 => OpKind.Immediate16,
            OpCodeOperandKind.imm32 => OpKind.Immediate32,
            OpCodeOperandKind.imm32sex64 => OpKind.Immediate32to64,
            OpCodeOperandKind.imm64 => OpKind.Immediate64,
            _ => OpKind.FarBranch16,
        };
        if (immediate == OpKind.FarBranch16)
        {
            throw new InvalidOperationException($"{instruction.Code}: no operand of kind {kind} is made here.");
        }

        instruction.SetOpKind(operand, immediate);
        if (second)
        {
            instruction.Immediate8_2nd = (byte)(value & 3);
            return true;
        }

        instruction.SetImmediate(operand, kind switch
        {
            OpCodeOperandKind.imm8_const_1 => 1,
            OpCodeOperandKind.imm8 => (long)(byte)value,
            OpCodeOperandKind.imm16 when instruction.Mnemonic == Mnemonic.Enter => (long)(value & 0xff),
            OpCodeOperandKind.imm16 => (ushort)value,
            OpCodeOperandKind.imm32 => (uint)value,
            OpCodeOperandKind.imm8sex16 or OpCodeOperandKind.imm8sex32 or OpCodeOperandKind.imm8sex64 => (sbyte)value,
            OpCodeOperandKind.imm32sex64 => (int)value,
            _ => (long)value,
        });
        return true;
    }

    private void FillOffset(ref Instruction instruction, OpCodeInfo info)
    {
        instruction.MemoryDisplSize = _random.OneIn(2) ? 8 : 4;
        instruction.MemoryDisplacement64 = Target(info);
    }

    /// <summary>A memory operand in one of the 64-bit (or, for a whole snippet, 32-bit) address forms.</summary>
    private void FillMemory(ref Instruction instruction, OpCodeInfo info)
    {
        if (info.Mnemonic is Mnemonic.Lea or Mnemonic.Nop or Mnemonic.Reservednop && _random.OneIn(2))
        {
            FillAnyAddress(ref instruction);
            return;
        }

        ulong target = Target(info);
        int form = _random.Below(8);
        if (form == 0)
        {
            instruction.MemoryBase = _narrowAddresses ? Register.EIP : Register.RIP;
            instruction.MemoryDisplSize = _narrowAddresses ? 4 : 8;
            instruction.MemoryDisplacement64 = target;
            return;
        }

        if (form == 1)
        {
            instruction.MemoryDisplSize = _narrowAddresses ? 4 : 8;
            instruction.MemoryDisplacement64 = target;
            return;
        }

        bool withBase = form < 7;
        bool withIndex = form >= 5;
        int scale = withIndex ? 1 << _random.Below(4) : 1;
        if (withBase && _baseRegister == Register.RSP)
        {
            (withIndex, target) = (false, _input.Gpr[4] + (uint)(_random.Below(64) & ~15));
            target &= AcceptsUnalignedHere(info) ? ~15UL : ulong.MaxValue;
        }

        ulong sum = (withBase ? _input.Gpr[_baseRegister - Register.RAX] : 0) + (withIndex ? _input.Gpr[_indexRegister - Register.RAX] * (uint)scale : 0);
        long displacement = _narrowAddresses ? (int)(target - sum) : (long)(target - sum);
        instruction.MemoryBase = withBase ? Sized(_baseRegister) : Register.None;
        instruction.MemoryIndex = withIndex ? Sized(_indexRegister) : Register.None;
        instruction.MemoryIndexScale = scale;
        SetDisplacement(ref instruction, displacement);
    }

    private void FillAnyAddress(ref Instruction instruction)
    {
        instruction.MemoryBase = _random.OneIn(8) ? Register.None : Sized(Register.RAX + _random.Below(16));
        Register index = Register.RAX + _random.Below(16);
        bool withIndex = index != Register.RSP && _random.OneIn(2);
        instruction.MemoryIndex = withIndex ? Sized(index) : Register.None;
        instruction.MemoryIndexScale = withIndex ? 1 << _random.Below(4) : 1;
        SetDisplacement(ref instruction, (int)_random.Value());
    }

    private void SetDisplacement(ref Instruction instruction, long displacement)
    {
        bool small = displacement == (sbyte)displacement && instruction.MemoryBase != Register.None;
        instruction.MemoryDisplSize = small ? 1 : _narrowAddresses ? 4 : 8;
        instruction.MemoryDisplacement64 = _narrowAddresses ? (uint)displacement : (ulong)displacement;
    }

    private Register Sized(Register register) => _narrowAddresses ? Register.EAX + (register - Register.RAX) : register;

    /// <summary>Where a memory operand points: mostly inside the data pages; sometimes across a page end, into the read-only or the unmapped page.</summary>
    private ulong Target(OpCodeInfo info)
    {
        int size = Math.Max(1, info.MemorySize.GetSize());
        bool atomic = _locked || info.Mnemonic == Mnemonic.Xchg;
        ulong offset = _random.Below(48) switch
        {
            0 or 1 or 2 => (ulong)(PageSize - _random.Below(size + 1)),
            3 => (ulong)((2 * PageSize) - _random.Below(size + 1)),
            4 => (ulong)((2 * PageSize) + _random.Below(64)),
            5 => (ulong)((3 * PageSize) - _random.Below(size + 1)),
            _ => (ulong)(512 + _random.Below(PageSize)),
        };
        bool aligned = size >= 16 && info.Encoding == EncodingKind.Legacy ? !_random.OneIn(8) || AcceptsUnalignedHere(info) : _random.OneIn(2);
        if (aligned || (atomic && size > 1 && (offset & 63) + (uint)size > 64))
        {
            // A locked access across a cache line is a split lock, for which some kernels punish a process.
            offset &= ~((ulong)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)size) - 1);
        }

        return Data + offset;
    }

    // The SHA instructions take #GP for an operand that is not aligned (SDM vol. 2, exceptions type 4), and so they do in the emulator;
    // AMD's Zen processors do not look.
    private static bool AcceptsUnalignedHere(OpCodeInfo info) => info.Code.CpuidFeatures().Contains(CpuidFeature.SHA);

    /// <summary>Adds what an instruction needs before it to do something sensible. False when a reserved register is in the way.</summary>
    private bool TryPrepare(ref Instruction instruction) => instruction.Mnemonic switch
    {
        _ when instruction.IsStringInstruction => TryPrepareString(instruction),
        Mnemonic.Bt or Mnemonic.Bts or Mnemonic.Btr or Mnemonic.Btc => TryPrepareBit(instruction),
        Mnemonic.Div or Mnemonic.Idiv => _random.OneIn(8) || TryPrepareDivision(instruction),
        Mnemonic.Xlatb => TrySet(Register.RBX, Data + 1000),
        Mnemonic.Cmpxchg => _random.OneIn(2) || TryPrepareCompareExchange(instruction),
        Mnemonic.Cmpxchg8b or Mnemonic.Cmpxchg16b => _random.OneIn(2) || TryPrepareWideExchange(instruction),
        Mnemonic.Popf or Mnemonic.Popfq => PrepareFlags(),
        Mnemonic.Enter or Mnemonic.Leave => TrySet(Register.RBP, Stack + 4096 + (uint)(8 * _random.Below(32))),
        Mnemonic.Maskmovq or Mnemonic.Maskmovdqu or Mnemonic.Vmaskmovdqu => TrySet(Register.RDI, Data + (uint)_random.Below(4200)),
        Mnemonic.Ldmxcsr or Mnemonic.Vldmxcsr => EmitToMemory(instruction, Code.Mov_rm32_imm32, _random.OneIn(8) ? (uint)_random.Value() & ~MisalignedMask : 0x1f80 | (_random.Next() & 0xe07f)),
        Mnemonic.Fldcw => _random.OneIn(8) || EmitToMemory(instruction, Code.Mov_rm16_imm16, 0x37f | (_random.Next() & 0xc00)),
        _ when instruction.MemoryIndex.IsVectorRegister() => TryPrepareGather(instruction),
        _ => true,
    };

    // Indices up to 1023, which with a scale reach from the data pages into those behind them.
    private bool TryPrepareGather(in Instruction instruction)
    {
        Register index = Register.YMM0 + instruction.MemoryIndex.GetNumber();
        bool narrow = instruction.Mnemonic is Mnemonic.Vgatherdps or Mnemonic.Vgatherdpd or Mnemonic.Vpgatherdd or Mnemonic.Vpgatherdq;
        bool unique = instruction.Op0Register.GetNumber() != instruction.Op2Register.GetNumber()
            && instruction.MemoryIndex.GetNumber() != instruction.Op0Register.GetNumber() && instruction.MemoryIndex.GetNumber() != instruction.Op2Register.GetNumber();
        return unique && Emit(Instruction.Create(narrow ? Code.VEX_Vpsrld_ymm_ymm_imm8 : Code.VEX_Vpsrlq_ymm_ymm_imm8, index, index, narrow ? 22 : 54), note: true);
    }

    private void FillVectorIndexed(ref Instruction instruction, OpCodeOperandKind kind)
    {
        bool wide = kind is OpCodeOperandKind.mem_vsib32y or OpCodeOperandKind.mem_vsib64y;
        ulong target = Data + (uint)_random.Below(2048);
        ulong start = _input.Gpr[_baseRegister - Register.RAX];
        instruction.MemoryBase = Sized(_baseRegister);
        instruction.MemoryIndex = (wide ? Register.YMM0 : Register.XMM0) + _random.Below(16);
        instruction.MemoryIndexScale = 1 << _random.Below(4);
        SetDisplacement(ref instruction, _narrowAddresses ? (int)(target - start) : (long)(target - start));
    }

    private bool TryPrepareString(in Instruction instruction)
    {
        ulong mask = _narrowAddresses ? _random.Next() << 32 : 0;
        ulong edge = _random.OneIn(12) ? 2 * PageSize - 40UL : 1024 + (uint)_random.Below(PageSize);
        ulong count = _random.OneIn(4) ? (ulong)_random.Below(2) : (ulong)_random.Below(24);
        bool backward = _random.OneIn(3);
        return TrySet(Register.RSI, mask | (Data + 1024 + (uint)_random.Below(PageSize)))
            && TrySet(Register.RDI, mask | (Data + edge))
            && ((!instruction.HasRepPrefix && !instruction.HasRepnePrefix) || TrySet(Register.RCX, mask | count))
            && Emit(Instruction.Create(backward ? Code.Std : Code.Cld), note: true);
    }

    // A register bit number reaches 2^60 bytes to both sides; keep it near.
    private bool TryPrepareBit(in Instruction instruction) => instruction.Op0Kind != OpKind.Memory || instruction.Op1Kind != OpKind.Register
        || TrySet(instruction.Op1Register.GetFullRegister(), instruction.Op1Register.GetSize() switch
        {
            2 => (_random.Next() & ~0xffffUL) | (ushort)(_random.Below(2048) - 1024),
            4 => (_random.Next() & ~0xffff_ffffUL) | (uint)(_random.Below(4096) - 2048),
            _ => (ulong)(_random.Below(4096) - 2048),
        });

    private bool TryPrepareDivision(in Instruction instruction)
    {
        bool memory = instruction.Op0Kind == OpKind.Memory;
        int bits = 8 * (memory ? instruction.MemorySize.GetSize() : instruction.Op0Register.GetSize());
        Register register = memory ? Register.None : instruction.Op0Register.GetFullRegister();
        if (register is Register.RAX or Register.RDX || instruction.Op0Register is Register.AH or Register.DH or Register.CH or Register.BH)
        {
            return TrySet(Register.RDX, 0) && (bits > 8 || TrySet(Register.RAX, _random.Value() & 0x7f));
        }

        UInt128 ones = UInt128.MaxValue >> (128 - bits);
        UInt128 divisor = (_random.Value() | 1) & ones;
        Int128 signedDivisor = (Int128)(divisor << (128 - bits)) >> (128 - bits);
        ulong quotient = _random.Value();
        Int128 signedQuotient = ((Int128)quotient << (128 - bits)) >> (128 - bits);
        UInt128 dividend = instruction.Mnemonic == Mnemonic.Div
            ? ((quotient & ones) * divisor) + (_random.Next() % divisor)
            : (UInt128)(signedQuotient * signedDivisor);
        ulong high = bits == 8 ? _random.Next() : (ulong)((dividend >> bits) & ones);
        ulong low = bits == 8 ? (ulong)(dividend & 0xffff) : (ulong)(dividend & ones);
        if (memory)
        {
            Code store = bits switch { 8 => Code.Mov_rm8_r8, 16 => Code.Mov_rm16_r16, 32 => Code.Mov_rm32_r32, _ => Code.Mov_rm64_r64 };
            Register part = bits switch { 8 => Register.AL, 16 => Register.AX, 32 => Register.EAX, _ => Register.RAX };
            if (!TrySet(Register.RAX, (ulong)divisor) || !Emit(WithMemory(instruction, store, part), note: true))
            {
                return false;
            }
        }
        else if (!TrySet(register, (ulong)divisor))
        {
            return false;
        }

        return TrySet(Register.RDX, high) && TrySet(Register.RAX, low);
    }

    // The accumulator gets the destination's value, so that the exchange happens.
    private bool TryPrepareCompareExchange(in Instruction instruction)
    {
        Instruction load = instruction;
        int size = instruction.Op1Register.GetSize();
        load.Code = size switch { 1 => Code.Mov_r8_rm8, 2 => Code.Mov_r16_rm16, 4 => Code.Mov_r32_rm32, _ => Code.Mov_r64_rm64 };
        load.HasLockPrefix = false;
        load.Op1Kind = instruction.Op0Kind;
        load.Op1Register = instruction.Op0Kind == OpKind.Register ? instruction.Op0Register : Register.None;
        load.Op0Kind = OpKind.Register;
        load.Op0Register = size switch { 1 => Register.AL, 2 => Register.AX, 4 => Register.EAX, _ => Register.RAX };
        return !IsReserved(Register.RAX) && Emit(load, note: true);
    }

    private bool TryPrepareWideExchange(in Instruction instruction)
    {
        bool wide = instruction.Mnemonic == Mnemonic.Cmpxchg16b;
        if (IsReserved(Register.RAX) || IsReserved(Register.RDX))
        {
            return false;
        }

        Instruction low = WithMemory(instruction, wide ? Code.Mov_r64_rm64 : Code.Mov_r32_rm32, wide ? Register.RAX : Register.EAX, load: true);
        Instruction high = WithMemory(instruction, wide ? Code.Mov_r64_rm64 : Code.Mov_r32_rm32, wide ? Register.RDX : Register.EDX, load: true);
        SetDisplacement(ref high, (_narrowAddresses ? (int)high.MemoryDisplacement64 : (long)high.MemoryDisplacement64) + (wide ? 8 : 4));
        return Emit(low, note: true) && Emit(high, note: true);
    }

    private bool PrepareFlags()
    {
        Instruction store = default;
        store.Code = Code.Mov_rm64_imm32;
        store.Op0Kind = OpKind.Memory;
        store.MemoryBase = Register.RSP;
        store.Op1Kind = OpKind.Immediate32to64;
        store.Immediate32to64 = (int)(_random.Next() & LoadableFlags) | 0x202;
        return Emit(store, note: true);
    }

    private bool EmitToMemory(in Instruction like, Code code, ulong value)
    {
        Instruction store = WithMemory(like, code, Register.None);
        store.Op1Kind = code == Code.Mov_rm16_imm16 ? OpKind.Immediate16 : OpKind.Immediate32;
        store.SetImmediate(1, (long)value);
        return Emit(store, note: true);
    }

    private static Instruction WithMemory(in Instruction like, Code code, Register register, bool load = false)
    {
        Instruction move = like;
        move.Code = code;
        move.HasLockPrefix = false;
        (move.Op0Kind, move.Op1Kind) = load ? (OpKind.Register, OpKind.Memory) : (OpKind.Memory, OpKind.Register);
        move.Op0Register = load ? register : Register.None;
        move.Op1Register = load ? Register.None : register;
        return move;
    }

    private bool TrySet(Register register, ulong value) =>
        !IsReserved(register) && Emit(Instruction.Create(Code.Mov_r64_imm64, register, value), note: true);

    private bool IsReserved(Register register) => register == _baseRegister || register == _indexRegister || register == Register.RSP;
}
