namespace Emu.Frontend.Ir;

/// <summary>
/// What a vector helper computes, for consumers that have an instruction for it (<see cref="IrOp.VectorOp"/>). The helper stays the
/// definition; these names promise that it touches nothing but its operands, and of floating-point operations, the exception flags in
/// <see cref="CpuHeader.FloatStatus"/>. Vectors have 128 bits. Operations with a value are <see cref="IrOpcode.CallVectorValue"/>.
/// </summary>
public enum IrVectorOp : byte
{
    /// <summary>Known only as a helper.</summary>
    None,

    /// <summary>Dst ← A + B, lanes of 8 bits.</summary>
    AddI8,

    /// <summary>Dst ← A + B, lanes of 16 bits.</summary>
    AddI16,

    /// <summary>Dst ← A + B, lanes of 32 bits.</summary>
    AddI32,

    /// <summary>Dst ← A + B, lanes of 64 bits.</summary>
    AddI64,

    /// <summary>Dst ← A − B, lanes of 8 bits.</summary>
    SubI8,

    /// <summary>Dst ← A − B, lanes of 16 bits.</summary>
    SubI16,

    /// <summary>Dst ← A − B, lanes of 32 bits.</summary>
    SubI32,

    /// <summary>Dst ← A − B, lanes of 64 bits.</summary>
    SubI64,

    /// <summary>A + B, clamped to signed 8 bits.</summary>
    AddSaturateS8,

    /// <summary>A + B, clamped to signed 16 bits.</summary>
    AddSaturateS16,

    /// <summary>A + B, clamped to unsigned 8 bits.</summary>
    AddSaturateU8,

    /// <summary>A + B, clamped to unsigned 16 bits.</summary>
    AddSaturateU16,

    /// <summary>A − B, clamped to signed 8 bits.</summary>
    SubSaturateS8,

    /// <summary>A − B, clamped to signed 16 bits.</summary>
    SubSaturateS16,

    /// <summary>A − B, clamped to unsigned 8 bits.</summary>
    SubSaturateU8,

    /// <summary>A − B, clamped to unsigned 16 bits.</summary>
    SubSaturateU16,

    /// <summary>All ones where A = B, lanes of 8 bits.</summary>
    EqualI8,

    /// <summary>All ones where A = B, lanes of 16 bits.</summary>
    EqualI16,

    /// <summary>All ones where A = B, lanes of 32 bits.</summary>
    EqualI32,

    /// <summary>All ones where A = B, lanes of 64 bits.</summary>
    EqualI64,

    /// <summary>All ones where A &gt; B, signed lanes of 8 bits.</summary>
    GreaterS8,

    /// <summary>All ones where A &gt; B, signed lanes of 16 bits.</summary>
    GreaterS16,

    /// <summary>All ones where A &gt; B, signed lanes of 32 bits.</summary>
    GreaterS32,

    /// <summary>All ones where A &gt; B, signed lanes of 64 bits.</summary>
    GreaterS64,

    /// <summary>Smaller of A and B, signed lanes of 8 bits.</summary>
    MinS8,

    /// <summary>Smaller of A and B, unsigned lanes of 8 bits.</summary>
    MinU8,

    /// <summary>Smaller of A and B, signed lanes of 16 bits.</summary>
    MinS16,

    /// <summary>Smaller of A and B, unsigned lanes of 16 bits.</summary>
    MinU16,

    /// <summary>Smaller of A and B, signed lanes of 32 bits.</summary>
    MinS32,

    /// <summary>Smaller of A and B, unsigned lanes of 32 bits.</summary>
    MinU32,

    /// <summary>Greater of A and B, signed lanes of 8 bits.</summary>
    MaxS8,

    /// <summary>Greater of A and B, unsigned lanes of 8 bits.</summary>
    MaxU8,

    /// <summary>Greater of A and B, signed lanes of 16 bits.</summary>
    MaxS16,

    /// <summary>Greater of A and B, unsigned lanes of 16 bits.</summary>
    MaxU16,

    /// <summary>Greater of A and B, signed lanes of 32 bits.</summary>
    MaxS32,

    /// <summary>Greater of A and B, unsigned lanes of 32 bits.</summary>
    MaxU32,

    /// <summary>A &amp; B.</summary>
    And,

    /// <summary>A | B.</summary>
    Or,

