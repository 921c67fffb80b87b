using Emu.Accel.Kvm;

namespace Emu.Diff.Engines;

/// <summary>Engines by name.</summary>
internal static class EngineFactory
{
    /// <summary>The names; <c>tcg</c> stands for the first two.</summary>
    public static IReadOnlyList<string> Names { get; } = ["tier0", "jit", "kvm", "native"];

    /// <summary>Silicon engines, and the only modes they run.</summary>
    private const int SiliconMode = 64;

    /// <summary>What is compared when nothing is said.</summary>
    public static string Default(int bitness) => bitness != SiliconMode ? "tier0,jit" : KvmProbe.Host.Problem is null ? "tier0,kvm" : "tier0,native";

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
        if (name is "kvm" or "native" && bitness != SiliconMode)
        {
            throw new DiffOptionException($"--mode {bitness}: no silicon engine runs {bitness}-bit code yet, so {name} cannot; compare --engines tier0,jit");
        }

        switch (name)
        {
            case "tier0":
                return SoftwareEngine.Tier0(bitness);
            case "jit":
                return SoftwareEngine.Compiled(bitness);
            case "native":
                return NativeEngine.Unavailable is string reason ? throw new DiffOptionException($"--engines: native {reason}") : new NativeEngine();
            default:
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
