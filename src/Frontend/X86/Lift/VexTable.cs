using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>VEX-encoded vector instructions.</summary>
internal static unsafe class VexTable
{
    /// <summary>Lane helpers of AVX2: what <see cref="X86Lifter.VexHelper"/> takes an index of.</summary>
    public static readonly SimdEntry[] Helpers =
    [
        Entry(&VexLanesHelpers.ShiftLeftDwords, IrVectorOp.ShiftLeftEachI32),
        Entry(&VexLanesHelpers.ShiftLeftQwords, IrVectorOp.ShiftLeftEachI64),
        Entry(&VexLanesHelpers.ShiftRightDwords, IrVectorOp.ShiftRightEachI32),
        Entry(&VexLanesHelpers.ShiftRightQwords, IrVectorOp.ShiftRightEachI64),
        Entry(&VexLanesHelpers.ShiftRightArithmeticDwords, IrVectorOp.ShiftRightArithmeticEachI32),
        Entry(&XmmShuffle.Blendps, IrVectorOp.BlendI32),
    ];

    /// <summary>The mnemonics that go with <see cref="Helpers"/>.</summary>
    public static ReadOnlySpan<Mnemonic> HelperMnemonics =>
        [Mnemonic.Vpsllvd, Mnemonic.Vpsllvq, Mnemonic.Vpsrlvd, Mnemonic.Vpsrlvq, Mnemonic.Vpsravd, Mnemonic.Vpblendd];

