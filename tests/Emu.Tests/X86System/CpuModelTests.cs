using Emu.Core.Cpu;

namespace Emu.Tests.X86System;

public sealed class CpuModelTests
{
    private static readonly CpuidContext Context = new(1, true, true, 3);

    [Fact]
    public void Qemu64_HasItsFeaturesButNoneThatIsNotImplemented()
    {
        CpuModel model = CpuModel.Parse("qemu64");

        Assert.True(model.Has(CpuFeature.Lm) && model.Has(CpuFeature.Cx16) && model.Has(CpuFeature.Nx));
        Assert.False(model.Has(CpuFeature.Avx) || model.Has(CpuFeature.Svm) || model.Has(CpuFeature.Smep));
        Assert.All(CpuModel.Parse("max").Features, feature => Assert.True(feature.Implemented));
    }

    [Fact]
    public void Settings_ApplyInOrderWithSynonyms()
    {
        CpuModel model = CpuModel.Parse("qemu64,+smep,smap=on,-nx,tsc_deadline=on,-xd,-avx,+smep,smep=off");

        Assert.True(model.Has(CpuFeature.Smap) && model.Has(CpuFeature.TscDeadline));
        Assert.False(model.Has(CpuFeature.Smep) || model.Has(CpuFeature.Nx));
    }

    [Theory]
    [InlineData("", "unknown CPU model ''; use one of qemu64, max, host")]
    [InlineData("pentium", "unknown CPU model 'pentium'; use one of qemu64, max, host")]
    [InlineData("max,+warp", "unknown CPU feature 'warp'; '-cpu help' lists the known ones")]
    [InlineData("max,warp=on", "unknown CPU feature 'warp'; '-cpu help' lists the known ones")]
    [InlineData("max,+avx512f", "CPU feature 'avx512f' is not implemented by the software CPU; leave '+avx512f' out")]
    [InlineData("max,smep", "cannot read CPU option 'smep'; write +feature, -feature, feature=on or feature=off")]
    [InlineData("max,", "cannot read CPU option ''; write +feature, -feature, feature=on or feature=off")]
    [InlineData("max,smep=maybe", "cannot read CPU option 'smep=maybe'; write +feature, -feature, feature=on or feature=off")]
    public void Wrong_Text_SaysWhatToDo(string text, string message) =>
        Assert.Equal(message, Assert.Throws<CpuModelException>(() => CpuModel.Parse(text)).Message);

    [Fact]
    public void Cpuid_Identification_IsAnAmdK8()
    {
        CpuModel model = CpuModel.Parse("qemu64", 2);

        Assert.Equal(new CpuidResult(0xd, 0x6874_7541, 0x444d_4163, 0x6974_6e65), model.GetCpuid(0, 0, Context));
        CpuidResult one = model.GetCpuid(1, 0, Context);
        Assert.Equal((0x0006_0fb1u, 0x0102_0800u), (one.Eax, one.Ebx));
        Assert.Equal(0x178b_fbfdu, one.Edx);
        Assert.Equal(0x8800_2001u, one.Ecx);
        Assert.Equal(0x3028u, model.GetCpuid(0x8000_0008, 0, Context).Eax);
        Assert.Equal(0x2010_0800u, model.GetCpuid(0x8000_0001, 0, Context).Edx & 0xffff_f800 & ~0x0183_f3ffu);
        Assert.Equal(new CpuidResult(0x4000_0001, 0x5447_4354, 0x4354_4743, 0x4743_5447), model.GetCpuid(0x4000_0000, 0, Context));
        Assert.Equal(default, model.GetCpuid(0x8765_4321, 0, Context));
        Assert.Equal(default, model.GetCpuid(0x15, 0, Context));
    }

    [Fact]
    public void Cpuid_DynamicBits_FollowTheContext()
    {
        CpuModel model = CpuModel.Parse("max,-hypervisor");
        CpuidResult off = model.GetCpuid(1, 0, new CpuidContext(0, false, false, 1));

        Assert.Equal(0u, off.Edx & (1 << 9));
        Assert.Equal(0u, off.Ecx & (1u << 27 | 1u << 31));
        Assert.Equal(default, model.GetCpuid(0x4000_0000, 0, Context));
        Assert.Equal(new CpuidResult(7, 576, 832, 0), model.GetCpuid(0xd, 0, Context));
        Assert.Equal(new CpuidResult(7, 832, 832, 0), model.GetCpuid(0xd, 0, Context with { Xcr0 = 7 }));
        Assert.Equal(new CpuidResult(7, 832, 0, 0), model.GetCpuid(0xd, 1, Context with { Xcr0 = 7 }));
        Assert.Equal(new CpuidResult(256, 576, 0, 0), model.GetCpuid(0xd, 2, Context));
        Assert.Equal(new CpuidResult(3, 576, 576, 0), CpuModel.Parse("max,-avx").GetCpuid(0xd, 0, Context));
    }

    [Fact]
    public void Cpuid_Topology_CountsCores()
    {
        CpuModel model = CpuModel.Parse("max").WithProcessorCount(5);

        Assert.Equal(new CpuidResult(3, 5, 0x201, 1), model.GetCpuid(0xb, 1, Context));
        Assert.Equal(0x3004u, model.GetCpuid(0x8000_0008, 0, Context).Ecx);
    }

    [Fact]
    public void FeatureTable_NamesAndBits_AreUnique()
    {
        IReadOnlyList<CpuFeatureInfo> all = CpuFeatureTable.All;

        Assert.Equal(Enum.GetValues<CpuFeature>().Length, all.Count);
        Assert.Equal(all.Count, all.Select(row => (row.Leaf, row.Subleaf, row.Register, row.Bit)).Distinct().Count());
        Assert.All(all, row => Assert.Same(row, CpuFeatureTable.Find(row.Name)));
    }
}
