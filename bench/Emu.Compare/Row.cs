namespace Emu.Compare;

/// <summary>What a row stresses; geometric means are by group.</summary>
internal enum RowGroup
{
    /// <summary>Whole machine: start, boot, memory. Not in the mean of all.</summary>
    Machine,

    /// <summary>Integer arithmetic, calls, memory.</summary>
    Integer,

    /// <summary>Scalar and packed SSE2, x87.</summary>
    Floating,

    /// <summary>System calls, processes, page faults, signals.</summary>
    Kernel,

    /// <summary>Code that changes while it runs.</summary>
    Churn,

    /// <summary>Real programs.</summary>
    Programs,
}

/// <summary>One program that every machine runs through the agent.</summary>
/// <param name="Name">Name on the command line and in tables.</param>
/// <param name="Group">Group of the mean.</param>
/// <param name="Share">Size at 100 %, in the unit of the row, such that QEMU takes about three seconds.</param>
/// <param name="Command">The timed shell command; the argument is the size.</param>
internal sealed record Row(string Name, RowGroup Group, double Share, Func<int, string> Command)
{
    /// <summary>Untimed command before the first run on a machine, by size; or null.</summary>
    public Func<int, string>? Prepare { get; init; }

    /// <summary>Untimed command after each run that prints what must agree; null where the timed one prints it.</summary>
    public string? Check { get; init; }

    /// <summary>True when the row prints <c>name checksum seconds</c> itself; else the agent's wall time counts.</summary>
    public bool TimesItself { get; init; }

    /// <summary>Size of the row at <paramref name="percent"/>.</summary>
    public int Size(int percent) => Math.Max(1, (int)Math.Round(Share * percent / 100));
}
