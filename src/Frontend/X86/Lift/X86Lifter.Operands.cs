using Emu.Frontend.Ir;
using Emu.Frontend.X86.Helpers;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>The address fields of a memory op.</summary>
internal readonly record struct MemoryOperand(IrAddress Form, ushort Base, ushort Index, ushort Segment, byte Scale, int Displacement);

/// <summary>Reading and writing operands: registers, immediates, memory in any segmentation mode.</summary>
internal sealed unsafe partial class X86Lifter
{
    private static IrWidth WidthOf(int bytes) => bytes switch
    {
        1 => IrWidth.W8,
        2 => IrWidth.W16,
        4 => IrWidth.W32,
        8 => IrWidth.W64,
        _ => IrWidth.W128,
    };

    private static int BytesOf(IrWidth width) => 1 << (int)width;

    /// <summary>Slot of a general register; the high byte registers are one byte further.</summary>
    private static ushort SlotOf(Register register)
    {
        if (register is >= Register.AH and <= Register.BH)
        {
            return (ushort)(X86Slots.Gpr(register - Register.AH) + 1);
        }

        return X86Slots.Gpr(register.GetFullRegister() - Register.RAX);
    }

    /// <summary>Slot of the 64-bit register that a general register is part of.</summary>
    private static ushort WholeSlot(Register register) => X86Slots.Gpr(register.GetFullRegister() - Register.RAX);

    private static ushort VectorSlotOf(Register register) => register.IsMM()
        ? X86Slots.Mmx(register - Register.MM0)
        : X86Slots.Vector(register - (register.IsYMM() ? Register.YMM0 : Register.XMM0));

    private static int SegmentNumber(Register register) => register - Register.ES;

    /// <summary>Width of operand <paramref name="index"/>: of its register, or of the instruction's memory operand.</summary>
    private static IrWidth OperandWidth(in Instruction instruction, int index) => instruction.GetOpKind(index) switch
    {
        OpKind.Register => WidthOf(instruction.GetOpRegister(index).GetSize()),
        OpKind.Memory => WidthOf(instruction.MemorySize.GetSize()),
        OpKind.Immediate8 => IrWidth.W8,
        OpKind.Immediate16 or OpKind.Immediate8to16 => IrWidth.W16,
        OpKind.Immediate32 or OpKind.Immediate8to32 => IrWidth.W32,
        _ => IrWidth.W64,
    };

    /// <summary>A slot with the value of operand <paramref name="index"/>; memory is loaded and immediates are moved to a temporary.</summary>
    private ushort ReadOperand(in Instruction instruction, int index, IrWidth width)
    {
        switch (instruction.GetOpKind(index))
        {
            case OpKind.Register:
                return SlotOf(instruction.GetOpRegister(index));
            case OpKind.Memory:
                ushort temporary = Temporary();
                Load(IrOpcode.Load, temporary, width, width, Memory(instruction, BytesOf(width), write: false));
                return temporary;
            default:
                ushort constant = Temporary();
                MoveImmediate(constant, width, instruction.GetImmediate(index));
                return constant;
        }
    }

    /// <summary>Fills the second operand of <paramref name="op"/> from operand <paramref name="index"/>, an immediate or a slot read before.</summary>
    private static void SetSecond(ref IrOp op, in Instruction instruction, int index, ushort slot)
    {
        if (IsImmediate(instruction, index))
        {
            op.ImmediateB = true;
            op.Imm = (long)instruction.GetImmediate(index);
        }
        else
        {
            op.B = slot;
        }
    }

    private static bool IsImmediate(in Instruction instruction, int index) => instruction.GetOpKind(index) is >= OpKind.Immediate8 and <= OpKind.Immediate32to64;

    /// <summary>Writes a slot to operand <paramref name="index"/>, a register or memory.</summary>
    private void WriteOperand(in Instruction instruction, int index, IrWidth width, ushort value)
    {
        if (instruction.GetOpKind(index) == OpKind.Register)
        {
            Move(SlotOf(instruction.GetOpRegister(index)), width, value);
        }
        else
        {
            Store(Memory(instruction, BytesOf(width), write: true), width, value);
        }
    }

