using Emu.Core;
using Emu.Devices.Serial;

namespace Emu.Machine.Chardev;

/// <summary>
/// The host's end of a serial line or debug port, with its own threads: the guest never waits for the host, except as
/// <see cref="OutputPipe"/> says. Disposal sends what is left.
/// </summary>
public abstract class CharBackend : ISerialBackend, IDisposable
{
    private static readonly TimeSpan LastStall = TimeSpan.FromMilliseconds(300);

    private readonly MachineLock _machineLock;
    private readonly OutputPipe? _output;
    private InputPump? _input;

    private protected CharBackend(string name, MachineLock machineLock, OutputSink? sink)
    {
        Name = name;
        _machineLock = machineLock;
        _output = sink is null ? null : new OutputPipe(name, sink);
    }

    /// <summary>Name for messages and threads (<c>serial0</c>).</summary>
    public string Name { get; }

    /// <summary>Bytes of output that were lost because nobody took them.</summary>
    public long Dropped => _output?.Dropped ?? 0;

    /// <inheritdoc/>
    public virtual void Write(ReadOnlySpan<byte> data) => _output?.Write(data);

    /// <inheritdoc/>
    public void Connect(ISerialReceiver receiver)
    {
        _input?.Dispose();
        _input = new InputPump(Name, _machineLock, receiver);
        OnConnected();
    }

    /// <summary>The end is near: output that nobody takes is waited for only a moment from now on.</summary>
    public void EndSoon()
    {
        if (_output is not null)
        {
            _output.StallLimit = LastStall;
        }
    }

    /// <summary>Waits (not forever) until all output has been sent.</summary>
    public void Flush() => _output?.Flush();

    /// <summary>Sends <paramref name="data"/> to the guest; when it takes no more for long, drops it.</summary>
    public void Send(ReadOnlySpan<byte> data) => Send(data, wait: false);

    /// <summary>Sends a break to the guest.</summary>
    public void SendBreak() => _input?.FeedBreak();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Sends <paramref name="data"/> to the guest, with <paramref name="wait"/> as in <see cref="InputPump.Feed"/>.</summary>
    private protected void Send(ReadOnlySpan<byte> data, bool wait) => _input?.Feed(data, wait);

    /// <summary>A device listens now: threads that read may start.</summary>
    private protected virtual void OnConnected()
    {
    }

    /// <summary>Sends what is left and ends the threads.</summary>
    protected virtual void Dispose(bool disposing)
    {
        _input?.Dispose();
        _output?.Dispose();
    }
}
