namespace Emu.Devices.Timer;

/// <summary>
/// Exact conversion between virtual nanoseconds and the ticks of an oscillator. Ticks are counted from virtual time zero,
/// so a device that computes deadlines from tick numbers never drifts.
/// </summary>
internal readonly struct TickRate(long hertz)
{
    private const long NsPerSecond = 1_000_000_000;

    /// <summary>Number of whole ticks up to <paramref name="ns"/>.</summary>
    public long TicksAt(long ns) => (long)((Int128)ns * hertz / NsPerSecond);

    /// <summary>The first nanosecond at which <see cref="TicksAt"/> gives <paramref name="tick"/>.</summary>
    public long NsOf(long tick) => (long)((((Int128)tick * NsPerSecond) + hertz - 1) / hertz);
}
