namespace Emu.Compare;

/// <summary>The few statistics of the tables.</summary>
internal static class Statistics
{
    // Markers reach the host by an emulated serial line, whose FIFO and the scheduling of three machines on the host add milliseconds.
    private const double ClockSlackSeconds = 0.03;
    private const double ClockTolerance = 0.03;

    /// <summary>The median; the mean of the middle two of an even number.</summary>
    public static double Median(IReadOnlyCollection<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The geometric mean of positive numbers.</summary>
    public static double GeometricMean(IReadOnlyCollection<double> values) => Math.Exp(values.Sum(Math.Log) / values.Count);

    /// <summary>True when two clocks measured the same within 3 % (and 30 ms, which is what the serial line may add).</summary>
    public static bool ClocksAgree(double guestSeconds, double hostSeconds) =>
        Math.Abs(guestSeconds - hostSeconds) <= Math.Max(ClockSlackSeconds, ClockTolerance * hostSeconds);
}