    private void Move(ushort destination, IrWidth width, ushort source)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Move, width);
        op.Dst = destination;
        op.B = source;
    }

    private void MoveImmediate(ushort destination, IrWidth width, ulong value)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Move, width);
        op.Dst = destination;
        op.ImmediateB = true;
        op.Imm = (long)value;
    }

    private void Extend(IrOpcode opcode, ushort destination, IrWidth to, ushort source, IrWidth from)
    {
        ref IrOp op = ref _block.Add(opcode, from);
        op.Dst = destination;
        op.A = source;
        op.Sub = (byte)to;
    }

    private ushort ZeroExtended(ushort source, IrWidth from)
    {
        if (from == IrWidth.W64)
        {
            return source;
        }

        ushort temporary = Temporary();
        if (from == IrWidth.W32)
        {
            Move(temporary, IrWidth.W32, source);
        }
        else
        {
            Extend(IrOpcode.ZeroExtend, temporary, IrWidth.W64, source, from);
        }

        return temporary;
    }

    /// <summary>Adds a two-operand op without flags on an immediate.</summary>
    private void Binary(IrOpcode opcode, IrWidth width, ushort destination, ushort a, long immediate)
    {
        ref IrOp op = ref _block.Add(opcode, width);
        (op.Dst, op.A, op.Imm, op.ImmediateB) = (destination, a, immediate, true);
    }

    /// <summary>Adds a two-operand op without flags.</summary>
    private void BinarySlots(IrOpcode opcode, IrWidth width, ushort destination, ushort a, ushort b)
    {
        ref IrOp op = ref _block.Add(opcode, width);
        (op.Dst, op.A, op.B) = (destination, a, b);
    }

    private void Load(IrOpcode opcode, ushort destination, IrWidth to, IrWidth width, in MemoryOperand memory)
    {
        ref IrOp op = ref _block.Add(opcode, width);
        op.Dst = destination;
        op.Sub = (byte)to;
        SetAddress(ref op, memory);
    }

    private void Store(in MemoryOperand memory, IrWidth width, ushort value)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Store, width);
        op.Dst = value;
        SetAddress(ref op, memory);
    }

    private void StoreImmediate(in MemoryOperand memory, IrWidth width, int value)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Store, width);
        SetAddress(ref op, memory);
        op.ImmediateB = true;
        op.Imm = ((long)value << 32) | (uint)memory.Displacement;
    }

    private static void SetAddress(ref IrOp op, in MemoryOperand memory)
    {
        (op.Address, op.A, op.B, op.C, op.Scale) = (memory.Form, memory.Base, memory.Index, memory.Segment, memory.Scale);
        op.Imm = memory.Displacement;
    }

    private ref IrOp Call(delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, IrCallEffects effects)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Call, IrWidth.W64);
        op.Target = (nint)helper;
        op.Sub = (byte)effects;
        (op.A, op.B) = (CpuHeader.ZeroSlot, CpuHeader.ZeroSlot);
        if ((effects & IrCallEffects.WritesFlags) != 0)
        {
            _block.ForgetFlags();
        }

        return ref op;
    }

    private void CheckAligned(delegate*<CpuHeader*, ulong, ulong, ulong, ulong> helper, ushort address, int bytes)
    {
        ref IrOp op = ref _block.Add(IrOpcode.CheckAligned, IrWidth.W64);
        (op.Target, op.A, op.B, op.Imm) = ((nint)helper, address, CpuHeader.ZeroSlot, bytes);
    }

    private void SetFlags(ushort value)
    {
        ref IrOp op = ref _block.Add(IrOpcode.SetFlags, IrWidth.W64);
        (op.A, op.SetsFlags) = (value, true);
        _block.ForgetFlags();
    }

    /// <summary>The linear address of a memory op with its segment: how it is computed depends on the mode.</summary>
    /// <param name="instruction">Instruction with a memory operand.</param>
    /// <param name="bytes">Size of the access, for limit checks.</param>
    /// <param name="write">True for stores, for write checks.</param>
    /// <param name="offset">Added to the address: second parts of wide operands.</param>
    /// <param name="alignment">What the alignment check asks for, in bytes; null for what the size says, <see cref="OwnCheck"/> for instructions that demand it.</param>
    private MemoryOperand Memory(in Instruction instruction, int bytes, bool write, int offset = 0, int? alignment = null)
    {
        int segment = SegmentNumber(instruction.MemorySegment);
        MemoryOperand address = EffectiveAddress(instruction);
        return InSegment(offset == 0 ? address : Moved(address, offset), segment, bytes, write, alignment);
    }

    // A displacement has 32 bits, and in 64-bit addresses its sign counts: what does not fit is added in a step of its own.
    private MemoryOperand Moved(in MemoryOperand address, int offset)
    {
        long displacement = (long)address.Displacement + offset;
        if (displacement == (int)displacement || CodeSizeOfAddress(address) != IrWidth.W64)
        {
            return address with { Displacement = unchecked((int)displacement) };
        }

        ushort start = Temporary();
        EmitLea(start, IrWidth.W64, address);
        return new MemoryOperand(IrAddress.Base, start, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, offset);
    }

    /// <summary>Adds the segment to an effective address, and the alignment check where one is due.</summary>
    private MemoryOperand InSegment(in MemoryOperand address, int segment, int bytes, bool write, int? alignment = null)
    {
        MemoryOperand linear = AddSegment(address, segment, bytes, write, alignment == OwnCheck);
        int required = alignment ?? CheckedAlignment(bytes);
        if ((_modeKey & X86ModeKey.AlignmentCheck) == 0 || required <= 1)
        {
            return linear;
        }

        ushort checkedAddress = Temporary();
        EmitLea(checkedAddress, IrWidth.W64, linear);
        CheckAligned(&ConditionalHelpers.CheckAlignment, checkedAddress, required);
        return new MemoryOperand(IrAddress.Base, checkedAddress, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
    }

    // The instruction takes #GP where its operand is not aligned, whatever EFLAGS.AC says.
    private const int OwnCheck = 0;

    // SDM vol. 3, table 7-6; of 32 bytes as AMD's Zen does.
    private static int CheckedAlignment(int bytes) => bytes switch { 2 or 4 or 8 or 16 => bytes, 32 => 16, 10 => 8, _ => 1 };

    // Limit and rights of the segment are to be looked at.
    private bool NeedsChecks(int segment, bool write)
    {
        bool simple = segment switch
        {
            X86Segment.Fs => (_modeKey & X86ModeKey.FsSimple) != 0,
            X86Segment.Gs => (_modeKey & X86ModeKey.GsSimple) != 0,
            _ => IsFlat,
        };
        return !simple || (segment == X86Segment.Cs && write && !Is64);
    }

    private MemoryOperand AddSegment(in MemoryOperand address, int segment, int bytes, bool write, bool ownCheck)
    {
        if (NeedsChecks(segment, write))
        {
            return Checked(address, segment, bytes, write, ownCheck);
        }

        if (segment >= X86Segment.Fs)
        {
            return address with { Form = Is64 ? IrAddress.BaseIndexSegment : IrAddress.Wrap32, Segment = X86Slots.SegmentBase(segment) };
        }

        return Is64 ? address : address with { Form = IrAddress.Wrap32 };
    }

    /// <summary>The helper's linear address for modes where limits and rights must be looked at.</summary>
    private MemoryOperand Checked(in MemoryOperand address, int segment, int bytes, bool write, bool ownCheck)
    {
        ushort offset = Temporary();
        EmitLea(offset, CodeSizeOfAddress(address), address);
        ref IrOp op = ref Call(&SegmentHelpers.SegmentTranslate, IrCallEffects.MayFault);
        (op.Dst, op.A) = (offset, offset);
        op.Imm = segment | (write ? 8 : 0) | (ownCheck ? SegmentHelpers.AlignmentFirst : 0) | (bytes << 8);
        return new MemoryOperand(IrAddress.Base, offset, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
    }

    private static IrWidth CodeSizeOfAddress(in MemoryOperand address) => address.Form == IrAddress.Wrap32 ? IrWidth.W32 : IrWidth.W64;

    private void EmitLea(ushort destination, IrWidth width, in MemoryOperand address)
    {
        ref IrOp op = ref _block.Add(IrOpcode.Lea, width);
        op.Dst = destination;
        SetAddress(ref op, address);
    }

    /// <summary>The offset inside the segment, cut to the address size.</summary>
    private MemoryOperand EffectiveAddress(in Instruction instruction)
    {
        int addressSize = AddressSize(instruction);
        ulong displacement = instruction.MemoryDisplacement64;
        Register baseRegister = instruction.MemoryBase;
        ushort baseSlot = CpuHeader.ZeroSlot;
        if (instruction.IsIPRelativeMemoryOperand)
        {
            displacement = instruction.IPRelativeMemoryAddress;
            if (_block.IsRelative)
            {
                baseSlot = CpuHeader.PcPageSlot;
                displacement -= _block.StartPage;
            }
        }
        else if (baseRegister != Register.None)
        {
            baseSlot = SlotOf(baseRegister);
        }

        ushort indexSlot = instruction.MemoryIndex == Register.None ? CpuHeader.ZeroSlot : SlotOf(instruction.MemoryIndex);
        byte scale = (byte)(instruction.MemoryIndexScale switch { 2 => 1, 4 => 2, 8 => 3, _ => 0 });
        if (addressSize == 8 && (long)displacement != (int)displacement)
        {
            return FarDisplacement(baseSlot, indexSlot, scale, displacement);
        }

        IrAddress form = indexSlot == CpuHeader.ZeroSlot ? IrAddress.Base : IrAddress.BaseIndex;
        var address = new MemoryOperand(form, baseSlot, indexSlot, CpuHeader.ZeroSlot, scale, (int)displacement);
        return addressSize == 8 ? address : Narrow(address, addressSize);
    }

    // A displacement of more than 32 bits (moffs64, or RIP-relative in a low address space).
    private MemoryOperand FarDisplacement(ushort baseSlot, ushort indexSlot, byte scale, ulong displacement)
    {
        ushort temporary = Temporary();
        MoveImmediate(temporary, IrWidth.W64, displacement);
        if (baseSlot != CpuHeader.ZeroSlot)
        {
            BinarySlots(IrOpcode.Add, IrWidth.W64, temporary, temporary, baseSlot);
        }

        return new MemoryOperand(IrAddress.BaseIndex, temporary, indexSlot, CpuHeader.ZeroSlot, scale, 0);
    }

    /// <summary>Cuts an address to 16 or 32 bits where the address size is smaller than what the address forms compute.</summary>
    private MemoryOperand Narrow(in MemoryOperand address, int addressSize)
    {
        // In flat 32-bit code the Wrap32 form does the cutting, whatever is added later.
        if (addressSize == 4 && !Is64)
        {
            return address with { Form = IrAddress.Wrap32 };
        }

        ushort temporary = Temporary();
        EmitLea(temporary, IrWidth.W32, address with { Form = IrAddress.BaseIndex });
        if (addressSize == 2)
        {
            Extend(IrOpcode.ZeroExtend, temporary, IrWidth.W64, temporary, IrWidth.W16);
        }

        return new MemoryOperand(IrAddress.Base, temporary, CpuHeader.ZeroSlot, CpuHeader.ZeroSlot, 0, 0);
    }

    /// <summary>Address size of the memory operand, in bytes.</summary>
    private int AddressSize(in Instruction instruction)
    {
        Register register = instruction.MemoryBase != Register.None ? instruction.MemoryBase : instruction.MemoryIndex;
        if (register is Register.RIP)
        {
            return 8;
        }

        if (register is Register.EIP)
        {
            return 4;
        }

        return register != Register.None ? register.GetSize() : instruction.MemoryDisplSize switch
        {
            2 or 4 or 8 => instruction.MemoryDisplSize,
            _ => CodeSize / 8,
        };
    }

    /// <summary>The linear address of the memory operand in a slot, for helpers.</summary>
    private ushort LinearAddress(in Instruction instruction, int bytes, bool write, int? alignment = null) => LinearAddress(Memory(instruction, bytes, write, alignment: alignment));

    private ushort LinearAddress(in MemoryOperand memory)
    {
        if (memory is { Form: IrAddress.Base, Displacement: 0 })
        {
            return memory.Base;
        }

        ushort slot = Temporary();
        EmitLea(slot, IrWidth.W64, memory);
        return slot;
    }
}
