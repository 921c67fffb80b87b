using Emu.Machine;

namespace Emu.Tests.Kvm;

/// <summary>A fact about the host's own KVM: it runs wherever <c>/dev/kvm</c> opens.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KvmFactAttribute : FactAttribute
{
    /// <summary>Decides on the skip.</summary>
    public KvmFactAttribute() => Skip = KvmAvailability.WhyNot();
}

/// <summary>A theory about the host's own KVM.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class KvmTheoryAttribute : TheoryAttribute
{
    /// <summary>Decides on the skip.</summary>
    public KvmTheoryAttribute() => Skip = KvmAvailability.WhyNot();
}