    /// <summary>Pairs: an AVX mnemonic, and the one of SSE that does the same to a half.</summary>
    public static ReadOnlySpan<Mnemonic> Lanes =>
    [
        Mnemonic.Vaddpd, Mnemonic.Addpd, Mnemonic.Vaddps, Mnemonic.Addps, Mnemonic.Vaddsd, Mnemonic.Addsd,
        Mnemonic.Vaddss, Mnemonic.Addss, Mnemonic.Vaddsubpd, Mnemonic.Addsubpd, Mnemonic.Vaddsubps, Mnemonic.Addsubps,
        Mnemonic.Vaesdec, Mnemonic.Aesdec, Mnemonic.Vaesdeclast, Mnemonic.Aesdeclast, Mnemonic.Vaesenc, Mnemonic.Aesenc,
        Mnemonic.Vaesenclast, Mnemonic.Aesenclast, Mnemonic.Vaesimc, Mnemonic.Aesimc, Mnemonic.Vaeskeygenassist, Mnemonic.Aeskeygenassist,
        Mnemonic.Vandnpd, Mnemonic.Andnpd, Mnemonic.Vandnps, Mnemonic.Andnps, Mnemonic.Vandpd, Mnemonic.Andpd,
        Mnemonic.Vandps, Mnemonic.Andps, Mnemonic.Vblendpd, Mnemonic.Blendpd, Mnemonic.Vblendps, Mnemonic.Blendps,
        Mnemonic.Vcomisd, Mnemonic.Comisd, Mnemonic.Vcomiss, Mnemonic.Comiss, Mnemonic.Vcvtdq2ps, Mnemonic.Cvtdq2ps,
        Mnemonic.Vcvtps2dq, Mnemonic.Cvtps2dq, Mnemonic.Vcvtsd2si, Mnemonic.Cvtsd2si, Mnemonic.Vcvtsd2ss, Mnemonic.Cvtsd2ss,
        Mnemonic.Vcvtsi2sd, Mnemonic.Cvtsi2sd, Mnemonic.Vcvtsi2ss, Mnemonic.Cvtsi2ss, Mnemonic.Vcvtss2sd, Mnemonic.Cvtss2sd,
        Mnemonic.Vcvtss2si, Mnemonic.Cvtss2si, Mnemonic.Vcvttps2dq, Mnemonic.Cvttps2dq, Mnemonic.Vcvttsd2si, Mnemonic.Cvttsd2si,
        Mnemonic.Vcvttss2si, Mnemonic.Cvttss2si, Mnemonic.Vdivpd, Mnemonic.Divpd, Mnemonic.Vdivps, Mnemonic.Divps,
        Mnemonic.Vdivsd, Mnemonic.Divsd, Mnemonic.Vdivss, Mnemonic.Divss, Mnemonic.Vdppd, Mnemonic.Dppd,
        Mnemonic.Vdpps, Mnemonic.Dpps, Mnemonic.Vextractps, Mnemonic.Extractps, Mnemonic.Vhaddpd, Mnemonic.Haddpd,
        Mnemonic.Vhaddps, Mnemonic.Haddps, Mnemonic.Vhsubpd, Mnemonic.Hsubpd, Mnemonic.Vhsubps, Mnemonic.Hsubps,
        Mnemonic.Vinsertps, Mnemonic.Insertps, Mnemonic.Vmaxpd, Mnemonic.Maxpd, Mnemonic.Vmaxps, Mnemonic.Maxps,
        Mnemonic.Vmaxsd, Mnemonic.Maxsd, Mnemonic.Vmaxss, Mnemonic.Maxss, Mnemonic.Vminpd, Mnemonic.Minpd,
        Mnemonic.Vminps, Mnemonic.Minps, Mnemonic.Vminsd, Mnemonic.Minsd, Mnemonic.Vminss, Mnemonic.Minss,
        Mnemonic.Vmovddup, Mnemonic.Movddup, Mnemonic.Vmovhlps, Mnemonic.Movhlps, Mnemonic.Vmovlhps, Mnemonic.Movlhps,
        Mnemonic.Vmovshdup, Mnemonic.Movshdup, Mnemonic.Vmovsldup, Mnemonic.Movsldup, Mnemonic.Vmpsadbw, Mnemonic.Mpsadbw,
        Mnemonic.Vmulpd, Mnemonic.Mulpd, Mnemonic.Vmulps, Mnemonic.Mulps, Mnemonic.Vmulsd, Mnemonic.Mulsd,
        Mnemonic.Vmulss, Mnemonic.Mulss, Mnemonic.Vorpd, Mnemonic.Orpd, Mnemonic.Vorps, Mnemonic.Orps,
        Mnemonic.Vpabsb, Mnemonic.Pabsb, Mnemonic.Vpabsd, Mnemonic.Pabsd, Mnemonic.Vpabsw, Mnemonic.Pabsw,
        Mnemonic.Vpackssdw, Mnemonic.Packssdw, Mnemonic.Vpacksswb, Mnemonic.Packsswb, Mnemonic.Vpackusdw, Mnemonic.Packusdw,
        Mnemonic.Vpackuswb, Mnemonic.Packuswb, Mnemonic.Vpaddb, Mnemonic.Paddb, Mnemonic.Vpaddd, Mnemonic.Paddd,
        Mnemonic.Vpaddq, Mnemonic.Paddq, Mnemonic.Vpaddsb, Mnemonic.Paddsb, Mnemonic.Vpaddsw, Mnemonic.Paddsw,
        Mnemonic.Vpaddusb, Mnemonic.Paddusb, Mnemonic.Vpaddusw, Mnemonic.Paddusw, Mnemonic.Vpaddw, Mnemonic.Paddw,
        Mnemonic.Vpalignr, Mnemonic.Palignr, Mnemonic.Vpand, Mnemonic.Pand, Mnemonic.Vpandn, Mnemonic.Pandn,
        Mnemonic.Vpavgb, Mnemonic.Pavgb, Mnemonic.Vpavgw, Mnemonic.Pavgw, Mnemonic.Vpblendw, Mnemonic.Pblendw,
        Mnemonic.Vpclmulqdq, Mnemonic.Pclmulqdq, Mnemonic.Vpcmpeqb, Mnemonic.Pcmpeqb, Mnemonic.Vpcmpeqd, Mnemonic.Pcmpeqd,
        Mnemonic.Vpcmpeqq, Mnemonic.Pcmpeqq, Mnemonic.Vpcmpeqw, Mnemonic.Pcmpeqw, Mnemonic.Vpcmpestri, Mnemonic.Pcmpestri,
        Mnemonic.Vpcmpestri64, Mnemonic.Pcmpestri64, Mnemonic.Vpcmpestrm, Mnemonic.Pcmpestrm, Mnemonic.Vpcmpestrm64, Mnemonic.Pcmpestrm64,
        Mnemonic.Vpcmpgtb, Mnemonic.Pcmpgtb, Mnemonic.Vpcmpgtd, Mnemonic.Pcmpgtd, Mnemonic.Vpcmpgtq, Mnemonic.Pcmpgtq,
        Mnemonic.Vpcmpgtw, Mnemonic.Pcmpgtw, Mnemonic.Vpcmpistri, Mnemonic.Pcmpistri, Mnemonic.Vpcmpistrm, Mnemonic.Pcmpistrm,
        Mnemonic.Vpextrb, Mnemonic.Pextrb, Mnemonic.Vpextrd, Mnemonic.Pextrd, Mnemonic.Vpextrq, Mnemonic.Pextrq,
        Mnemonic.Vpextrw, Mnemonic.Pextrw, Mnemonic.Vphaddd, Mnemonic.Phaddd, Mnemonic.Vphaddsw, Mnemonic.Phaddsw,
        Mnemonic.Vphaddw, Mnemonic.Phaddw, Mnemonic.Vphminposuw, Mnemonic.Phminposuw, Mnemonic.Vphsubd, Mnemonic.Phsubd,
        Mnemonic.Vphsubsw, Mnemonic.Phsubsw, Mnemonic.Vphsubw, Mnemonic.Phsubw, Mnemonic.Vpinsrb, Mnemonic.Pinsrb,
        Mnemonic.Vpinsrd, Mnemonic.Pinsrd, Mnemonic.Vpinsrq, Mnemonic.Pinsrq, Mnemonic.Vpinsrw, Mnemonic.Pinsrw,
        Mnemonic.Vpmaddubsw, Mnemonic.Pmaddubsw, Mnemonic.Vpmaddwd, Mnemonic.Pmaddwd, Mnemonic.Vpmaxsb, Mnemonic.Pmaxsb,
        Mnemonic.Vpmaxsd, Mnemonic.Pmaxsd, Mnemonic.Vpmaxsw, Mnemonic.Pmaxsw, Mnemonic.Vpmaxub, Mnemonic.Pmaxub,
        Mnemonic.Vpmaxud, Mnemonic.Pmaxud, Mnemonic.Vpmaxuw, Mnemonic.Pmaxuw, Mnemonic.Vpminsb, Mnemonic.Pminsb,
        Mnemonic.Vpminsd, Mnemonic.Pminsd, Mnemonic.Vpminsw, Mnemonic.Pminsw, Mnemonic.Vpminub, Mnemonic.Pminub,
        Mnemonic.Vpminud, Mnemonic.Pminud, Mnemonic.Vpminuw, Mnemonic.Pminuw, Mnemonic.Vpmuldq, Mnemonic.Pmuldq,
        Mnemonic.Vpmulhrsw, Mnemonic.Pmulhrsw, Mnemonic.Vpmulhuw, Mnemonic.Pmulhuw, Mnemonic.Vpmulhw, Mnemonic.Pmulhw,
        Mnemonic.Vpmulld, Mnemonic.Pmulld, Mnemonic.Vpmullw, Mnemonic.Pmullw, Mnemonic.Vpmuludq, Mnemonic.Pmuludq,
        Mnemonic.Vpor, Mnemonic.Por, Mnemonic.Vpsadbw, Mnemonic.Psadbw, Mnemonic.Vpshufb, Mnemonic.Pshufb,
        Mnemonic.Vpshufd, Mnemonic.Pshufd, Mnemonic.Vpshufhw, Mnemonic.Pshufhw, Mnemonic.Vpshuflw, Mnemonic.Pshuflw,
        Mnemonic.Vpsignb, Mnemonic.Psignb, Mnemonic.Vpsignd, Mnemonic.Psignd, Mnemonic.Vpsignw, Mnemonic.Psignw,
        Mnemonic.Vpslld, Mnemonic.Pslld, Mnemonic.Vpslldq, Mnemonic.Pslldq, Mnemonic.Vpsllq, Mnemonic.Psllq,
        Mnemonic.Vpsllw, Mnemonic.Psllw, Mnemonic.Vpsrad, Mnemonic.Psrad, Mnemonic.Vpsraw, Mnemonic.Psraw,
        Mnemonic.Vpsrld, Mnemonic.Psrld, Mnemonic.Vpsrldq, Mnemonic.Psrldq, Mnemonic.Vpsrlq, Mnemonic.Psrlq,
        Mnemonic.Vpsrlw, Mnemonic.Psrlw, Mnemonic.Vpsubb, Mnemonic.Psubb, Mnemonic.Vpsubd, Mnemonic.Psubd,
        Mnemonic.Vpsubq, Mnemonic.Psubq, Mnemonic.Vpsubsb, Mnemonic.Psubsb, Mnemonic.Vpsubsw, Mnemonic.Psubsw,
        Mnemonic.Vpsubusb, Mnemonic.Psubusb, Mnemonic.Vpsubusw, Mnemonic.Psubusw, Mnemonic.Vpsubw, Mnemonic.Psubw,
        Mnemonic.Vpunpckhbw, Mnemonic.Punpckhbw, Mnemonic.Vpunpckhdq, Mnemonic.Punpckhdq, Mnemonic.Vpunpckhqdq, Mnemonic.Punpckhqdq,
        Mnemonic.Vpunpckhwd, Mnemonic.Punpckhwd, Mnemonic.Vpunpcklbw, Mnemonic.Punpcklbw, Mnemonic.Vpunpckldq, Mnemonic.Punpckldq,
        Mnemonic.Vpunpcklqdq, Mnemonic.Punpcklqdq, Mnemonic.Vpunpcklwd, Mnemonic.Punpcklwd, Mnemonic.Vpxor, Mnemonic.Pxor,
        Mnemonic.Vrcpps, Mnemonic.Rcpps, Mnemonic.Vrcpss, Mnemonic.Rcpss, Mnemonic.Vroundpd, Mnemonic.Roundpd,
        Mnemonic.Vroundps, Mnemonic.Roundps, Mnemonic.Vroundsd, Mnemonic.Roundsd, Mnemonic.Vroundss, Mnemonic.Roundss,
        Mnemonic.Vrsqrtps, Mnemonic.Rsqrtps, Mnemonic.Vrsqrtss, Mnemonic.Rsqrtss, Mnemonic.Vshufpd, Mnemonic.Shufpd,
        Mnemonic.Vshufps, Mnemonic.Shufps, Mnemonic.Vsqrtpd, Mnemonic.Sqrtpd, Mnemonic.Vsqrtps, Mnemonic.Sqrtps,
        Mnemonic.Vsqrtsd, Mnemonic.Sqrtsd, Mnemonic.Vsqrtss, Mnemonic.Sqrtss, Mnemonic.Vsubpd, Mnemonic.Subpd,
        Mnemonic.Vsubps, Mnemonic.Subps, Mnemonic.Vsubsd, Mnemonic.Subsd, Mnemonic.Vsubss, Mnemonic.Subss,
        Mnemonic.Vucomisd, Mnemonic.Ucomisd, Mnemonic.Vucomiss, Mnemonic.Ucomiss, Mnemonic.Vunpckhpd, Mnemonic.Unpckhpd,
        Mnemonic.Vunpckhps, Mnemonic.Unpckhps, Mnemonic.Vunpcklpd, Mnemonic.Unpcklpd, Mnemonic.Vunpcklps, Mnemonic.Unpcklps,
        Mnemonic.Vxorpd, Mnemonic.Xorpd, Mnemonic.Vxorps, Mnemonic.Xorps,
    ];

