using System.Runtime.Intrinsics.X86;
using Emu.Core.Cpu;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Diff.Engines;

/// <summary>What the processor under the silicon engines has.</summary>
internal static class HostProcessor
{
    private static readonly Dictionary<CpuFeature, CpuFeatureInfo> Rows = CpuFeatureTable.All.ToDictionary(row => row.Feature);

    /// <summary>True when the host's CPUID says that it executes <paramref name="code"/>.</summary>
    public static bool Has(Code code) => FormTable.IsOffered(code, Has);

    /// <summary>True on processors of AMD, whose ways are the emulator's where vendors differ.</summary>
    public static bool IsAmd { get; } = X86Base.IsSupported && X86Base.CpuId(0, 0).Ebx == 0x6874_7541; // "Auth"

    private static bool Has(CpuFeature feature)
    {
        if (!X86Base.IsSupported)
        {
            return false;
        }

        CpuFeatureInfo row = Rows[feature];
        (int highest, _, _, _) = X86Base.CpuId((int)(row.Leaf & 0x8000_0000), 0);
        if ((uint)highest < row.Leaf)
        {
            return false;
        }

        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId((int)row.Leaf, (int)row.Subleaf);
        int register = row.Register switch { CpuidRegister.Eax => eax, CpuidRegister.Ebx => ebx, CpuidRegister.Ecx => ecx, _ => edx };
        return (register >> row.Bit & 1) != 0;
    }
}
