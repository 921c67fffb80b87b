using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>The rows.</content>
public static unsafe partial class X87Table
{
    private static void AddArithmetic(Rows rows)
    {
        rows.Add(Code.Fadd_st0_sti,          &X87Binary<X87Add>.ToTop,                         X87Memory.None,    0,   0);
        rows.Add(Code.Fadd_sti_st0,          &X87Binary<X87Add>.ToRegister,                    X87Memory.None,    0,   0);
        rows.Add(Code.Faddp_sti_st0,         &X87Binary<X87Add>.ToRegisterAndPop,              X87Memory.None,    0,   0);
        rows.Add(Code.Fadd_m32fp,            &X87Binary<X87Add>.Single,                        X87Memory.Value,   4,   0);
        rows.Add(Code.Fadd_m64fp,            &X87Binary<X87Add>.Double,                        X87Memory.Value,   8,   0);
        rows.Add(Code.Fiadd_m16int,          &X87Binary<X87Add>.Int16,                         X87Memory.Value,   2,   0);
        rows.Add(Code.Fiadd_m32int,          &X87Binary<X87Add>.Int32,                         X87Memory.Value,   4,   0);
        rows.Add(Code.Fmul_st0_sti,          &X87Binary<X87Multiply>.ToTop,                    X87Memory.None,    0,   0);
        rows.Add(Code.Fmul_sti_st0,          &X87Binary<X87Multiply>.ToRegister,               X87Memory.None,    0,   0);
        rows.Add(Code.Fmulp_sti_st0,         &X87Binary<X87Multiply>.ToRegisterAndPop,         X87Memory.None,    0,   0);
        rows.Add(Code.Fmul_m32fp,            &X87Binary<X87Multiply>.Single,                   X87Memory.Value,   4,   0);
        rows.Add(Code.Fmul_m64fp,            &X87Binary<X87Multiply>.Double,                   X87Memory.Value,   8,   0);
        rows.Add(Code.Fimul_m16int,          &X87Binary<X87Multiply>.Int16,                    X87Memory.Value,   2,   0);
        rows.Add(Code.Fimul_m32int,          &X87Binary<X87Multiply>.Int32,                    X87Memory.Value,   4,   0);
        rows.Add(Code.Fsub_st0_sti,          &X87Binary<X87Subtract>.ToTop,                    X87Memory.None,    0,   0);
        rows.Add(Code.Fsub_sti_st0,          &X87Binary<X87Subtract>.ToRegister,               X87Memory.None,    0,   0);
        rows.Add(Code.Fsubp_sti_st0,         &X87Binary<X87Subtract>.ToRegisterAndPop,         X87Memory.None,    0,   0);
        rows.Add(Code.Fsub_m32fp,            &X87Binary<X87Subtract>.Single,                   X87Memory.Value,   4,   0);
        rows.Add(Code.Fsub_m64fp,            &X87Binary<X87Subtract>.Double,                   X87Memory.Value,   8,   0);
        rows.Add(Code.Fisub_m16int,          &X87Binary<X87Subtract>.Int16,                    X87Memory.Value,   2,   0);
        rows.Add(Code.Fisub_m32int,          &X87Binary<X87Subtract>.Int32,                    X87Memory.Value,   4,   0);
        rows.Add(Code.Fsubr_st0_sti,         &X87Binary<X87SubtractReversed>.ToTop,            X87Memory.None,    0,   0);
        rows.Add(Code.Fsubr_sti_st0,         &X87Binary<X87SubtractReversed>.ToRegister,       X87Memory.None,    0,   0);
        rows.Add(Code.Fsubrp_sti_st0,        &X87Binary<X87SubtractReversed>.ToRegisterAndPop, X87Memory.None,    0,   0);
        rows.Add(Code.Fsubr_m32fp,           &X87Binary<X87SubtractReversed>.Single,           X87Memory.Value,   4,   0);
        rows.Add(Code.Fsubr_m64fp,           &X87Binary<X87SubtractReversed>.Double,           X87Memory.Value,   8,   0);
        rows.Add(Code.Fisubr_m16int,         &X87Binary<X87SubtractReversed>.Int16,            X87Memory.Value,   2,   0);
        rows.Add(Code.Fisubr_m32int,         &X87Binary<X87SubtractReversed>.Int32,            X87Memory.Value,   4,   0);
        rows.Add(Code.Fdiv_st0_sti,          &X87Binary<X87Divide>.ToTop,                      X87Memory.None,    0,   0);
        rows.Add(Code.Fdiv_sti_st0,          &X87Binary<X87Divide>.ToRegister,                 X87Memory.None,    0,   0);
        rows.Add(Code.Fdivp_sti_st0,         &X87Binary<X87Divide>.ToRegisterAndPop,           X87Memory.None,    0,   0);
        rows.Add(Code.Fdiv_m32fp,            &X87Binary<X87Divide>.Single,                     X87Memory.Value,   4,   0);
        rows.Add(Code.Fdiv_m64fp,            &X87Binary<X87Divide>.Double,                     X87Memory.Value,   8,   0);
        rows.Add(Code.Fidiv_m16int,          &X87Binary<X87Divide>.Int16,                      X87Memory.Value,   2,   0);
        rows.Add(Code.Fidiv_m32int,          &X87Binary<X87Divide>.Int32,                      X87Memory.Value,   4,   0);
        rows.Add(Code.Fdivr_st0_sti,         &X87Binary<X87DivideReversed>.ToTop,              X87Memory.None,    0,   0);
        rows.Add(Code.Fdivr_sti_st0,         &X87Binary<X87DivideReversed>.ToRegister,         X87Memory.None,    0,   0);
        rows.Add(Code.Fdivrp_sti_st0,        &X87Binary<X87DivideReversed>.ToRegisterAndPop,   X87Memory.None,    0,   0);
        rows.Add(Code.Fdivr_m32fp,           &X87Binary<X87DivideReversed>.Single,             X87Memory.Value,   4,   0);
        rows.Add(Code.Fdivr_m64fp,           &X87Binary<X87DivideReversed>.Double,             X87Memory.Value,   8,   0);
        rows.Add(Code.Fidivr_m16int,         &X87Binary<X87DivideReversed>.Int16,              X87Memory.Value,   2,   0);
        rows.Add(Code.Fidivr_m32int,         &X87Binary<X87DivideReversed>.Int32,              X87Memory.Value,   4,   0);

        rows.WithHostFloat(Code.Fsqrt,                 &X87Arithmetic.Fsqrt,                             X87Memory.None,    0,   0);
        rows.Add(Code.Frndint,               &X87Arithmetic.Frndint,                           X87Memory.None,    0,   0);
        rows.Add(Code.Fabs,                  &X87Arithmetic.Fabs,                              X87Memory.None,    0,   0);
        rows.Add(Code.Fchs,                  &X87Arithmetic.Fchs,                              X87Memory.None,    0,   0);
        rows.Add(Code.Fscale,                &X87Arithmetic.Fscale,                            X87Memory.None,    0,   0);
        rows.Add(Code.Fxtract,               &X87Arithmetic.Fxtract,                           X87Memory.None,    0,   0);
        rows.Add(Code.Fprem,                 &X87Arithmetic.Fprem,                             X87Memory.None,    0,   0);
        rows.Add(Code.Fprem1,                &X87Arithmetic.Fprem1,                            X87Memory.None,    0,   0);
        rows.Add(Code.F2xm1,                 &X87Transcendental.F2xm1,                         X87Memory.None,    0,   0);
        rows.Add(Code.Fyl2x,                 &X87Transcendental.Fyl2x,                         X87Memory.None,    0,   0);
        rows.Add(Code.Fyl2xp1,               &X87Transcendental.Fyl2xp1,                       X87Memory.None,    0,   0);
        rows.WithHostFloat(Code.Fpatan,                &X87Transcendental.Fpatan,                        X87Memory.None,    0,   0);
        rows.Add(Code.Fsin,                  &X87Transcendental.Fsin,                          X87Memory.None,    0,   0);
        rows.Add(Code.Fcos,                  &X87Transcendental.Fcos,                          X87Memory.None,    0,   0);
        rows.Add(Code.Fsincos,               &X87Transcendental.Fsincos,                       X87Memory.None,    0,   0);
        rows.WithHostFloat(Code.Fptan,                 &X87Transcendental.Fptan,                         X87Memory.None,    0,   0);
    }

