namespace Emu.Cli.Options;

/// <summary>A command line that cannot be used; the message is one line that names the option and the fix.</summary>
internal sealed class OptionException(string message) : Exception(message);
