using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>Rows of the integer, shift and shuffle instructions.</content>
public static unsafe partial class SimdTable
{
    private static void AddInteger(Rows rows)
    {
        rows.Both(Mnemonic.Paddb,        &PackedInteger<Mmx>.Paddb,         &PackedInteger<Xmm>.Paddb,      op: IrVectorOp.AddI8);
        rows.Both(Mnemonic.Paddw,        &PackedInteger<Mmx>.Paddw,         &PackedInteger<Xmm>.Paddw,      op: IrVectorOp.AddI16);
        rows.Both(Mnemonic.Paddd,        &PackedInteger<Mmx>.Paddd,         &PackedInteger<Xmm>.Paddd,      op: IrVectorOp.AddI32);
        rows.Both(Mnemonic.Paddq,        &PackedInteger<Mmx>.Paddq,         &PackedInteger<Xmm>.Paddq,      op: IrVectorOp.AddI64);
        rows.Both(Mnemonic.Psubb,        &PackedInteger<Mmx>.Psubb,         &PackedInteger<Xmm>.Psubb,      op: IrVectorOp.SubI8);
        rows.Both(Mnemonic.Psubw,        &PackedInteger<Mmx>.Psubw,         &PackedInteger<Xmm>.Psubw,      op: IrVectorOp.SubI16);
        rows.Both(Mnemonic.Psubd,        &PackedInteger<Mmx>.Psubd,         &PackedInteger<Xmm>.Psubd,      op: IrVectorOp.SubI32);
        rows.Both(Mnemonic.Psubq,        &PackedInteger<Mmx>.Psubq,         &PackedInteger<Xmm>.Psubq,      op: IrVectorOp.SubI64);
        rows.Both(Mnemonic.Paddsb,       &PackedInteger<Mmx>.Paddsb,        &PackedInteger<Xmm>.Paddsb,     op: IrVectorOp.AddSaturateS8);
        rows.Both(Mnemonic.Paddsw,       &PackedInteger<Mmx>.Paddsw,        &PackedInteger<Xmm>.Paddsw,     op: IrVectorOp.AddSaturateS16);
        rows.Both(Mnemonic.Paddusb,      &PackedInteger<Mmx>.Paddusb,       &PackedInteger<Xmm>.Paddusb,    op: IrVectorOp.AddSaturateU8);
        rows.Both(Mnemonic.Paddusw,      &PackedInteger<Mmx>.Paddusw,       &PackedInteger<Xmm>.Paddusw,    op: IrVectorOp.AddSaturateU16);
        rows.Both(Mnemonic.Psubsb,       &PackedInteger<Mmx>.Psubsb,        &PackedInteger<Xmm>.Psubsb,     op: IrVectorOp.SubSaturateS8);
        rows.Both(Mnemonic.Psubsw,       &PackedInteger<Mmx>.Psubsw,        &PackedInteger<Xmm>.Psubsw,     op: IrVectorOp.SubSaturateS16);
        rows.Both(Mnemonic.Psubusb,      &PackedInteger<Mmx>.Psubusb,       &PackedInteger<Xmm>.Psubusb,    op: IrVectorOp.SubSaturateU8);
        rows.Both(Mnemonic.Psubusw,      &PackedInteger<Mmx>.Psubusw,       &PackedInteger<Xmm>.Psubusw,    op: IrVectorOp.SubSaturateU16);
        rows.Both(Mnemonic.Pcmpeqb,      &PackedInteger<Mmx>.Pcmpeqb,       &PackedInteger<Xmm>.Pcmpeqb,    op: IrVectorOp.EqualI8);
        rows.Both(Mnemonic.Pcmpeqw,      &PackedInteger<Mmx>.Pcmpeqw,       &PackedInteger<Xmm>.Pcmpeqw,    op: IrVectorOp.EqualI16);
        rows.Both(Mnemonic.Pcmpeqd,      &PackedInteger<Mmx>.Pcmpeqd,       &PackedInteger<Xmm>.Pcmpeqd,    op: IrVectorOp.EqualI32);
        rows.Both(Mnemonic.Pcmpgtb,      &PackedInteger<Mmx>.Pcmpgtb,       &PackedInteger<Xmm>.Pcmpgtb,    op: IrVectorOp.GreaterS8);
        rows.Both(Mnemonic.Pcmpgtw,      &PackedInteger<Mmx>.Pcmpgtw,       &PackedInteger<Xmm>.Pcmpgtw,    op: IrVectorOp.GreaterS16);
        rows.Both(Mnemonic.Pcmpgtd,      &PackedInteger<Mmx>.Pcmpgtd,       &PackedInteger<Xmm>.Pcmpgtd,    op: IrVectorOp.GreaterS32);
        rows.Both(Mnemonic.Pminub,       &PackedInteger<Mmx>.Pminub,        &PackedInteger<Xmm>.Pminub,     op: IrVectorOp.MinU8);
        rows.Both(Mnemonic.Pminsw,       &PackedInteger<Mmx>.Pminsw,        &PackedInteger<Xmm>.Pminsw,     op: IrVectorOp.MinS16);
        rows.Both(Mnemonic.Pmaxub,       &PackedInteger<Mmx>.Pmaxub,        &PackedInteger<Xmm>.Pmaxub,     op: IrVectorOp.MaxU8);
        rows.Both(Mnemonic.Pmaxsw,       &PackedInteger<Mmx>.Pmaxsw,        &PackedInteger<Xmm>.Pmaxsw,     op: IrVectorOp.MaxS16);
        rows.Both(Mnemonic.Pand,         &PackedInteger<Mmx>.Pand,          &PackedInteger<Xmm>.Pand,       op: IrVectorOp.And);
        rows.Both(Mnemonic.Por,          &PackedInteger<Mmx>.Por,           &PackedInteger<Xmm>.Por,        op: IrVectorOp.Or);
        rows.Both(Mnemonic.Pxor,         &PackedInteger<Mmx>.Pxor,          &PackedInteger<Xmm>.Pxor,       op: IrVectorOp.Xor);
        rows.Both(Mnemonic.Pandn,        &PackedInteger<Mmx>.Pandn,         &PackedInteger<Xmm>.Pandn,      op: IrVectorOp.AndNot);
        rows.Both(Mnemonic.Pabsb,        &PackedInteger<Mmx>.Pabsb,         &PackedInteger<Xmm>.Pabsb,      op: IrVectorOp.AbsI8);
        rows.Both(Mnemonic.Pabsw,        &PackedInteger<Mmx>.Pabsw,         &PackedInteger<Xmm>.Pabsw,      op: IrVectorOp.AbsI16);
        rows.Both(Mnemonic.Pabsd,        &PackedInteger<Mmx>.Pabsd,         &PackedInteger<Xmm>.Pabsd,      op: IrVectorOp.AbsI32);
        rows.Both(Mnemonic.Psignb,       &PackedInteger<Mmx>.Psignb,        &PackedInteger<Xmm>.Psignb,     op: IrVectorOp.SignI8);
        rows.Both(Mnemonic.Psignw,       &PackedInteger<Mmx>.Psignw,        &PackedInteger<Xmm>.Psignw,     op: IrVectorOp.SignI16);
        rows.Both(Mnemonic.Psignd,       &PackedInteger<Mmx>.Psignd,        &PackedInteger<Xmm>.Psignd,     op: IrVectorOp.SignI32);
        rows.Both(Mnemonic.Pmullw,       &PackedMultiply<Mmx>.Pmullw,       &PackedMultiply<Xmm>.Pmullw,    op: IrVectorOp.MulLowI16);
        rows.Both(Mnemonic.Pmulhw,       &PackedMultiply<Mmx>.Pmulhw,       &PackedMultiply<Xmm>.Pmulhw,    op: IrVectorOp.MulHighS16);
        rows.Both(Mnemonic.Pmulhuw,      &PackedMultiply<Mmx>.Pmulhuw,      &PackedMultiply<Xmm>.Pmulhuw,   op: IrVectorOp.MulHighU16);
        rows.Both(Mnemonic.Pmulhrsw,     &PackedMultiply<Mmx>.Pmulhrsw,     &PackedMultiply<Xmm>.Pmulhrsw,  op: IrVectorOp.MulRoundS16);
        rows.Both(Mnemonic.Pmaddwd,      &PackedMultiply<Mmx>.Pmaddwd,      &PackedMultiply<Xmm>.Pmaddwd,   op: IrVectorOp.MulAddPairsS16);
        rows.Both(Mnemonic.Pmaddubsw,    &PackedMultiply<Mmx>.Pmaddubsw,    &PackedMultiply<Xmm>.Pmaddubsw, op: IrVectorOp.MulAddPairsU8S8);
        rows.Both(Mnemonic.Pmuludq,      &PackedMultiply<Mmx>.Pmuludq,      &PackedMultiply<Xmm>.Pmuludq,   op: IrVectorOp.MulEvenU32);
        rows.Both(Mnemonic.Pavgb,        &PackedMultiply<Mmx>.Pavgb,        &PackedMultiply<Xmm>.Pavgb,     op: IrVectorOp.AverageU8);
        rows.Both(Mnemonic.Pavgw,        &PackedMultiply<Mmx>.Pavgw,        &PackedMultiply<Xmm>.Pavgw,     op: IrVectorOp.AverageU16);
        rows.Both(Mnemonic.Psadbw,       &PackedMultiply<Mmx>.Psadbw,       &PackedMultiply<Xmm>.Psadbw,    op: IrVectorOp.SumAbsDifferenceU8);
        rows.Both(Mnemonic.Phaddw,       &PackedMultiply<Mmx>.Phaddw,       &PackedMultiply<Xmm>.Phaddw,    op: IrVectorOp.HorizontalAddI16);
        rows.Both(Mnemonic.Phaddd,       &PackedMultiply<Mmx>.Phaddd,       &PackedMultiply<Xmm>.Phaddd,    op: IrVectorOp.HorizontalAddI32);
        rows.Both(Mnemonic.Phaddsw,      &PackedMultiply<Mmx>.Phaddsw,      &PackedMultiply<Xmm>.Phaddsw,   op: IrVectorOp.HorizontalAddSaturateS16);
        rows.Both(Mnemonic.Phsubw,       &PackedMultiply<Mmx>.Phsubw,       &PackedMultiply<Xmm>.Phsubw,    op: IrVectorOp.HorizontalSubI16);
        rows.Both(Mnemonic.Phsubd,       &PackedMultiply<Mmx>.Phsubd,       &PackedMultiply<Xmm>.Phsubd,    op: IrVectorOp.HorizontalSubI32);
        rows.Both(Mnemonic.Phsubsw,      &PackedMultiply<Mmx>.Phsubsw,      &PackedMultiply<Xmm>.Phsubsw,   op: IrVectorOp.HorizontalSubSaturateS16);

        rows.Xmm(Mnemonic.Pcmpeqq,      &PackedInteger<Xmm>.Pcmpeqq, op: IrVectorOp.EqualI64);
        rows.Xmm(Mnemonic.Pcmpgtq,      &PackedInteger<Xmm>.Pcmpgtq, op: IrVectorOp.GreaterS64);
        rows.Xmm(Mnemonic.Pminsb,       &PackedInteger<Xmm>.Pminsb,  op: IrVectorOp.MinS8);
        rows.Xmm(Mnemonic.Pminsd,       &PackedInteger<Xmm>.Pminsd,  op: IrVectorOp.MinS32);
        rows.Xmm(Mnemonic.Pminuw,       &PackedInteger<Xmm>.Pminuw,  op: IrVectorOp.MinU16);
        rows.Xmm(Mnemonic.Pminud,       &PackedInteger<Xmm>.Pminud,  op: IrVectorOp.MinU32);
        rows.Xmm(Mnemonic.Pmaxsb,       &PackedInteger<Xmm>.Pmaxsb,  op: IrVectorOp.MaxS8);
        rows.Xmm(Mnemonic.Pmaxsd,       &PackedInteger<Xmm>.Pmaxsd,  op: IrVectorOp.MaxS32);
        rows.Xmm(Mnemonic.Pmaxuw,       &PackedInteger<Xmm>.Pmaxuw,  op: IrVectorOp.MaxU16);
        rows.Xmm(Mnemonic.Pmaxud,       &PackedInteger<Xmm>.Pmaxud,  op: IrVectorOp.MaxU32);
        rows.Xmm(Mnemonic.Pmulld,       &PackedMultiply<Xmm>.Pmulld, op: IrVectorOp.MulLowI32);
        rows.Xmm(Mnemonic.Pmuldq,       &PackedMultiply<Xmm>.Pmuldq, op: IrVectorOp.MulEvenS32);

        rows.Xmm(Mnemonic.Andps,        &PackedInteger<Xmm>.Pand,  op: IrVectorOp.And);
        rows.Xmm(Mnemonic.Andpd,        &PackedInteger<Xmm>.Pand,  op: IrVectorOp.And);
        rows.Xmm(Mnemonic.Andnps,       &PackedInteger<Xmm>.Pandn, op: IrVectorOp.AndNot);
        rows.Xmm(Mnemonic.Andnpd,       &PackedInteger<Xmm>.Pandn, op: IrVectorOp.AndNot);
        rows.Xmm(Mnemonic.Orps,         &PackedInteger<Xmm>.Por,   op: IrVectorOp.Or);
        rows.Xmm(Mnemonic.Orpd,         &PackedInteger<Xmm>.Por,   op: IrVectorOp.Or);
        rows.Xmm(Mnemonic.Xorps,        &PackedInteger<Xmm>.Pxor,  op: IrVectorOp.Xor);
        rows.Xmm(Mnemonic.Xorpd,        &PackedInteger<Xmm>.Pxor,  op: IrVectorOp.Xor);
    }

