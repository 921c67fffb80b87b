using System.Globalization;
using Emu.Machine;
using Emu.Tests.Tcg;

namespace Emu.Tests.Guests;

/// <summary><see cref="TierOptions"/> for a whole machine.</summary>
internal static class TierAccelerator
{
    /// <summary>The software CPU in the tiers that the tests run in.</summary>
    public static AcceleratorSpec Default => TierOptions.Threshold is int threshold ? After(threshold) : AcceleratorSpec.Tcg;

    /// <summary>Compiles what ran <paramref name="threshold"/> times.</summary>
    public static AcceleratorSpec After(int threshold) => AcceleratorSpec.Tcg with
    {
        Properties = new Dictionary<string, string> { ["tb-threshold"] = threshold.ToString(CultureInfo.InvariantCulture) },
    };
}