    /// <summary>A ^ B.</summary>
    Xor,

    /// <summary>~A &amp; B.</summary>
    AndNot,

    /// <summary>|B|, lanes of 8 bits.</summary>
    AbsI8,

    /// <summary>|B|, lanes of 16 bits.</summary>
    AbsI16,

    /// <summary>|B|, lanes of 32 bits.</summary>
    AbsI32,

    /// <summary>A with the sign of B applied, or zero where B is, lanes of 8 bits.</summary>
    SignI8,

    /// <summary>A with the sign of B applied, or zero where B is, lanes of 16 bits.</summary>
    SignI16,

    /// <summary>A with the sign of B applied, or zero where B is, lanes of 32 bits.</summary>
    SignI32,

    /// <summary>Low half of A × B, lanes of 16 bits.</summary>
    MulLowI16,

    /// <summary>Low half of A × B, lanes of 32 bits.</summary>
    MulLowI32,

    /// <summary>High half of A × B, signed lanes of 16 bits.</summary>
    MulHighS16,

    /// <summary>High half of A × B, unsigned lanes of 16 bits.</summary>
    MulHighU16,

    /// <summary>A × B / 2^15, rounded, signed lanes of 16 bits.</summary>
    MulRoundS16,

    /// <summary>Sums of the products of neighbouring signed 16-bit lanes.</summary>
    MulAddPairsS16,

    /// <summary>Saturated sums of the products of neighbouring 8-bit lanes, A unsigned, B signed.</summary>
    MulAddPairsU8S8,

    /// <summary>Products of the even unsigned 32-bit lanes.</summary>
    MulEvenU32,

    /// <summary>Products of the even signed 32-bit lanes.</summary>
    MulEvenS32,

    /// <summary>(A + B + 1) / 2, unsigned lanes of 8 bits.</summary>
    AverageU8,

    /// <summary>(A + B + 1) / 2, unsigned lanes of 16 bits.</summary>
    AverageU16,

    /// <summary>Sums of |A − B| over the eight bytes of each half.</summary>
    SumAbsDifferenceU8,

    /// <summary>Sums of neighbouring lanes of 16 bits, of A then B.</summary>
    HorizontalAddI16,

    /// <summary>Sums of neighbouring lanes of 32 bits, of A then B.</summary>
    HorizontalAddI32,

    /// <summary>Saturated sums of neighbouring signed lanes of 16 bits, of A then B.</summary>
    HorizontalAddSaturateS16,

    /// <summary>Differences of neighbouring lanes of 16 bits, of A then B.</summary>
    HorizontalSubI16,

    /// <summary>Differences of neighbouring lanes of 32 bits, of A then B.</summary>
    HorizontalSubI32,

    /// <summary>Saturated differences of neighbouring signed lanes of 16 bits, of A then B.</summary>
    HorizontalSubSaturateS16,

    /// <summary>Lanes of 16 bits of A shifted left by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftLeftI16,

    /// <summary>Lanes of 32 bits of A shifted left by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftLeftI32,

    /// <summary>Lanes of 64 bits of A shifted left by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftLeftI64,

    /// <summary>Lanes of 16 bits of A shifted right by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftRightI16,

    /// <summary>Lanes of 32 bits of A shifted right by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftRightI32,

    /// <summary>Lanes of 64 bits of A shifted right by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftRightI64,

    /// <summary>Lanes of 16 bits of A shifted right, copying the sign by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftRightArithmeticI16,

    /// <summary>Lanes of 32 bits of A shifted right, copying the sign by the low 64 bits of B; larger counts shift everything out.</summary>
    ShiftRightArithmeticI32,

    /// <summary>Lanes of 16 bits of A shifted left by the immediate byte.</summary>
    ShiftLeftImmediateI16,

    /// <summary>Lanes of 32 bits of A shifted left by the immediate byte.</summary>
    ShiftLeftImmediateI32,

    /// <summary>Lanes of 64 bits of A shifted left by the immediate byte.</summary>
    ShiftLeftImmediateI64,

    /// <summary>Lanes of 16 bits of A shifted right by the immediate byte.</summary>
    ShiftRightImmediateI16,

    /// <summary>Lanes of 32 bits of A shifted right by the immediate byte.</summary>
    ShiftRightImmediateI32,

