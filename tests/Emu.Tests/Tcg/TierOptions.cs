using System.Globalization;
using Emu.Accel.Tcg;

namespace Emu.Tests.Tcg;

/// <summary>
/// Which tiers the tests run in. EMU_TB_THRESHOLD makes them compile what ran so often (0: everything at once), on the vCPU's own
/// thread, so that what is compiled is the same each time.
/// </summary>
internal static class TierOptions
{
    /// <summary>What the variable says.</summary>
    public static int? Threshold { get; } =
        int.TryParse(Environment.GetEnvironmentVariable("EMU_TB_THRESHOLD"), NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : null;

    /// <summary>What a test uses that has no opinion.</summary>
    public static TcgOptions Default => Threshold is int threshold ? AtOnce(threshold) : new TcgOptions();

    /// <summary>Compiles what ran <paramref name="threshold"/> times, before it runs again.</summary>
    public static TcgOptions AtOnce(int threshold) => new() { CompileAtOnce = true, Threshold = threshold };
}
