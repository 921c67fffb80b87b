using Emu.Frontend.Ir;
using Emu.Frontend.X86.Simd;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <content>Rows of SSE4.2's string comparisons, AES, PCLMULQDQ and SHA. CRC32 is a scalar helper: <see cref="Crypto.Crc32"/>.</content>
public static unsafe partial class SimdTable
{
    private static void AddExtensions(Rows rows)
    {
        rows.Unaligned(Mnemonic.Pcmpistri,   &StringCompare.Pcmpistri,   SimdResult.FlagsAndEcx);
        rows.Unaligned(Mnemonic.Pcmpestri,   &StringCompare.Pcmpestri,   SimdResult.FlagsAndEcx);
        rows.Unaligned(Mnemonic.Pcmpestri64, &StringCompare.Pcmpestri64, SimdResult.FlagsAndEcx);
        rows.Unaligned(Mnemonic.Pcmpistrm,   &StringCompare.Pcmpistrm,   SimdResult.FlagsAndXmm0);
        rows.Unaligned(Mnemonic.Pcmpestrm,   &StringCompare.Pcmpestrm,   SimdResult.FlagsAndXmm0);
        rows.Unaligned(Mnemonic.Pcmpestrm64, &StringCompare.Pcmpestrm64, SimdResult.FlagsAndXmm0);

        rows.Xmm(Mnemonic.Aesenc,          &Crypto.Aesenc,     op: IrVectorOp.AesEncrypt);
        rows.Xmm(Mnemonic.Aesenclast,      &Crypto.Aesenclast, op: IrVectorOp.AesEncryptLast);
        rows.Xmm(Mnemonic.Aesdec,          &Crypto.Aesdec,     op: IrVectorOp.AesDecrypt);
        rows.Xmm(Mnemonic.Aesdeclast,      &Crypto.Aesdeclast, op: IrVectorOp.AesDecryptLast);
        rows.Xmm(Mnemonic.Aesimc,          &Crypto.Aesimc);
        rows.Xmm(Mnemonic.Aeskeygenassist, &Crypto.Aeskeygenassist);
        rows.Xmm(Mnemonic.Pclmulqdq,       &Crypto.Pclmulqdq,  op: IrVectorOp.MulCarryless);

        rows.Xmm(Mnemonic.Sha1rnds4,   &Sha.Sha1rnds4);
        rows.Xmm(Mnemonic.Sha1nexte,   &Sha.Sha1nexte);
        rows.Xmm(Mnemonic.Sha1msg1,    &Sha.Sha1msg1);
        rows.Xmm(Mnemonic.Sha1msg2,    &Sha.Sha1msg2);
        rows.Xmm(Mnemonic.Sha256rnds2, &Sha.Sha256rnds2);
        rows.Xmm(Mnemonic.Sha256msg1,  &Sha.Sha256msg1);
        rows.Xmm(Mnemonic.Sha256msg2,  &Sha.Sha256msg2);
    }
}