    private static void AddMoves(Rows rows)
    {
        rows.Add(Code.Fld_m32fp,             &X87Move.FldSingle,                               X87Memory.Value,   4,   0);
        rows.Add(Code.Fld_m64fp,             &X87Move.FldDouble,                               X87Memory.Value,   8,   0);
        rows.Add(Code.Fld_m80fp,             &X87Move.FldExtended,                             X87Memory.Value,   10,  0);
        rows.Add(Code.Fld_sti,               &X87Move.FldRegister,                             X87Memory.None,    0,   0);
        rows.Add(Code.Fild_m16int,           &X87Move.FildInt16,                               X87Memory.Value,   2,   0);
        rows.Add(Code.Fild_m32int,           &X87Move.FildInt32,                               X87Memory.Value,   4,   0);
        rows.Add(Code.Fild_m64int,           &X87Move.FildInt64,                               X87Memory.Value,   8,   0);
        rows.Add(Code.Fbld_m80bcd,           &X87Move.Fbld,                                    X87Memory.Value,   10,  0);
        rows.Add(Code.Fld1,                  &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.One);
        rows.Add(Code.Fldl2t,                &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.LogTwoTen);
        rows.Add(Code.Fldl2e,                &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.LogTwoE);
        rows.Add(Code.Fldpi,                 &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.Pi);
        rows.Add(Code.Fldlg2,                &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.LogTenTwo);
        rows.Add(Code.Fldln2,                &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.LogETwo);
        rows.Add(Code.Fldz,                  &X87Move.FldConstant,                             X87Memory.None,    0,   (ulong)X87Constant.Zero);

        rows.Store(Code.Fst_m32fp,             &X87Move.FstSingle,                             X87Memory.Store,   4,   0, &X87Store.Single);
        rows.Store(Code.Fstp_m32fp,            &X87Move.FstSingle,                             X87Memory.Store,   4,   1, &X87Store.Single);
        rows.Store(Code.Fst_m64fp,             &X87Move.FstDouble,                             X87Memory.Store,   8,   0, &X87Store.Double);
        rows.Store(Code.Fstp_m64fp,            &X87Move.FstDouble,                             X87Memory.Store,   8,   1, &X87Store.Double);
        rows.Store(Code.Fstp_m80fp,            &X87Move.FstpExtended,                          X87Memory.Store,   10,  1, &X87Store.Extended);
        rows.Store(Code.Fist_m16int,           &X87Move.FistInt16,                             X87Memory.Store,   2,   0, &X87Store.Int16);
        rows.Store(Code.Fistp_m16int,          &X87Move.FistInt16,                             X87Memory.Store,   2,   1, &X87Store.Int16);
        rows.Store(Code.Fist_m32int,           &X87Move.FistInt32,                             X87Memory.Store,   4,   0, &X87Store.Int32);
        rows.Store(Code.Fistp_m32int,          &X87Move.FistInt32,                             X87Memory.Store,   4,   1, &X87Store.Int32);
        rows.Store(Code.Fistp_m64int,          &X87Move.FistInt64,                             X87Memory.Store,   8,   1, &X87Store.Int64);
        rows.Store(Code.Fisttp_m16int,         &X87Move.FisttpInt16,                           X87Memory.Store,   2,   1, &X87Store.Truncated16);
        rows.Store(Code.Fisttp_m32int,         &X87Move.FisttpInt32,                           X87Memory.Store,   4,   1, &X87Store.Truncated32);
        rows.Store(Code.Fisttp_m64int,         &X87Move.FisttpInt64,                           X87Memory.Store,   8,   1, &X87Store.Truncated64);
        rows.Add(Code.Fbstp_m80bcd,          &X87Move.Fbstp,                                   X87Memory.Address, 10,  0);
        rows.Add(Code.Fst_sti,               &X87Move.FstRegister,                             X87Memory.None,    0,   0);
        rows.Add(Code.Fstp_sti,              &X87Move.FstRegister,                             X87Memory.None,    0,   1);
        rows.Add(Code.Fstpnce_sti,           &X87Move.Fstpnce,                                 X87Memory.None,    0,   1);
        rows.Add(Code.Fstp_sti_DFD0,         &X87Move.FstRegister,                             X87Memory.None,    0,   1);
        rows.Add(Code.Fstp_sti_DFD8,         &X87Move.FstRegister,                             X87Memory.None,    0,   1);

        rows.Add(Code.Fxch_st0_sti,          &X87Move.Fxch,                                    X87Memory.None,    0,   0);
        rows.Add(Code.Fxch_st0_sti_DDC8,     &X87Move.Fxch,                                    X87Memory.None,    0,   0);
        rows.Add(Code.Fxch_st0_sti_DFC8,     &X87Move.Fxch,                                    X87Memory.None,    0,   0);
        rows.ReadingFlags(Code.Fcmovb_st0_sti,        &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Cf);
        rows.ReadingFlags(Code.Fcmovnb_st0_sti,       &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Cf | NoneSet);
        rows.ReadingFlags(Code.Fcmove_st0_sti,        &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Zf);
        rows.ReadingFlags(Code.Fcmovne_st0_sti,       &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Zf | NoneSet);
        rows.ReadingFlags(Code.Fcmovbe_st0_sti,       &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Cf | Rflags.Zf);
        rows.ReadingFlags(Code.Fcmovnbe_st0_sti,      &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Cf | Rflags.Zf | NoneSet);
        rows.ReadingFlags(Code.Fcmovu_st0_sti,        &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Pf);
        rows.ReadingFlags(Code.Fcmovnu_st0_sti,       &X87Move.Fcmov,                                   X87Memory.None,    0,   Rflags.Pf | NoneSet);
    }

