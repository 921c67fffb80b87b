using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>MASKMOVQ and MASKMOVDQU (SDM vol. 2): bytes of the first operand stored where the second has its sign bit set.</summary>
internal static unsafe class MaskedStore
{
    /// <summary>
    /// Stores under mask at a linear address. Pages are probed before the first byte is written; bytes outside the mask
    /// cause no fault, and an empty mask accesses nothing (both implementation-dependent in the manual).
    /// </summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="linear">Linear address of DS:rDI.</param>
    /// <param name="a">Data.</param>
    /// <param name="b">Mask.</param>
    /// <param name="bytes">8 for MASKMOVQ, 16 for MASKMOVDQU.</param>
    public static void Store(CpuHeader* cpu, ulong linear, byte* a, byte* b, int bytes)
    {
        X86Cpu owner = X86Cpu.From(cpu);
        for (int i = 0; i < bytes; i++)
        {
            if ((b[i] & 0x80) != 0)
            {
                owner.ProbeWrite(linear + (uint)i, 1);
            }
        }

        for (int i = 0; i < bytes; i++)
        {
            if ((b[i] & 0x80) != 0)
            {
                owner.WriteLinear(linear + (uint)i, a[i], 1);
            }
        }
    }
}
