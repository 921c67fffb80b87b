using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>Rows of the floating-point instructions.</content>
public static unsafe partial class SimdTable
{
    private static void AddFloat(Rows rows)
    {
        rows.Vector(SimdForm.Xmm, Mnemonic.Addps,      &FloatArithmetic<float, Packed>.Add,                           16, mayRaise: true, op: IrVectorOp.AddF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Addpd,      &FloatArithmetic<double, Packed>.Add,                          16, mayRaise: true, op: IrVectorOp.AddF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Addss,      &FloatArithmetic<float, Scalar>.Add,                           4,  mayRaise: true, op: IrVectorOp.AddScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Addsd,      &FloatArithmetic<double, Scalar>.Add,                          8,  mayRaise: true, op: IrVectorOp.AddScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Subps,      &FloatArithmetic<float, Packed>.Subtract,                      16, mayRaise: true, op: IrVectorOp.SubF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Subpd,      &FloatArithmetic<double, Packed>.Subtract,                     16, mayRaise: true, op: IrVectorOp.SubF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Subss,      &FloatArithmetic<float, Scalar>.Subtract,                      4,  mayRaise: true, op: IrVectorOp.SubScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Subsd,      &FloatArithmetic<double, Scalar>.Subtract,                     8,  mayRaise: true, op: IrVectorOp.SubScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Mulps,      &FloatArithmetic<float, Packed>.Multiply,                      16, mayRaise: true, op: IrVectorOp.MulF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Mulpd,      &FloatArithmetic<double, Packed>.Multiply,                     16, mayRaise: true, op: IrVectorOp.MulF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Mulss,      &FloatArithmetic<float, Scalar>.Multiply,                      4,  mayRaise: true, op: IrVectorOp.MulScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Mulsd,      &FloatArithmetic<double, Scalar>.Multiply,                     8,  mayRaise: true, op: IrVectorOp.MulScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Divps,      &FloatArithmetic<float, Packed>.Divide,                        16, mayRaise: true, op: IrVectorOp.DivF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Divpd,      &FloatArithmetic<double, Packed>.Divide,                       16, mayRaise: true, op: IrVectorOp.DivF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Divss,      &FloatArithmetic<float, Scalar>.Divide,                        4,  mayRaise: true, op: IrVectorOp.DivScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Divsd,      &FloatArithmetic<double, Scalar>.Divide,                       8,  mayRaise: true, op: IrVectorOp.DivScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Sqrtps,     &FloatArithmetic<float, Packed>.SquareRoot,                    16, mayRaise: true, op: IrVectorOp.SqrtF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Sqrtpd,     &FloatArithmetic<double, Packed>.SquareRoot,                   16, mayRaise: true, op: IrVectorOp.SqrtF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Sqrtss,     &FloatArithmetic<float, Scalar>.SquareRoot,                    4,  mayRaise: true, op: IrVectorOp.SqrtScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Sqrtsd,     &FloatArithmetic<double, Scalar>.SquareRoot,                   8,  mayRaise: true, op: IrVectorOp.SqrtScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Addsubps,   &FloatArithmetic<float, Packed>.AddSubtract,                   16, mayRaise: true, op: IrVectorOp.AddSubF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Addsubpd,   &FloatArithmetic<double, Packed>.AddSubtract,                  16, mayRaise: true, op: IrVectorOp.AddSubF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Haddps,     &FloatArithmetic<float, Packed>.HorizontalAdd,                 16, mayRaise: true, op: IrVectorOp.HorizontalAddF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Haddpd,     &FloatArithmetic<double, Packed>.HorizontalAdd,                16, mayRaise: true, op: IrVectorOp.HorizontalAddF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Hsubps,     &FloatArithmetic<float, Packed>.HorizontalSubtract,            16, mayRaise: true, op: IrVectorOp.HorizontalSubF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Hsubpd,     &FloatArithmetic<double, Packed>.HorizontalSubtract,           16, mayRaise: true, op: IrVectorOp.HorizontalSubF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Dpps,       &FloatArithmetic<float, Packed>.DotProduct,                    16, mayRaise: true);
        rows.Vector(SimdForm.Xmm, Mnemonic.Dppd,       &FloatArithmetic<double, Packed>.DotProduct,                   16, mayRaise: true);
        rows.Vector(SimdForm.Xmm, Mnemonic.Minps,      &FloatCompare<float, Packed>.Minimum,                          16, mayRaise: true, op: IrVectorOp.MinF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Minpd,      &FloatCompare<double, Packed>.Minimum,                         16, mayRaise: true, op: IrVectorOp.MinF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Minss,      &FloatCompare<float, Scalar>.Minimum,                          4,  mayRaise: true, op: IrVectorOp.MinScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Minsd,      &FloatCompare<double, Scalar>.Minimum,                         8,  mayRaise: true, op: IrVectorOp.MinScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Maxps,      &FloatCompare<float, Packed>.Maximum,                          16, mayRaise: true, op: IrVectorOp.MaxF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Maxpd,      &FloatCompare<double, Packed>.Maximum,                         16, mayRaise: true, op: IrVectorOp.MaxF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Maxss,      &FloatCompare<float, Scalar>.Maximum,                          4,  mayRaise: true, op: IrVectorOp.MaxScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Maxsd,      &FloatCompare<double, Scalar>.Maximum,                         8,  mayRaise: true, op: IrVectorOp.MaxScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Cmpps,      &FloatCompare<float, Packed>.Compare,                          16, mayRaise: true, op: IrVectorOp.CompareF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Cmppd,      &FloatCompare<double, Packed>.Compare,                         16, mayRaise: true, op: IrVectorOp.CompareF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Cmpss,      &FloatCompare<float, Scalar>.Compare,                          4,  mayRaise: true, op: IrVectorOp.CompareScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Cmpsd,      &FloatCompare<double, Scalar>.Compare,                         8,  mayRaise: true, op: IrVectorOp.CompareScalarF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Roundps,    &FloatApproximations<float, Packed>.Round,                     16, mayRaise: true, op: IrVectorOp.RoundF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Roundpd,    &FloatApproximations<double, Packed>.Round,                    16, mayRaise: true, op: IrVectorOp.RoundF64);
        rows.Vector(SimdForm.Xmm, Mnemonic.Roundss,    &FloatApproximations<float, Scalar>.Round,                     4,  mayRaise: true, op: IrVectorOp.RoundScalarF32);
        rows.Vector(SimdForm.Xmm, Mnemonic.Roundsd,    &FloatApproximations<double, Scalar>.Round,                    8,  mayRaise: true, op: IrVectorOp.RoundScalarF64);

        rows.Xmm(Mnemonic.Rcpps,      &FloatApproximations<float, Packed>.Reciprocal, 16);
        rows.Xmm(Mnemonic.Rcpss,      &FloatApproximations<float, Scalar>.Reciprocal, 4);
        rows.Xmm(Mnemonic.Rsqrtps,    &FloatApproximations<float, Packed>.ReciprocalSquareRoot, 16);
        rows.Xmm(Mnemonic.Rsqrtss,    &FloatApproximations<float, Scalar>.ReciprocalSquareRoot, 4);

        rows.Value(SimdForm.Xmm, Mnemonic.Comiss,   &FloatCompare<float, Scalar>.Ordered, 4, SimdResult.Flags, mayRaise: true,    op: IrVectorOp.OrderF32);
        rows.Value(SimdForm.Xmm, Mnemonic.Comisd,   &FloatCompare<double, Scalar>.Ordered, 8, SimdResult.Flags, mayRaise: true,   op: IrVectorOp.OrderF64);
        rows.Value(SimdForm.Xmm, Mnemonic.Ucomiss,  &FloatCompare<float, Scalar>.Unordered, 4, SimdResult.Flags, mayRaise: true,  op: IrVectorOp.OrderQuietF32);
        rows.Value(SimdForm.Xmm, Mnemonic.Ucomisd,  &FloatCompare<double, Scalar>.Unordered, 8, SimdResult.Flags, mayRaise: true, op: IrVectorOp.OrderQuietF64);
    }

