using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>Rows of the VEX-encoded instructions.</content>
internal static unsafe partial class LiftTable
{
    private static void AddVex(AddRow row)
    {
        ReadOnlySpan<Mnemonic> lanes = VexTable.Lanes;
        for (int i = 0; i < lanes.Length; i += 2)
        {
            row(lanes[i], X86Lifter.VexLanes, (int)lanes[i + 1]);
        }

        ReadOnlySpan<Mnemonic> helpers = VexTable.HelperMnemonics;
        for (int i = 0; i < helpers.Length; i++)
        {
            row(helpers[i], X86Lifter.VexHelper, i);
        }

        AddFusedMultiplies(row);
        AddVexMoves(row);
        AddVexForms(row);
    }

    private static void AddFusedMultiplies(AddRow row)
    {
        const int Both = FusedMultiply.SubtractEven | FusedMultiply.SubtractOdd;
        ReadOnlySpan<int> operations = [0, Both, FusedMultiply.NegateProduct, FusedMultiply.NegateProduct | Both, FusedMultiply.SubtractEven, FusedMultiply.SubtractOdd];
        ReadOnlySpan<int> lanes = [0, FusedMultiply.Double, FusedMultiply.Scalar, FusedMultiply.Scalar | FusedMultiply.Double];
        ReadOnlySpan<Mnemonic> mnemonics = VexTable.FusedMultiplies;
        int next = 0;
        for (int operation = 0; operation < operations.Length; operation++)
        {
            for (int order = 0; order < 3; order++)
            {
                for (int i = 0; i < (operation < 4 ? 4 : 2); i++)
                {
                    row(mnemonics[next++], X86Lifter.FusedMultiplyAdd, order | operations[operation] | lanes[i]);
                }
            }
        }
    }

    private static void AddVexMoves(AddRow row)
    {
        row(Mnemonic.Vmovaps,        X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovapd,        X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovdqa,        X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovntps,       X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovntpd,       X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovntdq,       X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovntdqa,      X86Lifter.VexMove,         1);
        row(Mnemonic.Vmovups,        X86Lifter.VexMove,         0);
        row(Mnemonic.Vmovupd,        X86Lifter.VexMove,         0);
        row(Mnemonic.Vmovdqu,        X86Lifter.VexMove,         0);
        row(Mnemonic.Vlddqu,         X86Lifter.VexMove,         0);
        row(Mnemonic.Vmovss,         X86Lifter.VexMoveScalar,   4);
        row(Mnemonic.Vmovsd,         X86Lifter.VexMoveScalar,   8);
        row(Mnemonic.Vmovd,          X86Lifter.VexMoveLow,      4);
        row(Mnemonic.Vmovq,          X86Lifter.VexMoveLow,      8);
        row(Mnemonic.Vmovlps,        X86Lifter.VexMoveHalf,     0);
        row(Mnemonic.Vmovlpd,        X86Lifter.VexMoveHalf,     0);
        row(Mnemonic.Vmovhps,        X86Lifter.VexMoveHalf,     8);
        row(Mnemonic.Vmovhpd,        X86Lifter.VexMoveHalf,     8);
        row(Mnemonic.Vbroadcastss,   X86Lifter.Broadcast,       4);
        row(Mnemonic.Vbroadcastsd,   X86Lifter.Broadcast,       8);
        row(Mnemonic.Vbroadcastf128, X86Lifter.Broadcast,       16);
        row(Mnemonic.Vbroadcasti128, X86Lifter.Broadcast,       16);
        row(Mnemonic.Vpbroadcastb,   X86Lifter.Broadcast,       1);
        row(Mnemonic.Vpbroadcastw,   X86Lifter.Broadcast,       2);
        row(Mnemonic.Vpbroadcastd,   X86Lifter.Broadcast,       4);
        row(Mnemonic.Vpbroadcastq,   X86Lifter.Broadcast,       8);
        row(Mnemonic.Vinsertf128,    X86Lifter.InsertHalf);
        row(Mnemonic.Vinserti128,    X86Lifter.InsertHalf);
        row(Mnemonic.Vextractf128,   X86Lifter.ExtractHalf);
        row(Mnemonic.Vextracti128,   X86Lifter.ExtractHalf);
        row(Mnemonic.Vperm2f128,     X86Lifter.PermuteHalves);
        row(Mnemonic.Vperm2i128,     X86Lifter.PermuteHalves);
        row(Mnemonic.Vpermq,         X86Lifter.PermuteQwords);
        row(Mnemonic.Vpermpd,        X86Lifter.PermuteQwords);
        row(Mnemonic.Vmaskmovps,     X86Lifter.MaskedMove,      4);
        row(Mnemonic.Vmaskmovpd,     X86Lifter.MaskedMove,      8);
        row(Mnemonic.Vpmaskmovd,     X86Lifter.MaskedMove,      4);
        row(Mnemonic.Vpmaskmovq,     X86Lifter.MaskedMove,      8);
        row(Mnemonic.Vmaskmovdqu,    X86Lifter.VexStoreMasked);
        row(Mnemonic.Vldmxcsr,       X86Lifter.VexMxcsr,        0);
        row(Mnemonic.Vstmxcsr,       X86Lifter.VexMxcsr,        1);
        row(Mnemonic.Vgatherdps,     X86Lifter.Gather,          4 | (4 << 8));
        row(Mnemonic.Vgatherdpd,     X86Lifter.Gather,          8 | (4 << 8));
        row(Mnemonic.Vgatherqps,     X86Lifter.Gather,          4 | (8 << 8));
        row(Mnemonic.Vgatherqpd,     X86Lifter.Gather,          8 | (8 << 8));
        row(Mnemonic.Vpgatherdd,     X86Lifter.Gather,          4 | (4 << 8));
        row(Mnemonic.Vpgatherdq,     X86Lifter.Gather,          8 | (4 << 8));
        row(Mnemonic.Vpgatherqd,     X86Lifter.Gather,          4 | (8 << 8));
        row(Mnemonic.Vpgatherqq,     X86Lifter.Gather,          8 | (8 << 8));
    }

