namespace Emu.Machine.Chardev;

/// <summary>Takes a piece of output; may block or throw <see cref="IOException"/>.</summary>
internal delegate void OutputSink(ReadOnlySpan<byte> data);

/// <summary>
/// Output on its way from the guest to the host: a buffer, and a thread that empties it into a sink that may be slow.
/// What is written reaches the sink within a few milliseconds, in few calls, and <see cref="Flush"/> waits for all of it.
/// A writer waits only when <see cref="Capacity"/> bytes are unsent, and then not forever: when the sink makes no progress
/// for <see cref="StallLimit"/>, the bytes are dropped and counted, so that a reader who went away cannot stop a guest.
/// </summary>
internal sealed class OutputPipe : IDisposable
{
    private const int InitialBuffer = 4096;
    private const int ChunkBytes = 64 << 10;

    // Long enough to gather a line, short enough not to be seen by someone who types.
    private static readonly TimeSpan GatherTime = TimeSpan.FromMilliseconds(2);

    private readonly object _gate = new();
    private readonly OutputSink _sink;
    private readonly Thread _thread;
    private byte[] _filling = new byte[InitialBuffer];
    private byte[] _sending = new byte[InitialBuffer];
    private int _filled;
    private int _unsent;
    private long _progress;
    private bool _sleeping;
    private bool _closing;
    private bool _broken;
    private bool _stalled;
    private TimeSpan _stallLimit = TimeSpan.FromSeconds(2);

    /// <summary>Starts the thread, called <paramref name="name"/>.</summary>
    public OutputPipe(string name, OutputSink sink)
    {
        _sink = sink;
        _thread = new Thread(SendLoop) { Name = name + " output", IsBackground = true };
        _thread.Start();
    }

    /// <summary>Unsent bytes from which on writers wait.</summary>
    public int Capacity { get; init; } = 64 << 20;

    /// <summary>How long writers and <see cref="Flush"/> wait for a sink that makes no progress. May be changed while they wait.</summary>
    public TimeSpan StallLimit
    {
        get => _stallLimit;
        set
        {
            lock (_gate)
            {
                _stallLimit = value;
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Bytes that were dropped because nobody took them.</summary>
    public long Dropped { get; private set; }

    /// <summary>Queues <paramref name="data"/>.</summary>
    public void Write(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_closing || _broken || (_filled + data.Length > Capacity && !WaitForRoom(data.Length)))
            {
                Dropped += data.Length;
                return;
            }

            if (_filled + data.Length > _filling.Length)
            {
                Array.Resize(ref _filling, Math.Max(_filled + data.Length, _filling.Length * 2));
            }

            data.CopyTo(_filling.AsSpan(_filled));
            _filled += data.Length;
            if (_sleeping)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    /// <summary>Waits until everything written so far has been sent; false when the sink stalls or is broken.</summary>
    public bool Flush()
    {
        lock (_gate)
        {
            return WaitWhile(() => _filled + _unsent > 0) && !_broken;
        }
    }

    /// <summary>Sends what is left, and ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _closing = true;
            Monitor.PulseAll(_gate);
            WaitWhile(() => _filled + _unsent > 0);
        }
    }

    private bool WaitForRoom(int length)
    {
        // Once it has stalled each byte is dropped at once until the sink moves again, else every byte would cost the wait.
        if (_stalled)
        {
            return false;
        }

        _stalled = !WaitWhile(() => _filled + length > Capacity);
        return !_stalled;
    }

    // Waits with the gate held; false when there was no progress for the limit.
    private bool WaitWhile(Func<bool> condition)
    {
        while (condition() && !_broken)
        {
            long before = _progress;
            if (!Monitor.Wait(_gate, _stallLimit) && _progress == before)
            {
                return false;
            }
        }

        return !condition();
    }

    private void SendLoop()
    {
        while (TakeBuffer())
        {
            int sent = 0;
            try
            {
                while (sent < _unsent)
                {
                    int length = Math.Min(ChunkBytes, _unsent - sent);
                    _sink(_sending.AsSpan(sent, length));
                    sent += length;
                    Advance(all: sent == _unsent);
                }
            }
            catch (Exception exception) when (exception is IOException or ObjectDisposedException or UnauthorizedAccessException)
            {
                GiveUp(_unsent - sent);
                return;
            }
        }
    }

    private bool TakeBuffer()
    {
        lock (_gate)
        {
            while (_filled == 0)
            {
                if (_closing)
                {
                    return false;
                }

                _sleeping = true;
                Monitor.Wait(_gate);
                _sleeping = false;
            }

            if (_filled < InitialBuffer && !_closing)
            {
                // Woken early by Flush or Dispose at most; then there is just less to send at once.
                Monitor.Wait(_gate, GatherTime);
            }

            (_filling, _sending) = (_sending, _filling);
            (_unsent, _filled) = (_filled, 0);
            return true;
        }
    }

    private void Advance(bool all)
    {
        lock (_gate)
        {
            _progress++;
            _stalled = false;
            if (all)
            {
                _unsent = 0;
            }

            Monitor.PulseAll(_gate);
        }
    }

    private void GiveUp(int lost)
    {
        lock (_gate)
        {
            _broken = true;
            Dropped += lost + _filled;
            (_unsent, _filled) = (0, 0);
            Monitor.PulseAll(_gate);
        }
    }
}