    private static void AddConversions(Rows rows)
    {
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtdq2ps,   &FloatConversions.Cvtdq2ps,       16, mayRaise: true, op: IrVectorOp.ConvertS32ToF32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtdq2pd,   &FloatConversions.Cvtdq2pd,       8,  mayRaise: true, op: IrVectorOp.ConvertS32ToF64);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtps2pd,   &FloatConversions.Cvtps2pd,       8,  mayRaise: true, op: IrVectorOp.ConvertF32ToF64);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtpd2ps,   &FloatConversions.Cvtpd2ps,       16, mayRaise: true, op: IrVectorOp.ConvertF64ToF32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtps2dq,   &FloatConversions.Cvtps2dq,       16, mayRaise: true, op: IrVectorOp.ConvertF32ToS32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvttps2dq,  &FloatConversions.Cvttps2dq,      16, mayRaise: true, op: IrVectorOp.TruncateF32ToS32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtpd2dq,   &FloatConversions.Cvtpd2dq,       16, mayRaise: true, op: IrVectorOp.ConvertF64ToS32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvttpd2dq,  &FloatConversions.Cvttpd2dq,      16, mayRaise: true, op: IrVectorOp.TruncateF64ToS32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtss2sd,   &FloatConversions.Cvtss2sd,       4,  mayRaise: true, op: IrVectorOp.ConvertScalarF32ToF64);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtsd2ss,   &FloatConversions.Cvtsd2ss,       8,  mayRaise: true, op: IrVectorOp.ConvertScalarF64ToF32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtpi2ps,   &FloatConversions.Cvtpi2ps,       8,  mayRaise: true);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtsi2ss,   &FloatConversions.Cvtsi2ss,       4,  mayRaise: true, op: IrVectorOp.ConvertS32ToScalarF32);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtsi2sd,   &FloatConversions.Cvtsi2sd,       4,  mayRaise: true, op: IrVectorOp.ConvertS32ToScalarF64);
        rows.Vector(SimdForm.Xmm,       Mnemonic.Cvtpi2pd,   &FloatConversions.Cvtdq2pd,       8,  mayRaise: true);
        rows.Vector(SimdForm.XmmQword,  Mnemonic.Cvtsi2ss,   &FloatConversions.Cvtsi2ssQword,  8,  mayRaise: true, op: IrVectorOp.ConvertS64ToScalarF32);
        rows.Vector(SimdForm.XmmQword,  Mnemonic.Cvtsi2sd,   &FloatConversions.Cvtsi2sdQword,  8,  mayRaise: true, op: IrVectorOp.ConvertS64ToScalarF64);
        rows.Vector(SimdForm.Mmx,       Mnemonic.Cvtps2pi,   &FloatConversions.Cvtps2pi,       8,  mayRaise: true);
        rows.Vector(SimdForm.Mmx,       Mnemonic.Cvttps2pi,  &FloatConversions.Cvttps2pi,      8,  mayRaise: true);
        rows.Vector(SimdForm.Mmx,       Mnemonic.Cvtpd2pi,   &FloatConversions.Cvtpd2pi,       16, mayRaise: true);
        rows.Vector(SimdForm.Mmx,       Mnemonic.Cvttpd2pi,  &FloatConversions.Cvttpd2pi,      16, mayRaise: true);

        rows.Value(SimdForm.Xmm,       Mnemonic.Cvtss2si,   &FloatConversions.Cvtss2si,       4,  mayRaise: true, op: IrVectorOp.ConvertScalarF32ToS32);
        rows.Value(SimdForm.XmmQword,  Mnemonic.Cvtss2si,   &FloatConversions.Cvtss2siQword,  4,  mayRaise: true, op: IrVectorOp.ConvertScalarF32ToS64);
        rows.Value(SimdForm.Xmm,       Mnemonic.Cvttss2si,  &FloatConversions.Cvttss2si,      4,  mayRaise: true, op: IrVectorOp.TruncateScalarF32ToS32);
        rows.Value(SimdForm.XmmQword,  Mnemonic.Cvttss2si,  &FloatConversions.Cvttss2siQword, 4,  mayRaise: true, op: IrVectorOp.TruncateScalarF32ToS64);
        rows.Value(SimdForm.Xmm,       Mnemonic.Cvtsd2si,   &FloatConversions.Cvtsd2si,       8,  mayRaise: true, op: IrVectorOp.ConvertScalarF64ToS32);
        rows.Value(SimdForm.XmmQword,  Mnemonic.Cvtsd2si,   &FloatConversions.Cvtsd2siQword,  8,  mayRaise: true, op: IrVectorOp.ConvertScalarF64ToS64);
        rows.Value(SimdForm.Xmm,       Mnemonic.Cvttsd2si,  &FloatConversions.Cvttsd2si,      8,  mayRaise: true, op: IrVectorOp.TruncateScalarF64ToS32);
        rows.Value(SimdForm.XmmQword,  Mnemonic.Cvttsd2si,  &FloatConversions.Cvttsd2siQword, 8,  mayRaise: true, op: IrVectorOp.TruncateScalarF64ToS64);
    }
}
