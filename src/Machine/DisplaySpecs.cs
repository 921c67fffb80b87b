namespace Emu.Machine;

/// <summary>Who shows the screen and runs the monitor.</summary>
public sealed record FrontEndSpec
{
    /// <summary>True when the terminal shows the screen's text (<c>-display curses</c>).</summary>
    public bool Curses { get; init; }

    /// <summary>VNC servers.</summary>
    public IReadOnlyList<VncSpec> Vnc { get; init; } = [];

    /// <summary>Where the monitor is, besides Ctrl-A c; or null.</summary>
    public CharSpec? Monitor { get; init; }
}

/// <summary>A VNC server: at a Unix socket, or at a host's display number.</summary>
/// <param name="Path">Path of the Unix socket, or null.</param>
/// <param name="Host">Address or name to listen at; empty for this host only.</param>
/// <param name="Display">Display number: the port less 5900.</param>
/// <param name="Password">Password, or null for none.</param>
public sealed record VncSpec(string? Path, string Host, int Display, string? Password);
