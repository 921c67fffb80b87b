using Emu.Accel.Kvm;

namespace Emu.Diff.Engines;

/// <summary>Engines by name.</summary>
internal static class EngineFactory
{
    /// <summary>The names; <c>tcg</c> stands for the first two.</summary>
    public static IReadOnlyList<string> Names { get; } = ["tier0", "jit", "kvm", "native"];

    /// <summary>What is compared when nothing is said.</summary>
    public static string Default(int bitness) => WhyNotKvm(bitness) is null ? "tier0,kvm" : NativeEngine.Unavailable is null ? "tier0,native" : "tier0,jit";

    // Without hardware virtualisation KVM's own emulator would run code of 32 and 16 bits.
    private static string? WhyNotKvm(int bitness) => KvmProbe.Host.Problem
        ?? (bitness != 64 && !KvmProbe.Host.RunsPrivilegedCode ? "without hardware virtualisation it runs no code of 32 and 16 bits; take native" : null);

    /// <summary>The names that <paramref name="list"/> stands for, each once.</summary>
    /// <exception cref="DiffOptionException">A name is unknown, or fewer than two engines are left.</exception>
    public static IReadOnlyList<string> Parse(string list)
    {
        var names = new List<string>();
        foreach (string name in list.Split(',', StringSplitOptions.TrimEntries))
        {
            IEnumerable<string> meant = name == "tcg" ? ["tier0", "jit"] : Names.Contains(name)
                ? [name]
                : throw new DiffOptionException($"--engines: '{name}' is no engine; take two or more of {string.Join(", ", Names)}, or tcg for tier0,jit");
            names.AddRange(meant.Except(names).ToArray());
        }

        return names.Count >= 2 ? names : throw new DiffOptionException($"--engines: one engine has nothing to be compared with; add one of {string.Join(", ", Names.Except(names))}");
    }

    /// <summary>Makes the engine <paramref name="name"/> for code of <paramref name="bitness"/> bits.</summary>
    /// <exception cref="DiffOptionException">It cannot run on this host, or not this mode.</exception>
    public static IDiffEngine Create(string name, int bitness)
    {
        switch (name)
        {
            case "tier0":
                return SoftwareEngine.Tier0(bitness);
            case "jit":
                return SoftwareEngine.Compiled(bitness);
            case "native":
                return NativeEngine.Unavailable is string reason ? throw new DiffOptionException($"--engines: native {reason}") : new NativeEngine(bitness);
            default:
                if (bitness != 64 && WhyNotKvm(bitness) is string why)
                {
                    throw new DiffOptionException($"--engines: kvm cannot be used with --mode {bitness}: {why}");
                }

                try
                {
                    return new KvmEngine(bitness);
                }
                catch (KvmException exception)
                {
                    throw new DiffOptionException($"--engines: kvm cannot be used: {exception.Message}");
                }
        }
    }
}