    /// <summary>FMA3: for each operation the orders 132, 213, 231, and for each of those the lanes PS, PD, SS, SD; the last two operations have only PS and PD.</summary>
    public static ReadOnlySpan<Mnemonic> FusedMultiplies =>
    [
        Mnemonic.Vfmadd132ps, Mnemonic.Vfmadd132pd, Mnemonic.Vfmadd132ss, Mnemonic.Vfmadd132sd,
        Mnemonic.Vfmadd213ps, Mnemonic.Vfmadd213pd, Mnemonic.Vfmadd213ss, Mnemonic.Vfmadd213sd,
        Mnemonic.Vfmadd231ps, Mnemonic.Vfmadd231pd, Mnemonic.Vfmadd231ss, Mnemonic.Vfmadd231sd,
        Mnemonic.Vfmsub132ps, Mnemonic.Vfmsub132pd, Mnemonic.Vfmsub132ss, Mnemonic.Vfmsub132sd,
        Mnemonic.Vfmsub213ps, Mnemonic.Vfmsub213pd, Mnemonic.Vfmsub213ss, Mnemonic.Vfmsub213sd,
        Mnemonic.Vfmsub231ps, Mnemonic.Vfmsub231pd, Mnemonic.Vfmsub231ss, Mnemonic.Vfmsub231sd,
        Mnemonic.Vfnmadd132ps, Mnemonic.Vfnmadd132pd, Mnemonic.Vfnmadd132ss, Mnemonic.Vfnmadd132sd,
        Mnemonic.Vfnmadd213ps, Mnemonic.Vfnmadd213pd, Mnemonic.Vfnmadd213ss, Mnemonic.Vfnmadd213sd,
        Mnemonic.Vfnmadd231ps, Mnemonic.Vfnmadd231pd, Mnemonic.Vfnmadd231ss, Mnemonic.Vfnmadd231sd,
        Mnemonic.Vfnmsub132ps, Mnemonic.Vfnmsub132pd, Mnemonic.Vfnmsub132ss, Mnemonic.Vfnmsub132sd,
        Mnemonic.Vfnmsub213ps, Mnemonic.Vfnmsub213pd, Mnemonic.Vfnmsub213ss, Mnemonic.Vfnmsub213sd,
        Mnemonic.Vfnmsub231ps, Mnemonic.Vfnmsub231pd, Mnemonic.Vfnmsub231ss, Mnemonic.Vfnmsub231sd,
        Mnemonic.Vfmaddsub132ps, Mnemonic.Vfmaddsub132pd,
        Mnemonic.Vfmaddsub213ps, Mnemonic.Vfmaddsub213pd,
        Mnemonic.Vfmaddsub231ps, Mnemonic.Vfmaddsub231pd,
        Mnemonic.Vfmsubadd132ps, Mnemonic.Vfmsubadd132pd,
        Mnemonic.Vfmsubadd213ps, Mnemonic.Vfmsubadd213pd,
        Mnemonic.Vfmsubadd231ps, Mnemonic.Vfmsubadd231pd,
    ];

    private static SimdEntry Entry(delegate*<CpuHeader*, byte*, byte*, byte*, int, void> helper, IrVectorOp operation) =>
        new((nint)helper, 16, SimdResult.Vector, Aligned: false, MayRaise: false, operation);
}
