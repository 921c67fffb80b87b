namespace Emu.Machine;

/// <summary>Faults of the emulator itself, put in one line.</summary>
internal static class InternalError
{
    /// <summary>Says what <paramref name="exception"/> is and where it comes from.</summary>
    public static string Describe(Exception exception)
    {
        string message = exception.Message.ReplaceLineEndings(" ");
        string? place = exception.StackTrace?.Split('\n', 2)[0].Trim();
        return place is null ? $"{exception.GetType().Name}: {message}" : $"{exception.GetType().Name}: {message} ({place})";
    }
}