    private static void AddVexForms(AddRow row)
    {
        row(Mnemonic.Vcvtdq2pd,   X86Lifter.VexWiden,         (int)Mnemonic.Cvtdq2pd);
        row(Mnemonic.Vcvtps2pd,   X86Lifter.VexWiden,         (int)Mnemonic.Cvtps2pd);
        row(Mnemonic.Vcvtph2ps,   X86Lifter.VexWiden,         (int)Mnemonic.Vcvtph2ps);
        row(Mnemonic.Vcvtps2ph,   X86Lifter.ConvertToHalf);
        row(Mnemonic.Vcvtpd2ps,   X86Lifter.VexNarrow,        (int)Mnemonic.Cvtpd2ps);
        row(Mnemonic.Vcvtpd2dq,   X86Lifter.VexNarrow,        (int)Mnemonic.Cvtpd2dq);
        row(Mnemonic.Vcvttpd2dq,  X86Lifter.VexNarrow,        (int)Mnemonic.Cvttpd2dq);
        row(Mnemonic.Vpmovsxbw,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxbw);
        row(Mnemonic.Vpmovsxbd,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxbd);
        row(Mnemonic.Vpmovsxbq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxbq);
        row(Mnemonic.Vpmovsxwd,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxwd);
        row(Mnemonic.Vpmovsxwq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxwq);
        row(Mnemonic.Vpmovsxdq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovsxdq);
        row(Mnemonic.Vpmovzxbw,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxbw);
        row(Mnemonic.Vpmovzxbd,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxbd);
        row(Mnemonic.Vpmovzxbq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxbq);
        row(Mnemonic.Vpmovzxwd,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxwd);
        row(Mnemonic.Vpmovzxwq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxwq);
        row(Mnemonic.Vpmovzxdq,   X86Lifter.VexWiden,         (int)Mnemonic.Pmovzxdq);
        row(Mnemonic.Vcmpps,      X86Lifter.VexCompare,       (int)Mnemonic.Cmpps);
        row(Mnemonic.Vcmppd,      X86Lifter.VexCompare,       (int)Mnemonic.Cmppd);
        row(Mnemonic.Vcmpss,      X86Lifter.VexCompare,       (int)Mnemonic.Cmpss);
        row(Mnemonic.Vcmpsd,      X86Lifter.VexCompare,       (int)Mnemonic.Cmpsd);
        row(Mnemonic.Vblendvps,   X86Lifter.VexBlendVariable, 4);
        row(Mnemonic.Vblendvpd,   X86Lifter.VexBlendVariable, 8);
        row(Mnemonic.Vpblendvb,   X86Lifter.VexBlendVariable, 1);
        row(Mnemonic.Vpermilps,   X86Lifter.PermuteInLane,    4);
        row(Mnemonic.Vpermilpd,   X86Lifter.PermuteInLane,    8);
        row(Mnemonic.Vpermd,      X86Lifter.PermuteAcross);
        row(Mnemonic.Vpermps,     X86Lifter.PermuteAcross);
        row(Mnemonic.Vmovmskps,   X86Lifter.SignMask,         4);
        row(Mnemonic.Vmovmskpd,   X86Lifter.SignMask,         8);
        row(Mnemonic.Vpmovmskb,   X86Lifter.SignMask,         1);
        row(Mnemonic.Vptest,      X86Lifter.VexTest,          0);
        row(Mnemonic.Vtestps,     X86Lifter.VexTest,          4);
        row(Mnemonic.Vtestpd,     X86Lifter.VexTest,          8);
        row(Mnemonic.Vzeroupper,  X86Lifter.ZeroVectors,      0);
        row(Mnemonic.Vzeroall,    X86Lifter.ZeroVectors,      1);
    }
}
