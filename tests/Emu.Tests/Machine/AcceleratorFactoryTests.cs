using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

public sealed class AcceleratorFactoryTests
{
    [Fact]
    public void Kvm_Alone_SaysWhyNotAndWhatToDo()
    {
        var notices = new List<string>();
        string message = Assert.Throws<MachineConfigException>(() => Create(notices, "kvm")).Message;

        Assert.StartsWith("-accel: kvm: ", message, StringComparison.Ordinal);
        Assert.EndsWith("use -accel tcg, or -accel kvm:tcg to fall back", message, StringComparison.Ordinal);
        Assert.Empty(notices);
    }

    [Fact]
    public void KvmThenTcg_FallsBackWithOneLine()
    {
        var notices = new List<string>();
        using IAccelerator accelerator = Create(notices, "kvm", "tcg");

        Assert.Equal("tcg", accelerator.Name);
        string notice = Assert.Single(notices);
        Assert.StartsWith("kvm: ", notice, StringComparison.Ordinal);
        Assert.EndsWith("; using tcg", notice, StringComparison.Ordinal);
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

    private static IAccelerator Create(List<string> notices, params string[] names)
    {
        using var rig = new MachineRig(_ => [GuestStep.Hlt]);
        MachineConfig config = MachineRig.Config with { Accelerators = [.. names.Select(name => new AcceleratorSpec(name))] };
        return AcceleratorFactory.Create(config, rig.Context with { Notice = notices.Add });
    }
}
