namespace Emu.Tests;

/// <summary>A fact about things that only Unix has: signals, terminals, file modes.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class UnixFactAttribute : FactAttribute
{
    private string? _skip = OperatingSystem.IsWindows() ? "needs Unix" : null;

    /// <summary>False for a test of what is forbidden, which for root nothing is.</summary>
    public bool AsRoot { get; set; } = true;

    /// <inheritdoc/>
    public override string? Skip
    {
        get => _skip ?? (!AsRoot && Environment.IsPrivilegedProcess ? "root may do everything" : null);
        set => _skip = value;
    }
}
