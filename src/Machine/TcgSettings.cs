using System.Globalization;
using Emu.Accel.Tcg;

namespace Emu.Machine;

/// <summary>Reads the properties of <c>-accel tcg</c> and what belongs to them.</summary>
internal static class TcgSettings
{
    private const int MaxThreshold = 1_000_000_000;

    /// <summary>The switches that <paramref name="spec"/> asks for.</summary>
    /// <exception cref="MachineConfigException">A value is wrong.</exception>
    public static TcgOptions Read(AcceleratorSpec spec, MachineConfig config, Action<string>? log)
    {
        DebugLogItems wanted = config.DebugLog.Items;
        var options = new TcgOptions
        {
            Log = log,
            DebugLogItems = MachineCatalog.LogItems.Where(entry => wanted.HasFlag(entry.Item)).Select(entry => entry.Name).ToHashSet(),
            DebugLogFilter = config.DebugLogFilter,
            Jit = ReadJit(spec),
            JitOff = CheckFamilies(config.JitOff),
        };
        return options with
        {
            Threshold = ReadNumber(spec, "tb-threshold", 0, MaxThreshold) ?? options.Threshold,
            RegionSize = ReadNumber(spec, "region-size", 1, TcgOptions.LargestRegion) ?? options.RegionSize,
        };
    }

    private static bool ReadJit(AcceleratorSpec spec) => spec.Properties.GetValueOrDefault("jit") switch
    {
        null or "on" => true,
        "off" => false,
        string value => throw new MachineConfigException("-accel", $"jit='{value}' is neither on nor off"),
    };

    private static int? ReadNumber(AcceleratorSpec spec, string name, int min, int max)
    {
        if (!spec.Properties.TryGetValue(name, out string? text))
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= min && value <= max
            ? value
            : throw new MachineConfigException("-accel", $"{name}='{text}' is not a number from {min} to {max}");
    }

    private static IReadOnlyList<string> CheckFamilies(IReadOnlyList<string> names) =>
        names.FirstOrDefault(name => !TcgOptions.JitFamilies.Contains(name)) is string unknown
            ? throw new MachineConfigException("--jit-off", $"unknown family '{unknown}'; there is {string.Join(", ", TcgOptions.JitFamilies)}")
            : names;
}
