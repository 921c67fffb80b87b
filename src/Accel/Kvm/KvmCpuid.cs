using System.Buffers.Binary;
using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>The CPUID that a vCPU gets: the model's leaves, without features that this host's KVM cannot give, and KVM's own leaves.</summary>
internal static class KvmCpuid
{
    private const uint HypervisorBase = 0x4000_0000;
    private const uint KvmFeatures = HypervisorBase + 1;
    private const uint KvmTiming = HypervisorBase + 0x10;
    private const uint ExtendedBase = 0x8000_0000;
    private const uint BusClockKhz = 1_000_000;

    // KVM_FEATURE_*: clock source (old, new, stable), no I/O delay, steal time. Asynchronous page faults are left out: they
    // need an interrupt that only a local APIC in the kernel can take.
    private const uint ClockSource = 1 << 0;
    private const uint NoIoDelay = 1 << 1;
    private const uint ClockSource2 = 1 << 3;
    private const uint StealTime = 1 << 5;
    private const uint PvEoi = 1 << 6;
    private const uint ClockStable = 1 << 24;

    // The frequency of a TSC that is the host's own is for KVM to say, not for the model.
    private static readonly uint[] ReplacedLeaves = [0x15, 0x16];

    /// <summary>The entries for vCPU <paramref name="index"/>.</summary>
    public static KvmCpuidEntry[] Build(CpuModel model, IReadOnlyList<KvmCpuidEntry> supported, int index, bool apicInKernel, int tscKhz)
    {
        var entries = new List<KvmCpuidEntry>();
        model = model.Without([.. Missing(model, supported, apicInKernel)]);
        var context = new CpuidContext((uint)index, ApicEnabled: true, Osxsave: false, model.Xcr0Mask);
        AddRange(entries, model, context, 0);
        if (model.Has(CpuFeature.Hypervisor))
        {
            AddHypervisor(entries, supported, apicInKernel, tscKhz);
        }

        AddRange(entries, model, context, ExtendedBase);
        LimitAddressWidth(entries, supported);
        return [.. entries];
    }

    /// <summary>The features of <paramref name="model"/> that this host's KVM does not give.</summary>
    public static IEnumerable<CpuFeatureInfo> Missing(CpuModel model, IReadOnlyList<KvmCpuidEntry> supported, bool apicInKernel) =>
        model.Features.Where(info => !IsOffered(info, supported, apicInKernel));

    private static void AddRange(List<KvmCpuidEntry> entries, CpuModel model, in CpuidContext context, uint first)
    {
        uint last = model.GetCpuid(first, 0, context).Eax;
        for (uint leaf = first; leaf <= last; leaf++)
        {
            if (ReplacedLeaves.Contains(leaf))
            {
                continue;
            }

            int subleaves = leaf switch { 4 => 4, 7 => 1, 0xb => 3, 0xd => 3, _ => 0 };
            for (uint subleaf = 0; subleaf < Math.Max(1, subleaves); subleaf++)
            {
                CpuidResult result = model.GetCpuid(leaf, subleaf, context);
                entries.Add(Entry(leaf, subleaf, subleaves > 0, result));
            }
        }
    }

    private static void AddHypervisor(List<KvmCpuidEntry> entries, IReadOnlyList<KvmCpuidEntry> supported, bool apicInKernel, int tscKhz)
    {
        ReadOnlySpan<byte> signature = "KVMKVMKVM\0\0\0"u8;
        entries.Add(Entry(HypervisorBase, 0, false, new CpuidResult(
            tscKhz > 0 ? KvmTiming : KvmFeatures,
            BinaryPrimitives.ReadUInt32LittleEndian(signature),
            BinaryPrimitives.ReadUInt32LittleEndian(signature[4..]),
            BinaryPrimitives.ReadUInt32LittleEndian(signature[8..]))));
        uint wanted = ClockSource | NoIoDelay | ClockSource2 | StealTime | ClockStable | (apicInKernel ? PvEoi : 0);
        entries.Add(Entry(KvmFeatures, 0, false, new CpuidResult(Find(supported, KvmFeatures, 0).Eax & wanted, 0, 0, 0)));
        if (tscKhz > 0)
        {
            entries.Add(Entry(KvmTiming, 0, false, new CpuidResult((uint)tscKhz, BusClockKhz, 0, 0)));
        }
    }

    private static bool IsOffered(CpuFeatureInfo info, IReadOnlyList<KvmCpuidEntry> supported, bool apicInKernel) => info.Feature switch
    {
        // KVM does these whatever its list says, the last two only with its own local APIC.
        CpuFeature.Hypervisor or CpuFeature.Apic or CpuFeature.Arat => true,
        CpuFeature.X2apic or CpuFeature.TscDeadline => apicInKernel,
        _ => (Register(Find(supported, info.Leaf, info.Subleaf), info.Register) & (1u << info.Bit)) != 0,
    };

    // A guest that believes in more physical address bits than the host has would set reserved bits of page tables.
    private static void LimitAddressWidth(List<KvmCpuidEntry> entries, IReadOnlyList<KvmCpuidEntry> supported)
    {
        const uint AddressSizes = ExtendedBase + 8;
        uint host = Find(supported, AddressSizes, 0).Eax & 0xff;
        int at = entries.FindIndex(entry => entry.Function == AddressSizes);
        if (at >= 0 && host != 0 && (entries[at].Eax & 0xff) > host)
        {
            entries[at] = entries[at] with { Eax = (entries[at].Eax & ~0xffu) | host };
        }
    }

    private static KvmCpuidEntry Entry(uint leaf, uint subleaf, bool hasSubleaves, in CpuidResult result) => new()
    {
        Function = leaf,
        Index = subleaf,
        Flags = hasSubleaves ? KvmCpuidEntry.SignificantIndex : 0,
        Eax = result.Eax,
        Ebx = result.Ebx,
        Ecx = result.Ecx,
        Edx = result.Edx,
    };

    private static KvmCpuidEntry Find(IReadOnlyList<KvmCpuidEntry> entries, uint leaf, uint subleaf) =>
        entries.FirstOrDefault(entry => entry.Function == leaf && entry.Index == subleaf);

    private static uint Register(in KvmCpuidEntry entry, CpuidRegister register) => register switch
    {
        CpuidRegister.Eax => entry.Eax,
        CpuidRegister.Ebx => entry.Ebx,
        CpuidRegister.Ecx => entry.Ecx,
        _ => entry.Edx,
    };
}
