using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>MASKMOVQ and MASKMOVDQU (SDM vol. 2): bytes of the first operand stored where the second has its sign bit set.</summary>
internal static unsafe class MaskedStore
{
    /// <summary>
    /// Stores under mask at a linear address. All bytes are probed before the first is written, those outside the mask and under an empty
    /// mask too: the manual leaves that to the processor, and AMD's do so.
    /// </summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="linear">Linear address of DS:rDI.</param>
    /// <param name="a">Data.</param>
    /// <param name="b">Mask.</param>
    /// <param name="bytes">8 for MASKMOVQ, 16 for MASKMOVDQU.</param>
    public static void Store(CpuHeader* cpu, ulong linear, byte* a, byte* b, int bytes)
    {
        X86Cpu owner = X86Cpu.From(cpu);
        owner.ProbeWrite(linear, bytes);
        for (int i = 0; i < bytes; i++)
        {
            if ((b[i] & 0x80) != 0)
            {
                owner.WriteLinear(linear + (uint)i, a[i], 1);
            }
        }
    }
}