    /// <summary>Lanes of 64 bits of A shifted right by the immediate byte.</summary>
    ShiftRightImmediateI64,

    /// <summary>Lanes of 16 bits of A shifted right, copying the sign by the immediate byte.</summary>
    ShiftRightArithmeticImmediateI16,

    /// <summary>Lanes of 32 bits of A shifted right, copying the sign by the immediate byte.</summary>
    ShiftRightArithmeticImmediateI32,

    /// <summary>A shifted left by the immediate byte, in bytes.</summary>
    ShiftLeftBytes,

    /// <summary>A shifted right by the immediate byte, in bytes.</summary>
    ShiftRightBytes,

    /// <summary>The low halves of A and B interleaved by lanes of 8 bits.</summary>
    InterleaveLowI8,

    /// <summary>The low halves of A and B interleaved by lanes of 16 bits.</summary>
    InterleaveLowI16,

    /// <summary>The low halves of A and B interleaved by lanes of 32 bits.</summary>
    InterleaveLowI32,

    /// <summary>The low halves of A and B interleaved by lanes of 64 bits.</summary>
    InterleaveLowI64,

    /// <summary>The high halves of A and B interleaved by lanes of 8 bits.</summary>
    InterleaveHighI8,

    /// <summary>The high halves of A and B interleaved by lanes of 16 bits.</summary>
    InterleaveHighI16,

    /// <summary>The high halves of A and B interleaved by lanes of 32 bits.</summary>
    InterleaveHighI32,

    /// <summary>The high halves of A and B interleaved by lanes of 64 bits.</summary>
    InterleaveHighI64,

    /// <summary>Signed lanes of 16 bits of A then B clamped to signed 8 bits.</summary>
    PackS16ToS8,

    /// <summary>Signed lanes of 32 bits of A then B clamped to signed 16 bits.</summary>
    PackS32ToS16,

    /// <summary>Signed lanes of 16 bits of A then B clamped to unsigned 8 bits.</summary>
    PackS16ToU8,

    /// <summary>Signed lanes of 32 bits of A then B clamped to unsigned 16 bits.</summary>
    PackS32ToU16,

    /// <summary>Bytes of A chosen by bits 3:0 of those of B, zero where bit 7 is set.</summary>
    ShuffleBytes,

    /// <summary>A:B shifted right by the immediate byte, in bytes.</summary>
    AlignRight,

    /// <summary>Four lanes of 32 bits of B chosen by the immediate.</summary>
    ShuffleI32,

    /// <summary>The low four lanes of 16 bits of B chosen by the immediate.</summary>
    ShuffleLowI16,

    /// <summary>The high four lanes of 16 bits of B chosen by the immediate.</summary>
    ShuffleHighI16,

    /// <summary>Two lanes of 32 bits of A and two of B chosen by the immediate.</summary>
    ShufflePairI32,

    /// <summary>One lane of 64 bits of A and one of B chosen by the immediate.</summary>
    ShufflePairI64,

    /// <summary>Even lanes of 32 bits of B twice.</summary>
    DuplicateEvenI32,

    /// <summary>Odd lanes of 32 bits of B twice.</summary>
    DuplicateOddI32,

    /// <summary>The low half of B twice.</summary>
    DuplicateLowI64,

    /// <summary>The high half of B below that of A.</summary>
    MoveHighToLow,

    /// <summary>Lanes of 16 bits of B where the immediate has ones, else of A.</summary>
    BlendI16,

    /// <summary>Lanes of 32 bits of B where the immediate has ones, else of A.</summary>
    BlendI32,

    /// <summary>Lanes of 64 bits of B where the immediate has ones, else of A.</summary>
    BlendI64,

    /// <summary>A with the 8-bit lane of the immediate taken from B's lowest.</summary>
    InsertI8,

    /// <summary>A with the 16-bit lane of the immediate taken from B's lowest.</summary>
    InsertI16,

    /// <summary>A with the 32-bit lane of the immediate taken from B's lowest.</summary>
    InsertI32,

    /// <summary>A with the 64-bit lane of the immediate taken from B's lowest.</summary>
    InsertI64,

    /// <summary>The lowest lanes of 8 bits of B sign-extended to 16.</summary>
    ExtendS8To16,

    /// <summary>The lowest lanes of 8 bits of B sign-extended to 32.</summary>
    ExtendS8To32,

