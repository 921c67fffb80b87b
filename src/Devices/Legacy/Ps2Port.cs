namespace Emu.Devices.Legacy;

/// <summary>Saved state of what keyboard and mouse have in common.</summary>
public record Ps2PortState
{
    /// <summary>Replies to commands waiting for the host, oldest first; at most 256. They go before events.</summary>
    public byte[] Replies { get; init; } = [];

    /// <summary>Scan codes or packets waiting for the host, oldest first; at most 256.</summary>
    public byte[] Events { get; init; } = [];

    /// <summary>Command whose parameter byte comes next, or 0.</summary>
    public byte PendingCommand { get; init; }

    /// <summary>The last byte sent, for the resend command.</summary>
    public byte LastSent { get; init; }
}

/// <summary>
/// A PS/2 device: bytes from the host in, a bounded queue of bytes to the host out (IBM PS/2 technical reference). Bytes
/// take no time on the wire; replies overtake events, as a driver that waits for an acknowledge expects.
/// </summary>
internal abstract class Ps2Port
{
    protected const byte Acknowledge = 0xfa;
    protected const byte ResendReply = 0xfe;
    protected const byte SelfTestPassed = 0xaa;

    protected const byte CommandEnable = 0xf4;
    protected const byte CommandDisable = 0xf5;
    protected const byte CommandSetDefaults = 0xf6;
    protected const byte CommandResend = 0xfe;
    protected const byte CommandReset = 0xff;

    /// <summary>Most bytes that wait in each queue.</summary>
    private const int Capacity = 256;

    private readonly Queue<byte> _replies = new();
    private readonly Queue<byte> _events = new();
    private byte _lastSent;

    /// <summary>Called when the queue is no longer empty.</summary>
    public Action? OutputReady { get; set; }

    /// <summary>True when a byte waits for the host.</summary>
    public bool HasOutput => _replies.Count > 0 || _events.Count > 0;

    protected byte PendingCommand { get; private set; }

    /// <summary>Takes the next byte for the host; there must be one.</summary>
    public byte Take() => _lastSent = (_replies.Count > 0 ? _replies : _events).Dequeue();

    /// <summary>A byte from the host: a command, or the parameter that the last one asked for.</summary>
    public void Receive(byte value)
    {
        byte command = PendingCommand;
        PendingCommand = 0;
        if (command != 0)
        {
            HandleParameter(command, value);
        }
        else if (value == CommandResend)
        {
            Reply(_lastSent);
        }
        else
        {
            HandleCommand(value);
        }
    }

    /// <summary>Power-on state, without sending the self-test result.</summary>
    public virtual void Reset()
    {
        _replies.Clear();
        _events.Clear();
        PendingCommand = 0;
        _lastSent = 0;
    }

    protected abstract void HandleCommand(byte command);

    protected abstract void HandleParameter(byte command, byte value);

    /// <summary>Acknowledges and waits for a parameter of <paramref name="command"/>.</summary>
    protected void Expect(byte command)
    {
        PendingCommand = command;
        Reply(Acknowledge);
    }

    /// <summary>Queues a reply to the host; dropped when the host never reads.</summary>
    protected void Reply(params ReadOnlySpan<byte> bytes) => Enqueue(_replies, bytes);

    /// <summary>Queues scan codes or a packet; all or none, when the queue is full.</summary>
    protected bool Report(params ReadOnlySpan<byte> bytes) => Enqueue(_events, bytes);

    protected void ClearEvents() => _events.Clear();

    protected T SaveInto<T>(T state)
        where T : Ps2PortState =>
        state with { Replies = [.. _replies], Events = [.. _events], PendingCommand = PendingCommand, LastSent = _lastSent };

    protected void RestoreFrom(Ps2PortState state)
    {
        Fill(_replies, state.Replies);
        Fill(_events, state.Events);
        PendingCommand = state.PendingCommand;
        _lastSent = state.LastSent;
    }

    protected static bool IsValid(Ps2PortState? state) =>
        state?.Replies is { Length: <= Capacity } && state.Events is { Length: <= Capacity };

    private static void Fill(Queue<byte> queue, byte[] bytes)
    {
        queue.Clear();
        foreach (byte value in bytes)
        {
            queue.Enqueue(value);
        }
    }

    private bool Enqueue(Queue<byte> queue, ReadOnlySpan<byte> bytes)
    {
        if (queue.Count + bytes.Length > Capacity)
        {
            return false;
        }

        foreach (byte value in bytes)
        {
            queue.Enqueue(value);
        }

        OutputReady?.Invoke();
        return true;
    }
}
