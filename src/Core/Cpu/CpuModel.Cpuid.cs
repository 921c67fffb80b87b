using System.Buffers.Binary;
using System.Text;

namespace Emu.Core.Cpu;

/// <summary>The CPUID leaves (SDM vol. 2, CPUID; AMD APM vol. 3, appendix E).</summary>
public sealed partial class CpuModel
{
    private const uint ExtendedBase = 0x8000_0000;
    private const uint ExtendedMax = 0x8000_0008;
    private const uint HypervisorBase = 0x4000_0000;
    private const uint XsaveLegacySize = 576;
    private const uint XsaveAvxSize = 256;
    private const ulong AvxComponent = 4;
    private const string Vendor = "AuthenticAMD";
    private const string HypervisorSignature = "TCGTCGTCGTCG";

    private static readonly byte[] Brand = Encoding.ASCII.GetBytes("emu virtual CPU".PadRight(48, '\0'));

    private uint BasicMax => Name == "qemu64" ? 0xdu : 0x16;

    /// <summary>Answers CPUID. Leaves out of range give zeros, as on AMD.</summary>
    public CpuidResult GetCpuid(uint leaf, uint subleaf, in CpuidContext context)
    {
        CpuidResult fixedPart = leaf switch
        {
            <= 0x16 when leaf > BasicMax => default,
            0 => WithVendor(BasicMax, Vendor),
            1 => FeatureInformation(context),
            2 => new CpuidResult(1, 0, 0, 0x002c_307d),
            4 => Cache(subleaf),
            0xb => Topology(subleaf, context.ApicId),
            0xd => Xsave(subleaf, context.Xcr0),
            0x15 => new CpuidResult(1, 1, 1_000_000_000, 0),
            0x16 => new CpuidResult(1000, 1000, 100, 0),
            HypervisorBase when Has(CpuFeature.Hypervisor) => WithSignature(HypervisorBase + 1, HypervisorSignature),
            ExtendedBase => WithVendor(ExtendedMax, Vendor),
            0x8000_0001 => ExtendedFeatures(),
            >= 0x8000_0002 and <= 0x8000_0004 => BrandPart((int)(leaf - 0x8000_0002)),
            0x8000_0005 => new CpuidResult(0x01ff_01ff, 0x01ff_01ff, AmdCache(64, 2), AmdCache(64, 2)),
            0x8000_0006 => new CpuidResult(0, 0x4200_4200, (512u << 16) | (8u << 12) | (1 << 8) | 64, 0),
            0x8000_0008 => new CpuidResult((uint)((LinearAddressBits << 8) | PhysicalAddressBits), 0, (uint)((ApicIdBits << 12) | (ProcessorCount - 1)), 0),
            _ => default,
        };
        bool inRange = leaf <= BasicMax || (leaf >= ExtendedBase && leaf <= ExtendedMax);
        return inRange ? AddFeatures(fixedPart, leaf, subleaf, context) : fixedPart;
    }

    private CpuidResult AddFeatures(CpuidResult result, uint leaf, uint subleaf, in CpuidContext context)
    {
        Span<uint> registers = [result.Eax, result.Ebx, result.Ecx, result.Edx];
        foreach (CpuFeatureInfo info in CpuFeatureTable.All)
        {
            // Only leaves 7 and 0DH look at the subleaf.
            bool present = info.Leaf == leaf && Has(info.Feature) && (info.Subleaf == subleaf || leaf is not (7 or 0xd));
            if (present && (info.Feature != CpuFeature.Apic || context.ApicEnabled))
            {
                registers[(int)info.Register] |= 1u << info.Bit;
            }
        }

        return new CpuidResult(registers[0], registers[1], registers[2], registers[3]);
    }

    private CpuidResult FeatureInformation(in CpuidContext context)
    {
        const uint ClflushQwords = 8;
        const uint Osxsave = 1 << 27;
        const uint Ht = 1 << 28;
        uint count = (uint)Math.Min(ProcessorCount, 255);
        uint ebx = (context.ApicId << 24) | (count << 16) | (ClflushQwords << 8);
        return new CpuidResult(Signature, ebx, context.Osxsave ? Osxsave : 0, count > 1 ? Ht : 0);
    }

    private CpuidResult ExtendedFeatures()
    {
        // AMD repeats most of leaf 1's EDX here.
        const uint Shared = 0x0183_f3ff;
        const uint CmpLegacy = 1 << 1;
        uint edx = 0;
        foreach (CpuFeatureInfo info in CpuFeatureTable.All)
        {
            if (info is { Leaf: 1, Register: CpuidRegister.Edx } && Has(info.Feature))
            {
                edx |= (1u << info.Bit) & Shared;
            }
        }

        return new CpuidResult(Signature, 0, ProcessorCount > 1 ? CmpLegacy : 0, edx);
    }

    // Deterministic cache parameters: 64 KiB data and instruction caches, 512 KiB second level, 64-byte lines.
    private static CpuidResult Cache(uint subleaf) => subleaf switch
    {
        0 => CacheLevel(type: 1, level: 1, ways: 2, sets: 512),
        1 => CacheLevel(type: 2, level: 1, ways: 2, sets: 512),
        2 => CacheLevel(type: 3, level: 2, ways: 16, sets: 512),
        _ => default,
    };

    private static CpuidResult CacheLevel(uint type, uint level, uint ways, uint sets) =>
        new((1 << 8) | (level << 5) | type, ((ways - 1) << 22) | 63, sets - 1, 0);

    private static uint AmdCache(uint kilobytes, uint ways) => (kilobytes << 24) | (ways << 16) | (1 << 8) | 64;

    private CpuidResult Topology(uint subleaf, uint apicId) => subleaf switch
    {
        0 => new CpuidResult(0, 1, 0x100, apicId),
        1 => new CpuidResult((uint)ApicIdBits, (uint)ProcessorCount, 0x201, apicId),
        _ => new CpuidResult(0, 0, subleaf & 0xff, apicId),
    };

    // SDM vol. 1, 13.2. x87 and SSE live in the legacy area; AVX, the upper halves of YMM, follows it in both formats.
    private CpuidResult Xsave(uint subleaf, ulong xcr0) => !Has(CpuFeature.Xsave) ? default : subleaf switch
    {
        0 => new CpuidResult((uint)Xcr0Mask, XsaveSize(xcr0), XsaveSize(Xcr0Mask), 0),
        1 => new CpuidResult(0, Has(CpuFeature.Xsavec) ? XsaveSize(xcr0) : 0, 0, 0),
        2 when (Xcr0Mask & AvxComponent) != 0 => new CpuidResult(XsaveAvxSize, XsaveLegacySize, 0, 0),
        _ => default,
    };

    private static uint XsaveSize(ulong components) => XsaveLegacySize + ((components & AvxComponent) != 0 ? XsaveAvxSize : 0);

    private static CpuidResult BrandPart(int part) => new(BrandWord(part * 16), BrandWord((part * 16) + 4), BrandWord((part * 16) + 8), BrandWord((part * 16) + 12));

    private static uint BrandWord(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(Brand.AsSpan(offset));

    // The vendor is spread over EBX, EDX, ECX; a hypervisor's signature over EBX, ECX, EDX.
    private static CpuidResult WithVendor(uint eax, string text)
    {
        CpuidResult straight = WithSignature(eax, text);
        return straight with { Ecx = straight.Edx, Edx = straight.Ecx };
    }

    private static CpuidResult WithSignature(uint eax, string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        return new CpuidResult(
            eax,
            BinaryPrimitives.ReadUInt32LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4)),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)));
    }
}
