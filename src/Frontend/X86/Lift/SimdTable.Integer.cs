using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>Rows of the integer, shift and shuffle instructions.</content>
public static unsafe partial class SimdTable
{
    private static void AddInteger(Rows rows)
    {
        rows.Both(Mnemonic.Paddb,        &PackedInteger<Mmx>.Paddb,         &PackedInteger<Xmm>.Paddb);
        rows.Both(Mnemonic.Paddw,        &PackedInteger<Mmx>.Paddw,         &PackedInteger<Xmm>.Paddw);
        rows.Both(Mnemonic.Paddd,        &PackedInteger<Mmx>.Paddd,         &PackedInteger<Xmm>.Paddd);
        rows.Both(Mnemonic.Paddq,        &PackedInteger<Mmx>.Paddq,         &PackedInteger<Xmm>.Paddq);
        rows.Both(Mnemonic.Psubb,        &PackedInteger<Mmx>.Psubb,         &PackedInteger<Xmm>.Psubb);
        rows.Both(Mnemonic.Psubw,        &PackedInteger<Mmx>.Psubw,         &PackedInteger<Xmm>.Psubw);
        rows.Both(Mnemonic.Psubd,        &PackedInteger<Mmx>.Psubd,         &PackedInteger<Xmm>.Psubd);
        rows.Both(Mnemonic.Psubq,        &PackedInteger<Mmx>.Psubq,         &PackedInteger<Xmm>.Psubq);
        rows.Both(Mnemonic.Paddsb,       &PackedInteger<Mmx>.Paddsb,        &PackedInteger<Xmm>.Paddsb);
        rows.Both(Mnemonic.Paddsw,       &PackedInteger<Mmx>.Paddsw,        &PackedInteger<Xmm>.Paddsw);
        rows.Both(Mnemonic.Paddusb,      &PackedInteger<Mmx>.Paddusb,       &PackedInteger<Xmm>.Paddusb);
        rows.Both(Mnemonic.Paddusw,      &PackedInteger<Mmx>.Paddusw,       &PackedInteger<Xmm>.Paddusw);
        rows.Both(Mnemonic.Psubsb,       &PackedInteger<Mmx>.Psubsb,        &PackedInteger<Xmm>.Psubsb);
        rows.Both(Mnemonic.Psubsw,       &PackedInteger<Mmx>.Psubsw,        &PackedInteger<Xmm>.Psubsw);
        rows.Both(Mnemonic.Psubusb,      &PackedInteger<Mmx>.Psubusb,       &PackedInteger<Xmm>.Psubusb);
        rows.Both(Mnemonic.Psubusw,      &PackedInteger<Mmx>.Psubusw,       &PackedInteger<Xmm>.Psubusw);
        rows.Both(Mnemonic.Pcmpeqb,      &PackedInteger<Mmx>.Pcmpeqb,       &PackedInteger<Xmm>.Pcmpeqb);
        rows.Both(Mnemonic.Pcmpeqw,      &PackedInteger<Mmx>.Pcmpeqw,       &PackedInteger<Xmm>.Pcmpeqw);
        rows.Both(Mnemonic.Pcmpeqd,      &PackedInteger<Mmx>.Pcmpeqd,       &PackedInteger<Xmm>.Pcmpeqd);
        rows.Both(Mnemonic.Pcmpgtb,      &PackedInteger<Mmx>.Pcmpgtb,       &PackedInteger<Xmm>.Pcmpgtb);
        rows.Both(Mnemonic.Pcmpgtw,      &PackedInteger<Mmx>.Pcmpgtw,       &PackedInteger<Xmm>.Pcmpgtw);
        rows.Both(Mnemonic.Pcmpgtd,      &PackedInteger<Mmx>.Pcmpgtd,       &PackedInteger<Xmm>.Pcmpgtd);
        rows.Both(Mnemonic.Pminub,       &PackedInteger<Mmx>.Pminub,        &PackedInteger<Xmm>.Pminub);
        rows.Both(Mnemonic.Pminsw,       &PackedInteger<Mmx>.Pminsw,        &PackedInteger<Xmm>.Pminsw);
        rows.Both(Mnemonic.Pmaxub,       &PackedInteger<Mmx>.Pmaxub,        &PackedInteger<Xmm>.Pmaxub);
        rows.Both(Mnemonic.Pmaxsw,       &PackedInteger<Mmx>.Pmaxsw,        &PackedInteger<Xmm>.Pmaxsw);
        rows.Both(Mnemonic.Pand,         &PackedInteger<Mmx>.Pand,          &PackedInteger<Xmm>.Pand);
        rows.Both(Mnemonic.Por,          &PackedInteger<Mmx>.Por,           &PackedInteger<Xmm>.Por);
        rows.Both(Mnemonic.Pxor,         &PackedInteger<Mmx>.Pxor,          &PackedInteger<Xmm>.Pxor);
        rows.Both(Mnemonic.Pandn,        &PackedInteger<Mmx>.Pandn,         &PackedInteger<Xmm>.Pandn);
        rows.Both(Mnemonic.Pabsb,        &PackedInteger<Mmx>.Pabsb,         &PackedInteger<Xmm>.Pabsb);
        rows.Both(Mnemonic.Pabsw,        &PackedInteger<Mmx>.Pabsw,         &PackedInteger<Xmm>.Pabsw);
        rows.Both(Mnemonic.Pabsd,        &PackedInteger<Mmx>.Pabsd,         &PackedInteger<Xmm>.Pabsd);
        rows.Both(Mnemonic.Psignb,       &PackedInteger<Mmx>.Psignb,        &PackedInteger<Xmm>.Psignb);
        rows.Both(Mnemonic.Psignw,       &PackedInteger<Mmx>.Psignw,        &PackedInteger<Xmm>.Psignw);
        rows.Both(Mnemonic.Psignd,       &PackedInteger<Mmx>.Psignd,        &PackedInteger<Xmm>.Psignd);
        rows.Both(Mnemonic.Pmullw,       &PackedMultiply<Mmx>.Pmullw,       &PackedMultiply<Xmm>.Pmullw);
        rows.Both(Mnemonic.Pmulhw,       &PackedMultiply<Mmx>.Pmulhw,       &PackedMultiply<Xmm>.Pmulhw);
        rows.Both(Mnemonic.Pmulhuw,      &PackedMultiply<Mmx>.Pmulhuw,      &PackedMultiply<Xmm>.Pmulhuw);
        rows.Both(Mnemonic.Pmulhrsw,     &PackedMultiply<Mmx>.Pmulhrsw,     &PackedMultiply<Xmm>.Pmulhrsw);
        rows.Both(Mnemonic.Pmaddwd,      &PackedMultiply<Mmx>.Pmaddwd,      &PackedMultiply<Xmm>.Pmaddwd);
        rows.Both(Mnemonic.Pmaddubsw,    &PackedMultiply<Mmx>.Pmaddubsw,    &PackedMultiply<Xmm>.Pmaddubsw);
        rows.Both(Mnemonic.Pmuludq,      &PackedMultiply<Mmx>.Pmuludq,      &PackedMultiply<Xmm>.Pmuludq);
        rows.Both(Mnemonic.Pavgb,        &PackedMultiply<Mmx>.Pavgb,        &PackedMultiply<Xmm>.Pavgb);
        rows.Both(Mnemonic.Pavgw,        &PackedMultiply<Mmx>.Pavgw,        &PackedMultiply<Xmm>.Pavgw);
        rows.Both(Mnemonic.Psadbw,       &PackedMultiply<Mmx>.Psadbw,       &PackedMultiply<Xmm>.Psadbw);
        rows.Both(Mnemonic.Phaddw,       &PackedMultiply<Mmx>.Phaddw,       &PackedMultiply<Xmm>.Phaddw);
        rows.Both(Mnemonic.Phaddd,       &PackedMultiply<Mmx>.Phaddd,       &PackedMultiply<Xmm>.Phaddd);
        rows.Both(Mnemonic.Phaddsw,      &PackedMultiply<Mmx>.Phaddsw,      &PackedMultiply<Xmm>.Phaddsw);
        rows.Both(Mnemonic.Phsubw,       &PackedMultiply<Mmx>.Phsubw,       &PackedMultiply<Xmm>.Phsubw);
        rows.Both(Mnemonic.Phsubd,       &PackedMultiply<Mmx>.Phsubd,       &PackedMultiply<Xmm>.Phsubd);
        rows.Both(Mnemonic.Phsubsw,      &PackedMultiply<Mmx>.Phsubsw,      &PackedMultiply<Xmm>.Phsubsw);

        rows.Xmm(Mnemonic.Pcmpeqq,      &PackedInteger<Xmm>.Pcmpeqq);
        rows.Xmm(Mnemonic.Pcmpgtq,      &PackedInteger<Xmm>.Pcmpgtq);
        rows.Xmm(Mnemonic.Pminsb,       &PackedInteger<Xmm>.Pminsb);
        rows.Xmm(Mnemonic.Pminsd,       &PackedInteger<Xmm>.Pminsd);
        rows.Xmm(Mnemonic.Pminuw,       &PackedInteger<Xmm>.Pminuw);
        rows.Xmm(Mnemonic.Pminud,       &PackedInteger<Xmm>.Pminud);
        rows.Xmm(Mnemonic.Pmaxsb,       &PackedInteger<Xmm>.Pmaxsb);
        rows.Xmm(Mnemonic.Pmaxsd,       &PackedInteger<Xmm>.Pmaxsd);
        rows.Xmm(Mnemonic.Pmaxuw,       &PackedInteger<Xmm>.Pmaxuw);
        rows.Xmm(Mnemonic.Pmaxud,       &PackedInteger<Xmm>.Pmaxud);
        rows.Xmm(Mnemonic.Pmulld,       &PackedMultiply<Xmm>.Pmulld);
        rows.Xmm(Mnemonic.Pmuldq,       &PackedMultiply<Xmm>.Pmuldq);

        rows.Xmm(Mnemonic.Andps,        &PackedInteger<Xmm>.Pand);
        rows.Xmm(Mnemonic.Andpd,        &PackedInteger<Xmm>.Pand);
        rows.Xmm(Mnemonic.Andnps,       &PackedInteger<Xmm>.Pandn);
        rows.Xmm(Mnemonic.Andnpd,       &PackedInteger<Xmm>.Pandn);
        rows.Xmm(Mnemonic.Orps,         &PackedInteger<Xmm>.Por);
        rows.Xmm(Mnemonic.Orpd,         &PackedInteger<Xmm>.Por);
        rows.Xmm(Mnemonic.Xorps,        &PackedInteger<Xmm>.Pxor);
        rows.Xmm(Mnemonic.Xorpd,        &PackedInteger<Xmm>.Pxor);
    }