    /// <summary>The lowest lanes of 8 bits of B sign-extended to 64.</summary>
    ExtendS8To64,

    /// <summary>The lowest lanes of 16 bits of B sign-extended to 32.</summary>
    ExtendS16To32,

    /// <summary>The lowest lanes of 16 bits of B sign-extended to 64.</summary>
    ExtendS16To64,

    /// <summary>The lowest lanes of 32 bits of B sign-extended to 64.</summary>
    ExtendS32To64,

    /// <summary>The lowest lanes of 8 bits of B zero-extended to 16.</summary>
    ExtendU8To16,

    /// <summary>The lowest lanes of 8 bits of B zero-extended to 32.</summary>
    ExtendU8To32,

    /// <summary>The lowest lanes of 8 bits of B zero-extended to 64.</summary>
    ExtendU8To64,

    /// <summary>The lowest lanes of 16 bits of B zero-extended to 32.</summary>
    ExtendU16To32,

    /// <summary>The lowest lanes of 16 bits of B zero-extended to 64.</summary>
    ExtendU16To64,

    /// <summary>The lowest lanes of 32 bits of B zero-extended to 64.</summary>
    ExtendU32To64,

    /// <summary>Value: the 8-bit lane of the immediate of B.</summary>
    ExtractI8,

    /// <summary>Value: the 16-bit lane of the immediate of B.</summary>
    ExtractI16,

    /// <summary>Value: the 32-bit lane of the immediate of B.</summary>
    ExtractI32,

    /// <summary>Value: the 64-bit lane of the immediate of B.</summary>
    ExtractI64,

    /// <summary>Value: the top bits of the 8-bit lanes of B.</summary>
    SignMaskI8,

    /// <summary>Value: the top bits of the 32-bit lanes of B.</summary>
    SignMaskI32,

    /// <summary>Value: the top bits of the 64-bit lanes of B.</summary>
    SignMaskI64,

    /// <summary>A with its lowest lane of 32 bits taken from B.</summary>
    MergeLowI32,

    /// <summary>A &lt;&lt; B lane by lane, 32 bits; zero for counts beyond.</summary>
    ShiftLeftEachI32,

    /// <summary>A &lt;&lt; B lane by lane, 64 bits.</summary>
    ShiftLeftEachI64,

    /// <summary>A &gt;&gt;&gt; B lane by lane, 32 bits.</summary>
    ShiftRightEachI32,

    /// <summary>A &gt;&gt;&gt; B lane by lane, 64 bits.</summary>
    ShiftRightEachI64,

    /// <summary>A &gt;&gt; B lane by lane, 32 bits; copies of the sign for counts beyond.</summary>
    ShiftRightArithmeticEachI32,

    /// <summary>A round of AES encryption of A with the key B.</summary>
    AesEncrypt,

    /// <summary>The last round of AES encryption.</summary>
    AesEncryptLast,

    /// <summary>A round of AES decryption.</summary>
    AesDecrypt,

    /// <summary>The last round of AES decryption.</summary>
    AesDecryptLast,

    /// <summary>The carry-less product of the 64-bit lanes of A and B that immediate bits 0 and 4 choose.</summary>
    MulCarryless,

    /// <summary>B where the top bit of Dst is set, else A; lanes of 8 bits.</summary>
    BlendSignI8,

    /// <summary>B where the top bit of Dst is set, else A; lanes of 32 bits.</summary>
    BlendSignI32,

    /// <summary>B where the top bit of Dst is set, else A; lanes of 64 bits.</summary>
    BlendSignI64,

    /// <summary>A + B; lanes of 32 bits.</summary>
    AddF32,

    /// <summary>A + B; lanes of 64 bits.</summary>
    AddF64,

    /// <summary>A + B; lowest lane of 32 bits, the others of A.</summary>
    AddScalarF32,

    /// <summary>A + B; lowest lane of 64 bits, the other of A.</summary>
    AddScalarF64,

    /// <summary>A − B; lanes of 32 bits.</summary>
    SubF32,

    /// <summary>A − B; lanes of 64 bits.</summary>
    SubF64,

    /// <summary>A − B; lowest lane of 32 bits, the others of A.</summary>
    SubScalarF32,

    /// <summary>A − B; lowest lane of 64 bits, the other of A.</summary>
    SubScalarF64,

