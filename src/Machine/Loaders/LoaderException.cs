namespace Emu.Machine.Loaders;

/// <summary>A guest image that cannot be loaded; the message is one line for the user, naming the image.</summary>
public sealed class LoaderException : Exception
{
    /// <summary>Creates an empty exception.</summary>
    public LoaderException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public LoaderException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public LoaderException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
