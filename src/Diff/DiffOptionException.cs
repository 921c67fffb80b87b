namespace Emu.Diff;

/// <summary>An option of a comparison cannot be used; the message is one line that names it and the fix.</summary>
internal sealed class DiffOptionException(string message) : Exception(message);