    /// <summary>A × B; lanes of 32 bits.</summary>
    MulF32,

    /// <summary>A × B; lanes of 64 bits.</summary>
    MulF64,

    /// <summary>A × B; lowest lane of 32 bits, the others of A.</summary>
    MulScalarF32,

    /// <summary>A × B; lowest lane of 64 bits, the other of A.</summary>
    MulScalarF64,

    /// <summary>A / B; lanes of 32 bits.</summary>
    DivF32,

    /// <summary>A / B; lanes of 64 bits.</summary>
    DivF64,

    /// <summary>A / B; lowest lane of 32 bits, the others of A.</summary>
    DivScalarF32,

    /// <summary>A / B; lowest lane of 64 bits, the other of A.</summary>
    DivScalarF64,

    /// <summary>A where A &lt; B, else B; lanes of 32 bits.</summary>
    MinF32,

    /// <summary>A where A &lt; B, else B; lanes of 64 bits.</summary>
    MinF64,

    /// <summary>A where A &lt; B, else B; lowest lane of 32 bits, the others of A.</summary>
    MinScalarF32,

    /// <summary>A where A &lt; B, else B; lowest lane of 64 bits, the other of A.</summary>
    MinScalarF64,

    /// <summary>A where A &gt; B, else B; lanes of 32 bits.</summary>
    MaxF32,

    /// <summary>A where A &gt; B, else B; lanes of 64 bits.</summary>
    MaxF64,

    /// <summary>A where A &gt; B, else B; lowest lane of 32 bits, the others of A.</summary>
    MaxScalarF32,

    /// <summary>A where A &gt; B, else B; lowest lane of 64 bits, the other of A.</summary>
    MaxScalarF64,

    /// <summary>Square root of B; lanes of 32 bits.</summary>
    SqrtF32,

    /// <summary>Square root of B; lanes of 64 bits.</summary>
    SqrtF64,

    /// <summary>Square root of B; lowest lane of 32 bits, the others of A.</summary>
    SqrtScalarF32,

    /// <summary>Square root of B; lowest lane of 64 bits, the other of A.</summary>
    SqrtScalarF64,

    /// <summary>All ones where A and B meet predicate imm[2:0]: equal, less, less or equal, unordered and their opposites; lanes of 32 bits.</summary>
    CompareF32,

    /// <summary>All ones where A and B meet predicate imm[2:0]: equal, less, less or equal, unordered and their opposites; lanes of 64 bits.</summary>
    CompareF64,

    /// <summary>All ones where A and B meet predicate imm[2:0]: equal, less, less or equal, unordered and their opposites; lowest lane of 32 bits, the others of A.</summary>
    CompareScalarF32,

    /// <summary>All ones where A and B meet predicate imm[2:0]: equal, less, less or equal, unordered and their opposites; lowest lane of 64 bits, the other of A.</summary>
    CompareScalarF64,

    /// <summary>A + B in odd lanes, A − B in even ones; lanes of 32 bits.</summary>
    AddSubF32,

    /// <summary>Sums of neighbours, of A then B; lanes of 32 bits.</summary>
    HorizontalAddF32,

    /// <summary>Differences of neighbours, of A then B; lanes of 32 bits.</summary>
    HorizontalSubF32,

    /// <summary>A + B in odd lanes, A − B in even ones; lanes of 64 bits.</summary>
    AddSubF64,

    /// <summary>Sums of neighbours, of A then B; lanes of 64 bits.</summary>
    HorizontalAddF64,

    /// <summary>Differences of neighbours, of A then B; lanes of 64 bits.</summary>
    HorizontalSubF64,

    /// <summary>B rounded to an integral value as the immediate says (as x86 ROUND); lanes of 32 bits.</summary>
    RoundF32,

    /// <summary>B rounded to an integral value as the immediate says (as x86 ROUND); lanes of 64 bits.</summary>
    RoundF64,

    /// <summary>B rounded to an integral value as the immediate says (as x86 ROUND); lowest lane of 32 bits, the others of A.</summary>
    RoundScalarF32,

    /// <summary>B rounded to an integral value as the immediate says (as x86 ROUND); lowest lane of 64 bits, the other of A.</summary>
    RoundScalarF64,

    /// <summary>Signed lanes of 32 bits of B to floats.</summary>
    ConvertS32ToF32,

