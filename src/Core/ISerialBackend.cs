namespace Emu.Core;

/// <summary>
/// The outside end of a serial line or debug port: a console, a socket, a file. Called with the machine lock held, so no
/// member may block; a backend with a slow peer buffers.
/// </summary>
public interface ISerialBackend
{
    /// <summary>Bytes from the guest, in order.</summary>
    void Write(ReadOnlySpan<byte> data);

    /// <summary>The guest starts or ends a break condition on the line. Ignored unless the backend cares.</summary>
    void SetBreak(bool asserted)
    {
    }

    /// <summary>Tells the backend where its input goes. Ignored by backends that only take output.</summary>
    void Connect(ISerialReceiver receiver)
    {
    }
}

/// <summary>The guest's end of a serial line, fed by a backend. Every member needs the machine lock.</summary>
public interface ISerialReceiver
{
    /// <summary>Number of bytes that <see cref="Receive"/> takes now without losing any.</summary>
    int CanReceive { get; }

    /// <summary>Raised when <see cref="CanReceive"/> has grown and a backend that holds bytes back should offer them again.</summary>
    event Action? SpaceFreed;

    /// <summary>Hands bytes to the guest; those beyond <see cref="CanReceive"/> overrun, as on a real line.</summary>
    void Receive(ReadOnlySpan<byte> data);

    /// <summary>The peer sent a break.</summary>
    void ReceiveBreak();
}

/// <summary>A backend that drops output and sends nothing (<c>-serial null</c>).</summary>
public sealed class NullSerialBackend : ISerialBackend
{
    /// <summary>The only instance needed.</summary>
    public static readonly NullSerialBackend Instance = new();

    /// <inheritdoc/>
    public void Write(ReadOnlySpan<byte> data)
    {
    }
}
