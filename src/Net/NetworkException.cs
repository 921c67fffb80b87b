namespace Emu.Net;

/// <summary>The host does not give what a network needs, in one line that says what to do.</summary>
public sealed class NetworkException : Exception
{
    /// <summary>Creates an empty exception.</summary>
    public NetworkException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public NetworkException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public NetworkException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