    /// <summary>The two lowest signed lanes of 32 bits of B to doubles.</summary>
    ConvertS32ToF64,

    /// <summary>The two lowest floats of B to doubles.</summary>
    ConvertF32ToF64,

    /// <summary>Doubles of B to floats, the high half zero.</summary>
    ConvertF64ToF32,

    /// <summary>Floats of B to signed 32 bits, rounded; what does not fit is 2^31.</summary>
    ConvertF32ToS32,

    /// <summary>The same, truncated.</summary>
    TruncateF32ToS32,

    /// <summary>Doubles of B to signed 32 bits, rounded, the high half zero.</summary>
    ConvertF64ToS32,

    /// <summary>The same, truncated.</summary>
    TruncateF64ToS32,

    /// <summary>The lowest float of B to a double; the other half of A.</summary>
    ConvertScalarF32ToF64,

    /// <summary>The lowest double of B to a float; the other lanes of A.</summary>
    ConvertScalarF64ToF32,

    /// <summary>The scalar B, 32 bits, to a float; the other lanes of A.</summary>
    ConvertS32ToScalarF32,

    /// <summary>The scalar B, 32 bits, to a double; the other half of A.</summary>
    ConvertS32ToScalarF64,

    /// <summary>The scalar B, 64 bits, to a float; the other lanes of A.</summary>
    ConvertS64ToScalarF32,

    /// <summary>The scalar B, 64 bits, to a double; the other half of A.</summary>
    ConvertS64ToScalarF64,

    /// <summary>Value: the lowest float of B to signed 64 bits, rounded; 2^63 when it does not fit.</summary>
    ConvertScalarF32ToS64,

    /// <summary>The same, truncated.</summary>
    TruncateScalarF32ToS64,

    /// <summary>Value: the lowest double of B to signed 64 bits, rounded; 2^63 when it does not fit.</summary>
    ConvertScalarF64ToS64,

    /// <summary>The same, truncated.</summary>
    TruncateScalarF64ToS64,

    /// <summary>Value: the lowest float of B to signed 32 bits, rounded; 2^31 when it does not fit.</summary>
    ConvertScalarF32ToS32,

    /// <summary>The same, truncated.</summary>
    TruncateScalarF32ToS32,

    /// <summary>Value: the lowest double of B to signed 32 bits, rounded; 2^31 when it does not fit.</summary>
    ConvertScalarF64ToS32,

    /// <summary>The same, truncated.</summary>
    TruncateScalarF64ToS32,

    /// <summary>Value: the order of the lowest floats of A and B as flag bits of x86 (unordered 45H, less 1, equal 40H); any NaN is invalid.</summary>
    OrderF32,

    /// <summary>The same of doubles.</summary>
    OrderF64,

    /// <summary>Value: as <see cref="OrderF32"/>; a quiet NaN is not invalid.</summary>
    OrderQuietF32,

    /// <summary>The same of doubles.</summary>
    OrderQuietF64,

    /// <summary>
    /// x × y + z with one rounding; lanes of 32 bits. Immediate bits 1:0 say which operands those are: 0 for Dst, B, A, 1 for A, Dst, B, 2 for
    /// A, B, Dst. Bits 4:2 are the variant: z is subtracted in odd lanes, in even lanes, the product is negated. A NaN comes out unnegated.
    /// </summary>
    FusedMultiplyAddF32,

    /// <summary>The same with lanes of 64 bits.</summary>
    FusedMultiplyAddF64,

    /// <summary>The same in the lowest lane, the others kept.</summary>
    FusedMultiplyAddScalarF32,

    /// <summary>The same with lanes of 64 bits.</summary>
    FusedMultiplyAddScalarF64,
}

/// <summary>Questions about <see cref="IrVectorOp"/>.</summary>
public static class IrVectorOps
{
    /// <summary>True for operations that depend on floating-point control and raise exceptions.</summary>
    public static bool IsFloat(IrVectorOp op) => op >= IrVectorOp.AddF32;

    /// <summary>True for operations that also take what Dst was.</summary>
    public static bool ReadsDestination(IrVectorOp op) => op is >= IrVectorOp.FusedMultiplyAddF32 or (>= IrVectorOp.BlendSignI8 and <= IrVectorOp.BlendSignI64);
}
