namespace Emu.Block;

/// <summary>
/// The only exception that leaves the block layer: an image that cannot be opened, created or worked on. The message is one
/// line that names the file and what is wrong with it. Requests to an open image never throw; they have a result.
/// </summary>
public sealed class BlockException : Exception
{
    /// <summary>An error with one line of text.</summary>
    public BlockException(string message) : base(message)
    {
    }

    /// <summary>An error whose cause was another exception.</summary>
    public BlockException(string message, Exception inner) : base(message, inner)
    {
    }
}
