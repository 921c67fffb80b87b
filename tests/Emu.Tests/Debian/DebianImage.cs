namespace Emu.Tests.Debian;

/// <summary>The Debian guest that guests/debian/fetch.sh makes.</summary>
internal static class DebianImage
{
    /// <summary>What the guest prints first in user space.</summary>
    public const string ReadyMarker = "EMU-GUEST-READY";

    /// <summary>Kernel command line of the README.</summary>
    public const string CommandLine = "console=ttyS0 panic=-1";

    /// <summary>The kernel.</summary>
    public static string Kernel { get; } = Repository.PathOf("guests", "debian", "image", "vmlinuz");

    /// <summary>The initial RAM disk.</summary>
    public static string Initrd { get; } = Repository.PathOf("guests", "debian", "image", "initrd.img");

    /// <summary>Why tests that need it are skipped, or null. In CI a missing image is a failure, not a skip.</summary>
    public static string? WhySkip { get; } =
        (File.Exists(Kernel) && File.Exists(Initrd)) || Repository.IsCi ? null : "run guests/debian/fetch.sh";
}

/// <summary>A fact that needs the Debian guest.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianFactAttribute : FactAttribute
{
    /// <summary>Decides on the skip.</summary>
    public DebianFactAttribute() => Skip = DebianImage.WhySkip;
}

/// <summary>A theory that needs the Debian guest.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DebianTheoryAttribute : TheoryAttribute
{
    /// <summary>Decides on the skip.</summary>
    public DebianTheoryAttribute() => Skip = DebianImage.WhySkip;
}

/// <summary>Tests that look at host time, or keep the host busy: one after the other, after all others.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    /// <summary>The name of the collection.</summary>
    public const string Name = "alone";
}
