using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <content>Integer arithmetic.</content>
internal sealed unsafe partial class RegionEmitter
{
    private readonly int _carryIn; // also the count of shifts, and the upper half of products
    private (int A, int B)? _factors; // of a signed product

    private bool SetsLiveFlags => Op.SetsFlags && FlagsLive;

    private void EmitExtend()
    {
        ref readonly IrOp op = ref Op;
        IrWidth to = op.DestinationWidth;
        if (op.Opcode == IrOpcode.ZeroExtend)
        {
            PushSlot(op.A, op.Width);
            StoreSlot(op.Dst, IsWide(to) ? IrWidth.W32 : to, IsWide(op.Width)); // a 32-bit write clears the upper half
            return;
        }

        PushSlotSigned(op.A, op.Width);
        if (IsWide(to) && !IsWide(op.Width))
        {
            _il.Emit(Il.ConvertI8);
        }

        StoreSlot(op.Dst, to, IsWide(to));
    }

    private void EmitBinary()
    {
        ref readonly IrOp op = ref Op;
        bool usesCarry = op.Opcode is IrOpcode.Adc or IrOpcode.Sbb;
        if (usesCarry)
        {
            PushCarry();
            _il.Store(_carryIn);
        }

        if (SetsLiveFlags && FlagsState.KindOf(op.Opcode) != FlagsKind.Logic)
        {
            KeepSource();
        }

        PushSlot(op.A, op.Width);
        PushSecond();
        Il operation = op.Opcode switch
        {
            IrOpcode.Add or IrOpcode.Adc => Il.Add,
            IrOpcode.Sub or IrOpcode.Sbb => Il.Subtract,
            IrOpcode.And => Il.And,
            IrOpcode.Or => Il.Or,
            _ => Il.Xor,
        };
        _il.Emit(operation);
        if (usesCarry)
        {
            _il.Load(_carryIn);
            Narrow(op.Width);
            _il.Emit(operation);
        }

        FinishResult();
        if (usesCarry && SetsLiveFlags)
        {
            _il.Load(_carryIn);
            _il.Store(_flagsCarry);
        }
    }

    private void EmitUnary()
    {
        ref readonly IrOp op = ref Op;
        if (op.Opcode == IrOpcode.Negate && SetsLiveFlags)
        {
            PushSlot(op.A, op.Width);
            ToZeroExtended64(op.Width);
            _il.Store(_flagsSource);
        }

        PushSlot(op.A, op.Width);
        if (op.Opcode == IrOpcode.ByteSwap)
        {
            _il.Emit(Il.Call, _tokens[IsWide(op.Width) ? RegionTokens.Token.Reverse8 : RegionTokens.Token.Reverse4]);
            if (op.Width == IrWidth.W16)
            {
                _il.Constant4(16);
                _il.Emit(Il.ShiftRightUnsigned);
            }
        }
        else
        {
            _il.Emit(op.Opcode == IrOpcode.Negate ? Il.Negate : Il.Not);
        }

        FinishResult();
    }

    private void EmitStep()
    {
        ref readonly IrOp op = ref Op;
        if (SetsLiveFlags)
        {
            KeepCarry();
        }

        PushSlot(op.A, op.Width);
        PushConstant(1, op.Width);
        _il.Emit(op.Opcode == IrOpcode.Increment ? Il.Add : Il.Subtract);
        FinishResult();
    }

    private void EmitMultiply()
    {
        ref readonly IrOp op = ref Op;
        if (!SetsLiveFlags)
        {
            PushSlot(op.A, op.Width);
            PushSecond();
            _il.Emit(Il.Multiply);
            StoreSlot(op.Dst, op.Width, IsWide(op.Width));
            return;
        }

        PushProduct(signed: true);
        _il.Store(_scratch);
        if (IsWide(op.Width))
        {
            PushSlot(op.A, op.Width);
            PushSecond();
            EmitHigh(signed: true);
            _il.Load(_scratch);
            _il.Constant4(63);
            _il.Emit(Il.ShiftRight);
        }
        else
        {
            _il.Load(_scratch);
            _il.Load(_scratch);
            SignExtend64(op.Width);
        }

        _il.Emit(Il.Xor); // zero when the product fits
        _il.Store(_flagsSource);
        _il.Load(_scratch);
        Narrow(op.Width);
        FinishResult();
    }