    private static void AddComparisons(Rows rows)
    {
        rows.Add(Code.Fcom_st0_sti,          &X87Compare.Fcom,                                 X87Memory.None,    0,   0);
        rows.Add(Code.Fcomp_st0_sti,         &X87Compare.Fcom,                                 X87Memory.None,    0,   1);
        rows.Add(Code.Fcom_st0_sti_DCD0,     &X87Compare.Fcom,                                 X87Memory.None,    0,   0);
        rows.Add(Code.Fcomp_st0_sti_DCD8,    &X87Compare.Fcom,                                 X87Memory.None,    0,   1);
        rows.Add(Code.Fcomp_st0_sti_DED0,    &X87Compare.Fcom,                                 X87Memory.None,    0,   1);
        rows.Add(Code.Fucom_st0_sti,         &X87Compare.Fucom,                                X87Memory.None,    0,   0);
        rows.Add(Code.Fucomp_st0_sti,        &X87Compare.Fucom,                                X87Memory.None,    0,   1);
        rows.WithNext(Code.Fcompp,                &X87Compare.Fcom,                                 X87Memory.None,    0,   2);
        rows.WithNext(Code.Fucompp,               &X87Compare.Fucom,                                X87Memory.None,    0,   2);
        rows.Add(Code.Fcom_m32fp,            &X87Compare.FcomSingle,                           X87Memory.Value,   4,   0);
        rows.Add(Code.Fcomp_m32fp,           &X87Compare.FcomSingle,                           X87Memory.Value,   4,   1);
        rows.Add(Code.Fcom_m64fp,            &X87Compare.FcomDouble,                           X87Memory.Value,   8,   0);
        rows.Add(Code.Fcomp_m64fp,           &X87Compare.FcomDouble,                           X87Memory.Value,   8,   1);
        rows.Add(Code.Ficom_m16int,          &X87Compare.FicomInt16,                           X87Memory.Value,   2,   0);
        rows.Add(Code.Ficomp_m16int,         &X87Compare.FicomInt16,                           X87Memory.Value,   2,   1);
        rows.Add(Code.Ficom_m32int,          &X87Compare.FicomInt32,                           X87Memory.Value,   4,   0);
        rows.Add(Code.Ficomp_m32int,         &X87Compare.FicomInt32,                           X87Memory.Value,   4,   1);
        rows.Add(Code.Ftst,                  &X87Compare.Ftst,                                 X87Memory.None,    0,   0);
        rows.Add(Code.Fxam,                  &X87Compare.Fxam,                                 X87Memory.None,    0,   0);
        rows.Flags(Code.Fcomi_st0_sti,         &X87Compare.Fcomi,                                X87Memory.None,    0,   0);
        rows.Flags(Code.Fcomip_st0_sti,        &X87Compare.Fcomi,                                X87Memory.None,    0,   1);
        rows.Flags(Code.Fucomi_st0_sti,        &X87Compare.Fucomi,                               X87Memory.None,    0,   0);
        rows.Flags(Code.Fucomip_st0_sti,       &X87Compare.Fucomi,                               X87Memory.None,    0,   1);
    }

