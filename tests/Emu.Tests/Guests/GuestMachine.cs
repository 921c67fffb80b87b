namespace Emu.Tests.Guests;

/// <summary>What a guest did.</summary>
/// <param name="End">How it ended; <see cref="GuestEnd.Hang"/> when the time was up.</param>
/// <param name="ExitCode">Exit code when <paramref name="End"/> is <see cref="GuestEnd.ExitCode"/>.</param>
/// <param name="Serial">Output on COM1, a character per byte.</param>
public sealed record GuestResult(GuestEnd End, int ExitCode, string Serial);

/// <summary>Runs a guest's image as its header asks; ends what goes on after <paramref name="limit"/>.</summary>
public delegate GuestResult GuestRunner(GuestSpec spec, byte[] image, TimeSpan limit);

/// <summary>The seam between the guests and the machine: one runner per accelerator.</summary>
public static class GuestMachine
{
    /// <summary>Runners by accelerator.</summary>
    public static IReadOnlyDictionary<string, GuestRunner> Runners { get; } = new Dictionary<string, GuestRunner>
    {
        ["tcg"] = MachineRunner.For("tcg"),
    };
}
