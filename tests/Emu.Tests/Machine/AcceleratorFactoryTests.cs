using Emu.Accel.Kvm;
using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

public sealed class AcceleratorFactoryTests
{
    [Fact]
    public void Kvm_AloneForAKernel_RunsItOrSaysWhyNotAndWhatToDo()
    {
        var notices = new List<string>();
        if (IsUsableForSystems)
        {
            using IAccelerator accelerator = CreateForKernel(notices, "kvm");
            Assert.Equal("kvm", accelerator.Name);
        }
        else
        {
            string message = Assert.Throws<MachineConfigException>(() => CreateForKernel(notices, "kvm")).Message;
            Assert.StartsWith("-accel: kvm: ", message, StringComparison.Ordinal);
            Assert.EndsWith("use -accel tcg, or -accel kvm:tcg to fall back", message, StringComparison.Ordinal);
        }

        Assert.Empty(notices);
    }

    [Fact]
    public void KvmThenTcg_FallsBackWithOneLineWhereKvmIsNotUsable()
    {
        var notices = new List<string>();
        using IAccelerator accelerator = CreateForKernel(notices, "kvm", "tcg");

        Assert.Equal(IsUsableForSystems ? "kvm" : "tcg", accelerator.Name);
        if (!IsUsableForSystems)
        {
            string notice = Assert.Single(notices);
            Assert.StartsWith("kvm: ", notice, StringComparison.Ordinal);
            Assert.EndsWith("; using tcg", notice, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EmulatingKvm_ForARawImageAndNothingElseAskedFor_MayTry()
    {
        var emulating = new KvmProbe(null, RunsPrivilegedCode: false, "", default);
        AcceleratorSpec[] both = [new("kvm"), AcceleratorSpec.Tcg];
        MachineConfig raw = MachineRig.Config with { Accelerators = [new AcceleratorSpec("kvm")] };

        Assert.Null(KvmUsability.WhyNot(emulating, raw));
        Assert.Equal(KvmProbe.EmulatesPrivilegedCode, KvmUsability.WhyNot(emulating, raw with { Accelerators = both }));
        Assert.Equal(KvmProbe.EmulatesPrivilegedCode, KvmUsability.WhyNot(emulating, raw with { Boot = new BootSpec { Kernel = "vmlinuz" } }));
        Assert.Equal(KvmProbe.EmulatesPrivilegedCode, KvmUsability.WhyNot(emulating, raw with { Boot = new BootSpec { Bios = "bios" } }));
        Assert.Null(KvmUsability.WhyNot(emulating with { RunsPrivilegedCode = true }, raw with { Accelerators = both }));
        Assert.Equal("broken", KvmUsability.WhyNot(emulating with { Problem = "broken" }, raw));
    }

    [Fact]
    public void Fallback_FromADefault_IsSilent()
    {
        var notices = new List<string>();
        using IAccelerator accelerator = Create(notices, MachineRig.Config with { FallsBackSilently = true }, "kvm", "tcg");
        Assert.Empty(notices);
    }

    [Fact]
    public void Tcg_First_IsTakenSilently()
    {
        var notices = new List<string>();
        using IAccelerator accelerator = Create(notices, "tcg", "kvm");

        Assert.Equal("tcg", accelerator.Name);
        Assert.Empty(notices);
    }

    [Fact]
    public void KvmAvailability_MissingDevice_SaysSo() =>
        Assert.StartsWith("/dev/no-kvm-here is missing", KvmAvailability.WhyNot("/dev/no-kvm-here"), StringComparison.Ordinal);

    private static bool IsUsableForSystems => AcceleratorFactory.WhyNot("kvm") is null && !AcceleratorFactory.IsPartial("kvm");

    private static IAccelerator CreateForKernel(List<string> notices, params string[] names) =>
        Create(notices, MachineRig.Config with { Boot = new BootSpec { Kernel = "vmlinuz" } }, names);

    private static IAccelerator Create(List<string> notices, params string[] names) => Create(notices, MachineRig.Config, names);

    private static IAccelerator Create(List<string> notices, MachineConfig config, params string[] names)
    {
        using var rig = new MachineRig(_ => [GuestStep.Hlt]);
        config = config with { Accelerators = [.. names.Select(name => new AcceleratorSpec(name))] };
        return AcceleratorFactory.Create(config, rig.Context with { Notice = notices.Add });
    }
}