    private static void AddShifts(Rows rows)
    {
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psllw,  &PackedShift<Xmm, VariableCount>.Psllw,  16, op: IrVectorOp.ShiftLeftI16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psllw,  &PackedShift<Mmx, VariableCount>.Psllw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psllw,  &PackedShift<Xmm, ImmediateCount>.Psllw, 0,  op: IrVectorOp.ShiftLeftImmediateI16);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psllw,  &PackedShift<Mmx, ImmediateCount>.Psllw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Pslld,  &PackedShift<Xmm, VariableCount>.Pslld,  16, op: IrVectorOp.ShiftLeftI32);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Pslld,  &PackedShift<Mmx, VariableCount>.Pslld,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Pslld,  &PackedShift<Xmm, ImmediateCount>.Pslld, 0,  op: IrVectorOp.ShiftLeftImmediateI32);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Pslld,  &PackedShift<Mmx, ImmediateCount>.Pslld, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psllq,  &PackedShift<Xmm, VariableCount>.Psllq,  16, op: IrVectorOp.ShiftLeftI64);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psllq,  &PackedShift<Mmx, VariableCount>.Psllq,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psllq,  &PackedShift<Xmm, ImmediateCount>.Psllq, 0,  op: IrVectorOp.ShiftLeftImmediateI64);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psllq,  &PackedShift<Mmx, ImmediateCount>.Psllq, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrlw,  &PackedShift<Xmm, VariableCount>.Psrlw,  16, op: IrVectorOp.ShiftRightI16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrlw,  &PackedShift<Mmx, VariableCount>.Psrlw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrlw,  &PackedShift<Xmm, ImmediateCount>.Psrlw, 0,  op: IrVectorOp.ShiftRightImmediateI16);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrlw,  &PackedShift<Mmx, ImmediateCount>.Psrlw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrld,  &PackedShift<Xmm, VariableCount>.Psrld,  16, op: IrVectorOp.ShiftRightI32);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrld,  &PackedShift<Mmx, VariableCount>.Psrld,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrld,  &PackedShift<Xmm, ImmediateCount>.Psrld, 0,  op: IrVectorOp.ShiftRightImmediateI32);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrld,  &PackedShift<Mmx, ImmediateCount>.Psrld, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrlq,  &PackedShift<Xmm, VariableCount>.Psrlq,  16, op: IrVectorOp.ShiftRightI64);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrlq,  &PackedShift<Mmx, VariableCount>.Psrlq,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrlq,  &PackedShift<Xmm, ImmediateCount>.Psrlq, 0,  op: IrVectorOp.ShiftRightImmediateI64);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrlq,  &PackedShift<Mmx, ImmediateCount>.Psrlq, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psraw,  &PackedShift<Xmm, VariableCount>.Psraw,  16, op: IrVectorOp.ShiftRightArithmeticI16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psraw,  &PackedShift<Mmx, VariableCount>.Psraw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psraw,  &PackedShift<Xmm, ImmediateCount>.Psraw, 0,  op: IrVectorOp.ShiftRightArithmeticImmediateI16);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psraw,  &PackedShift<Mmx, ImmediateCount>.Psraw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrad,  &PackedShift<Xmm, VariableCount>.Psrad,  16, op: IrVectorOp.ShiftRightArithmeticI32);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrad,  &PackedShift<Mmx, VariableCount>.Psrad,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrad,  &PackedShift<Xmm, ImmediateCount>.Psrad, 0,  op: IrVectorOp.ShiftRightArithmeticImmediateI32);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrad,  &PackedShift<Mmx, ImmediateCount>.Psrad, 0);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Pslldq, &XmmShuffle.Pslldq, 0,                       op: IrVectorOp.ShiftLeftBytes);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrldq, &XmmShuffle.Psrldq, 0,                       op: IrVectorOp.ShiftRightBytes);
    }

    private static void AddShuffles(Rows rows)
    {
        rows.Both(Mnemonic.Punpcklbw,    &PackedShuffle<Mmx>.Punpcklbw,     &PackedShuffle<Xmm>.Punpcklbw, mmxBytes: 4, op: IrVectorOp.InterleaveLowI8);
        rows.Both(Mnemonic.Punpcklwd,    &PackedShuffle<Mmx>.Punpcklwd,     &PackedShuffle<Xmm>.Punpcklwd, mmxBytes: 4, op: IrVectorOp.InterleaveLowI16);
        rows.Both(Mnemonic.Punpckldq,    &PackedShuffle<Mmx>.Punpckldq,     &PackedShuffle<Xmm>.Punpckldq, mmxBytes: 4, op: IrVectorOp.InterleaveLowI32);
        rows.Both(Mnemonic.Punpckhbw,    &PackedShuffle<Mmx>.Punpckhbw,     &PackedShuffle<Xmm>.Punpckhbw,              op: IrVectorOp.InterleaveHighI8);
        rows.Both(Mnemonic.Punpckhwd,    &PackedShuffle<Mmx>.Punpckhwd,     &PackedShuffle<Xmm>.Punpckhwd,              op: IrVectorOp.InterleaveHighI16);
        rows.Both(Mnemonic.Punpckhdq,    &PackedShuffle<Mmx>.Punpckhdq,     &PackedShuffle<Xmm>.Punpckhdq,              op: IrVectorOp.InterleaveHighI32);
        rows.Both(Mnemonic.Packsswb,     &PackedShuffle<Mmx>.Packsswb,      &PackedShuffle<Xmm>.Packsswb,               op: IrVectorOp.PackS16ToS8);
        rows.Both(Mnemonic.Packssdw,     &PackedShuffle<Mmx>.Packssdw,      &PackedShuffle<Xmm>.Packssdw,               op: IrVectorOp.PackS32ToS16);
        rows.Both(Mnemonic.Packuswb,     &PackedShuffle<Mmx>.Packuswb,      &PackedShuffle<Xmm>.Packuswb,               op: IrVectorOp.PackS16ToU8);
        rows.Both(Mnemonic.Pshufb,       &PackedShuffle<Mmx>.Pshufb,        &PackedShuffle<Xmm>.Pshufb,                 op: IrVectorOp.ShuffleBytes);
        rows.Both(Mnemonic.Palignr,      &PackedShuffle<Mmx>.Palignr,       &PackedShuffle<Xmm>.Palignr,                op: IrVectorOp.AlignRight);
        rows.Both(Mnemonic.Pinsrw,       &PackedShuffle<Mmx>.Pinsrw,        &PackedShuffle<Xmm>.Pinsrw, 2, 2,           op: IrVectorOp.InsertI16);

        rows.Xmm(Mnemonic.Packusdw,     &PackedShuffle<Xmm>.Packusdw,  op: IrVectorOp.PackS32ToU16);
        rows.Xmm(Mnemonic.Unpcklps,     &PackedShuffle<Xmm>.Punpckldq, op: IrVectorOp.InterleaveLowI32);
        rows.Xmm(Mnemonic.Unpckhps,     &PackedShuffle<Xmm>.Punpckhdq, op: IrVectorOp.InterleaveHighI32);
        rows.Xmm(Mnemonic.Punpcklqdq,   &XmmShuffle.Punpcklqdq,        op: IrVectorOp.InterleaveLowI64);
        rows.Xmm(Mnemonic.Punpckhqdq,   &XmmShuffle.Punpckhqdq,        op: IrVectorOp.InterleaveHighI64);
        rows.Xmm(Mnemonic.Unpcklpd,     &XmmShuffle.Punpcklqdq,        op: IrVectorOp.InterleaveLowI64);
        rows.Xmm(Mnemonic.Unpckhpd,     &XmmShuffle.Punpckhqdq,        op: IrVectorOp.InterleaveHighI64);
        rows.Xmm(Mnemonic.Pshufd,       &XmmShuffle.Pshufd,            op: IrVectorOp.ShuffleI32);
        rows.Xmm(Mnemonic.Pshuflw,      &XmmShuffle.Pshuflw,           op: IrVectorOp.ShuffleLowI16);
        rows.Xmm(Mnemonic.Pshufhw,      &XmmShuffle.Pshufhw,           op: IrVectorOp.ShuffleHighI16);
        rows.Xmm(Mnemonic.Shufps,       &XmmShuffle.Shufps,            op: IrVectorOp.ShufflePairI32);
        rows.Xmm(Mnemonic.Shufpd,       &XmmShuffle.Shufpd,            op: IrVectorOp.ShufflePairI64);
        rows.Xmm(Mnemonic.Movsldup,     &XmmShuffle.Movsldup,          op: IrVectorOp.DuplicateEvenI32);
        rows.Xmm(Mnemonic.Movshdup,     &XmmShuffle.Movshdup,          op: IrVectorOp.DuplicateOddI32);
        rows.Xmm(Mnemonic.Pblendw,      &XmmShuffle.Pblendw,           op: IrVectorOp.BlendI16);
        rows.Xmm(Mnemonic.Blendps,      &XmmShuffle.Blendps,           op: IrVectorOp.BlendI32);
        rows.Xmm(Mnemonic.Blendpd,      &XmmShuffle.Blendpd,           op: IrVectorOp.BlendI64);
        rows.Xmm(Mnemonic.Pblendvb,     &XmmShuffle.Pblendvb);
        rows.Xmm(Mnemonic.Blendvps,     &XmmShuffle.Blendvps);
        rows.Xmm(Mnemonic.Blendvpd,     &XmmShuffle.Blendvpd);
        rows.Xmm(Mnemonic.Phminposuw,   &XmmShuffle.Phminposuw);
        rows.Xmm(Mnemonic.Mpsadbw,      &XmmShuffle.Mpsadbw);
        rows.Xmm(Mnemonic.Movhlps,      &XmmShuffle.Movhlps, 0,        op: IrVectorOp.MoveHighToLow);
        rows.Xmm(Mnemonic.Movlhps,      &XmmShuffle.Punpcklqdq, 0,     op: IrVectorOp.InterleaveLowI64);
        rows.Xmm(Mnemonic.Movddup,      &XmmShuffle.Movddup, 8,        op: IrVectorOp.DuplicateLowI64);
        rows.Xmm(Mnemonic.Movq2dq,      &XmmShuffle.MoveLowQword, 0);
        rows.Xmm(Mnemonic.Pinsrb,       &XmmShuffle.Pinsrb, 1,         op: IrVectorOp.InsertI8);
        rows.Xmm(Mnemonic.Pinsrd,       &XmmShuffle.Pinsrd, 4,         op: IrVectorOp.InsertI32);
        rows.Xmm(Mnemonic.Pinsrq,       &XmmShuffle.Pinsrq, 8,         op: IrVectorOp.InsertI64);
        rows.Xmm(Mnemonic.Insertps,     &XmmShuffle.Insertps, 0);
        rows.Xmm(Mnemonic.Pmovsxbw,     &PackedExtend.Pmovsxbw, 8,     op: IrVectorOp.ExtendS8To16);
        rows.Xmm(Mnemonic.Pmovsxbd,     &PackedExtend.Pmovsxbd, 4,     op: IrVectorOp.ExtendS8To32);
        rows.Xmm(Mnemonic.Pmovsxbq,     &PackedExtend.Pmovsxbq, 2,     op: IrVectorOp.ExtendS8To64);
        rows.Xmm(Mnemonic.Pmovsxwd,     &PackedExtend.Pmovsxwd, 8,     op: IrVectorOp.ExtendS16To32);
        rows.Xmm(Mnemonic.Pmovsxwq,     &PackedExtend.Pmovsxwq, 4,     op: IrVectorOp.ExtendS16To64);
        rows.Xmm(Mnemonic.Pmovsxdq,     &PackedExtend.Pmovsxdq, 8,     op: IrVectorOp.ExtendS32To64);
        rows.Xmm(Mnemonic.Pmovzxbw,     &PackedExtend.Pmovzxbw, 8,     op: IrVectorOp.ExtendU8To16);
        rows.Xmm(Mnemonic.Pmovzxbd,     &PackedExtend.Pmovzxbd, 4,     op: IrVectorOp.ExtendU8To32);
        rows.Xmm(Mnemonic.Pmovzxbq,     &PackedExtend.Pmovzxbq, 2,     op: IrVectorOp.ExtendU8To64);
        rows.Xmm(Mnemonic.Pmovzxwd,     &PackedExtend.Pmovzxwd, 8,     op: IrVectorOp.ExtendU16To32);
        rows.Xmm(Mnemonic.Pmovzxwq,     &PackedExtend.Pmovzxwq, 4,     op: IrVectorOp.ExtendU16To64);
        rows.Xmm(Mnemonic.Pmovzxdq,     &PackedExtend.Pmovzxdq, 8,     op: IrVectorOp.ExtendU32To64);

        rows.Vector(SimdForm.XmmMemory, Mnemonic.Insertps, &XmmShuffle.InsertpsMemory, 4);
        rows.Vector(SimdForm.Mmx, Mnemonic.Pshufw,  &XmmShuffle.Pshufw,  8);
        rows.Vector(SimdForm.Mmx, Mnemonic.Movdq2q, &XmmShuffle.Movdq2q, 0);

        rows.Value(SimdForm.Mmx, Mnemonic.Pextrw,     &PackedShuffle<Mmx>.Pextrw,    0);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrw,     &PackedShuffle<Xmm>.Pextrw,    2, op: IrVectorOp.ExtractI16);
        rows.Value(SimdForm.Mmx, Mnemonic.Pmovmskb,   &PackedShuffle<Mmx>.Pmovmskb,  0);
        rows.Value(SimdForm.Xmm, Mnemonic.Pmovmskb,   &PackedShuffle<Xmm>.Pmovmskb,  0, op: IrVectorOp.SignMaskI8);
        rows.Value(SimdForm.Xmm, Mnemonic.Movmskps,   &XmmShuffle.Movmskps,          0, op: IrVectorOp.SignMaskI32);
        rows.Value(SimdForm.Xmm, Mnemonic.Movmskpd,   &XmmShuffle.Movmskpd,          0, op: IrVectorOp.SignMaskI64);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrb,     &XmmShuffle.Pextrb,            1, op: IrVectorOp.ExtractI8);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrd,     &XmmShuffle.Pextrd,            4, op: IrVectorOp.ExtractI32);
        rows.Value(SimdForm.Xmm, Mnemonic.Extractps,  &XmmShuffle.Pextrd,            4, op: IrVectorOp.ExtractI32);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrq,     &XmmShuffle.Pextrq,            8, op: IrVectorOp.ExtractI64);
        rows.Value(SimdForm.Xmm, Mnemonic.Ptest,     &XmmShuffle.Ptest,             16, SimdResult.Flags);
    }
}