    private static void AddControl(Rows rows)
    {
        rows.Add(Code.Fnop,                  &X87Control.Fnop,                                 X87Memory.None,    0,   0);
        rows.Add(Code.Fdecstp,               &X87Control.MoveTop,                              X87Memory.None,    0,   7);
        rows.Add(Code.Fincstp,               &X87Control.MoveTop,                              X87Memory.None,    0,   1);
        rows.Add(Code.Ffree_sti,             &X87Control.Ffree,                                X87Memory.None,    0,   0);
        rows.Add(Code.Ffreep_sti,            &X87Control.Ffree,                                X87Memory.None,    0,   1);

        rows.ControlAndMode(Code.Fldcw_m2byte,          &X87Control.Fldcw,                                X87Memory.Value,   2,   0);
        rows.ControlAndMode(Code.Fldenv_m14byte,        &X87Control.Fldenv,                               X87Memory.Address, 14,  0);
        rows.ControlAndMode(Code.Fldenv_m28byte,        &X87Control.Fldenv,                               X87Memory.Address, 28,  X87Control.Wide);
        rows.ControlAndMode(Code.Frstor_m94byte,        &X87Control.Frstor,                               X87Memory.Address, 94,  0);
        rows.ControlAndMode(Code.Frstor_m108byte,       &X87Control.Frstor,                               X87Memory.Address, 108, X87Control.Wide);
        rows.NoWaitAndMode(Code.Fnstenv_m14byte,       &X87Control.Fnstenv,                              X87Memory.Address, 14,  0);
        rows.NoWaitAndMode(Code.Fnstenv_m28byte,       &X87Control.Fnstenv,                              X87Memory.Address, 28,  X87Control.Wide);
        rows.NoWaitAndMode(Code.Fnsave_m94byte,        &X87Control.Fnsave,                               X87Memory.Address, 94,  0);
        rows.NoWaitAndMode(Code.Fnsave_m108byte,       &X87Control.Fnsave,                               X87Memory.Address, 108, X87Control.Wide);
        rows.NoWait(Code.Fnstcw_m2byte,         &X87Control.Fnstcw,                               X87Memory.Result,  2,   0);
        rows.NoWait(Code.Fnstsw_m2byte,         &X87Control.Fnstsw,                               X87Memory.Result,  2,   0);
        rows.NoWaitAndMode(Code.Fninit,                &X87Control.Fninit,                               X87Memory.None,    0,   0);
        rows.NoWait(Code.Fnclex,                &X87Control.Fnclex,                               X87Memory.None,    0,   0);
        rows.NoWait(Code.Fneni,                 &X87Control.Fnop,                                 X87Memory.None,    0,   0);
        rows.NoWait(Code.Fndisi,                &X87Control.Fnop,                                 X87Memory.None,    0,   0);
        rows.NoWait(Code.Fnsetpm,               &X87Control.Fnop,                                 X87Memory.None,    0,   0);
        rows.Put(Code.Fnstsw_AX, new X87Entry((nint)Pointer(&X87Control.Fnstsw), (nint)Pointer(&X87Control.CheckNotWaiting), X87Memory.None, 0, X87Result.Ax, 0, 0, false));
        rows.Put(Code.Wait,      new X87Entry((nint)Pointer(&X87Control.Fnop),   (nint)Pointer(&X87Control.Fwait),           X87Memory.None, 0, X87Result.None, 0, 0, false));
    }
}