    private static void AddShifts(Rows rows)
    {
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psllw,  &PackedShift<Xmm, VariableCount>.Psllw,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psllw,  &PackedShift<Mmx, VariableCount>.Psllw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psllw,  &PackedShift<Xmm, ImmediateCount>.Psllw, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psllw,  &PackedShift<Mmx, ImmediateCount>.Psllw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Pslld,  &PackedShift<Xmm, VariableCount>.Pslld,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Pslld,  &PackedShift<Mmx, VariableCount>.Pslld,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Pslld,  &PackedShift<Xmm, ImmediateCount>.Pslld, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Pslld,  &PackedShift<Mmx, ImmediateCount>.Pslld, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psllq,  &PackedShift<Xmm, VariableCount>.Psllq,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psllq,  &PackedShift<Mmx, VariableCount>.Psllq,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psllq,  &PackedShift<Xmm, ImmediateCount>.Psllq, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psllq,  &PackedShift<Mmx, ImmediateCount>.Psllq, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrlw,  &PackedShift<Xmm, VariableCount>.Psrlw,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrlw,  &PackedShift<Mmx, VariableCount>.Psrlw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrlw,  &PackedShift<Xmm, ImmediateCount>.Psrlw, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrlw,  &PackedShift<Mmx, ImmediateCount>.Psrlw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrld,  &PackedShift<Xmm, VariableCount>.Psrld,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrld,  &PackedShift<Mmx, VariableCount>.Psrld,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrld,  &PackedShift<Xmm, ImmediateCount>.Psrld, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrld,  &PackedShift<Mmx, ImmediateCount>.Psrld, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrlq,  &PackedShift<Xmm, VariableCount>.Psrlq,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrlq,  &PackedShift<Mmx, VariableCount>.Psrlq,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrlq,  &PackedShift<Xmm, ImmediateCount>.Psrlq, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrlq,  &PackedShift<Mmx, ImmediateCount>.Psrlq, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psraw,  &PackedShift<Xmm, VariableCount>.Psraw,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psraw,  &PackedShift<Mmx, VariableCount>.Psraw,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psraw,  &PackedShift<Xmm, ImmediateCount>.Psraw, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psraw,  &PackedShift<Mmx, ImmediateCount>.Psraw, 0);
        rows.Vector(SimdForm.Xmm,          Mnemonic.Psrad,  &PackedShift<Xmm, VariableCount>.Psrad,  16);
        rows.Vector(SimdForm.Mmx,          Mnemonic.Psrad,  &PackedShift<Mmx, VariableCount>.Psrad,  8);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrad,  &PackedShift<Xmm, ImmediateCount>.Psrad, 0);
        rows.Vector(SimdForm.MmxImmediate, Mnemonic.Psrad,  &PackedShift<Mmx, ImmediateCount>.Psrad, 0);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Pslldq, &XmmShuffle.Pslldq, 0);
        rows.Vector(SimdForm.XmmImmediate, Mnemonic.Psrldq, &XmmShuffle.Psrldq, 0);
    }

    private static void AddShuffles(Rows rows)
    {
        rows.Both(Mnemonic.Punpcklbw,    &PackedShuffle<Mmx>.Punpcklbw,     &PackedShuffle<Xmm>.Punpcklbw, mmxBytes: 4);
        rows.Both(Mnemonic.Punpcklwd,    &PackedShuffle<Mmx>.Punpcklwd,     &PackedShuffle<Xmm>.Punpcklwd, mmxBytes: 4);
        rows.Both(Mnemonic.Punpckldq,    &PackedShuffle<Mmx>.Punpckldq,     &PackedShuffle<Xmm>.Punpckldq, mmxBytes: 4);
        rows.Both(Mnemonic.Punpckhbw,    &PackedShuffle<Mmx>.Punpckhbw,     &PackedShuffle<Xmm>.Punpckhbw);
        rows.Both(Mnemonic.Punpckhwd,    &PackedShuffle<Mmx>.Punpckhwd,     &PackedShuffle<Xmm>.Punpckhwd);
        rows.Both(Mnemonic.Punpckhdq,    &PackedShuffle<Mmx>.Punpckhdq,     &PackedShuffle<Xmm>.Punpckhdq);
        rows.Both(Mnemonic.Packsswb,     &PackedShuffle<Mmx>.Packsswb,      &PackedShuffle<Xmm>.Packsswb);
        rows.Both(Mnemonic.Packssdw,     &PackedShuffle<Mmx>.Packssdw,      &PackedShuffle<Xmm>.Packssdw);
        rows.Both(Mnemonic.Packuswb,     &PackedShuffle<Mmx>.Packuswb,      &PackedShuffle<Xmm>.Packuswb);
        rows.Both(Mnemonic.Pshufb,       &PackedShuffle<Mmx>.Pshufb,        &PackedShuffle<Xmm>.Pshufb);
        rows.Both(Mnemonic.Palignr,      &PackedShuffle<Mmx>.Palignr,       &PackedShuffle<Xmm>.Palignr);
        rows.Both(Mnemonic.Pinsrw,       &PackedShuffle<Mmx>.Pinsrw,        &PackedShuffle<Xmm>.Pinsrw, 2, 2);

        rows.Xmm(Mnemonic.Packusdw,     &PackedShuffle<Xmm>.Packusdw);
        rows.Xmm(Mnemonic.Unpcklps,     &PackedShuffle<Xmm>.Punpckldq);
        rows.Xmm(Mnemonic.Unpckhps,     &PackedShuffle<Xmm>.Punpckhdq);
        rows.Xmm(Mnemonic.Punpcklqdq,   &XmmShuffle.Punpcklqdq);
        rows.Xmm(Mnemonic.Punpckhqdq,   &XmmShuffle.Punpckhqdq);
        rows.Xmm(Mnemonic.Unpcklpd,     &XmmShuffle.Punpcklqdq);
        rows.Xmm(Mnemonic.Unpckhpd,     &XmmShuffle.Punpckhqdq);
        rows.Xmm(Mnemonic.Pshufd,       &XmmShuffle.Pshufd);
        rows.Xmm(Mnemonic.Pshuflw,      &XmmShuffle.Pshuflw);
        rows.Xmm(Mnemonic.Pshufhw,      &XmmShuffle.Pshufhw);
        rows.Xmm(Mnemonic.Shufps,       &XmmShuffle.Shufps);
        rows.Xmm(Mnemonic.Shufpd,       &XmmShuffle.Shufpd);
        rows.Xmm(Mnemonic.Movsldup,     &XmmShuffle.Movsldup);
        rows.Xmm(Mnemonic.Movshdup,     &XmmShuffle.Movshdup);
        rows.Xmm(Mnemonic.Pblendw,      &XmmShuffle.Pblendw);
        rows.Xmm(Mnemonic.Blendps,      &XmmShuffle.Blendps);
        rows.Xmm(Mnemonic.Blendpd,      &XmmShuffle.Blendpd);
        rows.Xmm(Mnemonic.Pblendvb,     &XmmShuffle.Pblendvb);
        rows.Xmm(Mnemonic.Blendvps,     &XmmShuffle.Blendvps);
        rows.Xmm(Mnemonic.Blendvpd,     &XmmShuffle.Blendvpd);
        rows.Xmm(Mnemonic.Phminposuw,   &XmmShuffle.Phminposuw);
        rows.Xmm(Mnemonic.Mpsadbw,      &XmmShuffle.Mpsadbw);
        rows.Xmm(Mnemonic.Movhlps,      &XmmShuffle.Movhlps, 0);
        rows.Xmm(Mnemonic.Movlhps,      &XmmShuffle.Punpcklqdq, 0);
        rows.Xmm(Mnemonic.Movddup,      &XmmShuffle.Movddup, 8);
        rows.Xmm(Mnemonic.Movq2dq,      &XmmShuffle.MoveLowQword, 0);
        rows.Xmm(Mnemonic.Pinsrb,       &XmmShuffle.Pinsrb, 1);
        rows.Xmm(Mnemonic.Pinsrd,       &XmmShuffle.Pinsrd, 4);
        rows.Xmm(Mnemonic.Pinsrq,       &XmmShuffle.Pinsrq, 8);
        rows.Xmm(Mnemonic.Insertps,     &XmmShuffle.Insertps, 0);
        rows.Xmm(Mnemonic.Pmovsxbw,     &PackedExtend.Pmovsxbw, 8);
        rows.Xmm(Mnemonic.Pmovsxbd,     &PackedExtend.Pmovsxbd, 4);
        rows.Xmm(Mnemonic.Pmovsxbq,     &PackedExtend.Pmovsxbq, 2);
        rows.Xmm(Mnemonic.Pmovsxwd,     &PackedExtend.Pmovsxwd, 8);
        rows.Xmm(Mnemonic.Pmovsxwq,     &PackedExtend.Pmovsxwq, 4);
        rows.Xmm(Mnemonic.Pmovsxdq,     &PackedExtend.Pmovsxdq, 8);
        rows.Xmm(Mnemonic.Pmovzxbw,     &PackedExtend.Pmovzxbw, 8);
        rows.Xmm(Mnemonic.Pmovzxbd,     &PackedExtend.Pmovzxbd, 4);
        rows.Xmm(Mnemonic.Pmovzxbq,     &PackedExtend.Pmovzxbq, 2);
        rows.Xmm(Mnemonic.Pmovzxwd,     &PackedExtend.Pmovzxwd, 8);
        rows.Xmm(Mnemonic.Pmovzxwq,     &PackedExtend.Pmovzxwq, 4);
        rows.Xmm(Mnemonic.Pmovzxdq,     &PackedExtend.Pmovzxdq, 8);

        rows.Vector(SimdForm.XmmMemory, Mnemonic.Insertps, &XmmShuffle.InsertpsMemory, 4);
        rows.Vector(SimdForm.Mmx, Mnemonic.Pshufw,  &XmmShuffle.Pshufw,  8);
        rows.Vector(SimdForm.Mmx, Mnemonic.Movdq2q, &XmmShuffle.Movdq2q, 0);

        rows.Value(SimdForm.Mmx, Mnemonic.Pextrw,     &PackedShuffle<Mmx>.Pextrw,    0);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrw,     &PackedShuffle<Xmm>.Pextrw,    2);
        rows.Value(SimdForm.Mmx, Mnemonic.Pmovmskb,   &PackedShuffle<Mmx>.Pmovmskb,  0);
        rows.Value(SimdForm.Xmm, Mnemonic.Pmovmskb,   &PackedShuffle<Xmm>.Pmovmskb,  0);
        rows.Value(SimdForm.Xmm, Mnemonic.Movmskps,   &XmmShuffle.Movmskps,          0);
        rows.Value(SimdForm.Xmm, Mnemonic.Movmskpd,   &XmmShuffle.Movmskpd,          0);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrb,     &XmmShuffle.Pextrb,            1);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrd,     &XmmShuffle.Pextrd,            4);
        rows.Value(SimdForm.Xmm, Mnemonic.Extractps,  &XmmShuffle.Pextrd,            4);
        rows.Value(SimdForm.Xmm, Mnemonic.Pextrq,     &XmmShuffle.Pextrq,            8);
        rows.Value(SimdForm.Xmm, Mnemonic.Ptest,     &XmmShuffle.Ptest,             16, SimdResult.Flags);
    }
}