    private void EmitMultiplyWide()
    {
        ref readonly IrOp op = ref Op;
        bool signed = op.Opcode == IrOpcode.MultiplyWideSigned;
        PushProduct(signed);
        _il.Store(_scratch);
        if (IsWide(op.Width))
        {
            PushSlot(op.A, op.Width);
            PushSlot(op.B, op.Width);
            EmitHigh(signed);
        }
        else
        {
            _il.Load(_scratch);
            _il.Constant4(BitsOf(op.Width));
            _il.Emit(Il.ShiftRightUnsigned);
        }

        ZeroExtend64(op.Width);
        _il.Store(_carryIn);
        if (SetsLiveFlags)
        {
            KeepWideFlags(signed);
        }

        _il.Load(_scratch);
        StoreSlot(op.Dst, op.Width, wide: true);
        _il.Load(_carryIn);
        StoreSlot(op.C, op.Width, wide: true);
    }

    /// <summary>
    /// Two 64-bit factors on the stack are replaced by the upper half of their product. With the host's instruction itself: RyuJIT does not inline
    /// everywhere, and a call of managed code is no good among floats.
    /// </summary>
    private void EmitHigh(bool signed)
    {
        if (!Bmi2.X64.IsSupported)
        {
            EmitOutsideFloat(() => _il.Emit(Il.Call, _tokens[signed ? RegionTokens.Token.SignedHigh : RegionTokens.Token.UnsignedHigh]));
            return;
        }

        if (!signed)
        {
            _il.Emit(Il.Call, _tokens.Of(Methods.MultiplyHigh));
            return;
        }

        _factors ??= (_il.NewLocal(), _il.NewLocal());
        (int a, int b) = _factors.Value;
        _il.Store(b);
        _il.Store(a);
        _il.Load(a);
        _il.Load(b);
        _il.Emit(Il.Call, _tokens.Of(Methods.MultiplyHigh));
        SubtractWhereNegative(a, b);
        SubtractWhereNegative(b, a);
    }

    // A negative factor was taken for one that is larger by 2^64.
    private void SubtractWhereNegative(int factor, int other)
    {
        _il.Load(factor);
        _il.Constant4(63);
        _il.Emit(Il.ShiftRight);
        _il.Load(other);
        _il.Emit(Il.And);
        _il.Emit(Il.Subtract);
    }

    private void KeepWideFlags(bool signed)
    {
        IrWidth width = Op.Width;
        _il.Load(_scratch);
        ZeroExtend64(width);
        _il.Store(_flagsResult);
        _il.Load(_carryIn);
        if (signed)
        {
            _il.Load(_scratch);
            SignExtend64(width);
            _il.Constant4(63);
            _il.Emit(Il.ShiftRight);
            ZeroExtend64(width);
            _il.Emit(Il.Xor);
        }

        _il.Store(_flagsSource);
    }

    /// <summary>Pushes A × second operand, extended to 64 bits first: the whole product up to 32 bits.</summary>
    private void PushProduct(bool signed)
    {
        IrWidth width = Op.Width;
        PushSlot(Op.A, width);
        Extend64(width, signed);
        PushSecond();
        Extend64(width, signed);
        _il.Emit(Il.Multiply);
    }

    private void Extend64(IrWidth width, bool signed)
    {
        if (!IsWide(width))
        {
            if (signed)
            {
                SignExtend(width);
            }

            _il.Emit(signed ? Il.ConvertI8 : Il.ConvertU8);
        }
    }

    /// <summary>64 bits with dirty upper bits → sign-extended.</summary>
    private void SignExtend64(IrWidth width)
    {
        if (!IsWide(width))
        {
            _il.Emit(width switch { IrWidth.W8 => Il.ConvertI1, IrWidth.W16 => Il.ConvertI2, _ => Il.ConvertI4 });
            _il.Emit(Il.ConvertI8);
        }
    }

    /// <summary>64 bits with dirty upper bits → zero-extended.</summary>
    private void ZeroExtend64(IrWidth width)
    {
        if (!IsWide(width))
        {
            Truncate(width);
            _il.Emit(Il.ConvertU8);
        }
    }

    /// <summary>64 bits → the stack type, upper bits dirty.</summary>
    private void Narrow(IrWidth width)
    {
        if (!IsWide(width))
        {
            _il.Emit(Il.ConvertI4);
        }
    }

    /// <summary>Pops the result to the destination, and to the flags if they live.</summary>
    private void FinishResult()
    {
        ref readonly IrOp op = ref Op;
        if (!SetsLiveFlags)
        {
            StoreSlot(op.Dst, op.Width, IsWide(op.Width));
            return;
        }

        ToZeroExtended64(op.Width);
        _il.Emit(Il.Duplicate);
        _il.Store(_flagsResult);
        StoreSlot(op.Dst, op.Width, wide: true);
    }
}
