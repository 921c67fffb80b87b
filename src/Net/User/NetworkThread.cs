using System.Buffers;
using System.Collections.Concurrent;
using Emu.Core.Net;

namespace Emu.Net.User;

/// <summary>
/// The thread through which everything reaches the guest, so that the receiver sees one frame at a time. Others queue frames
/// (<see cref="Post"/>) or sources (<see cref="Queue"/>); no lock is held while the guest takes a frame.
/// </summary>
internal sealed class NetworkThread : IDisposable
{
    private const int MaxPostedFrames = 512;

    private readonly NetDrops _drops;
    private readonly ConcurrentQueue<(byte[] Buffer, int Length)> _frames = new();
    private readonly ConcurrentQueue<NetSource> _sources = new();
    private readonly List<NetSource> _tracked = [];
    private readonly ManualResetEventSlim _work = new(false, spinCount: 30);
    private readonly Thread _thread;
    private INetReceiver? _receiver;
    private long _nextDeadline = NetSource.Never;
    private bool _refused;
    private volatile bool _receiverReady;
    private volatile bool _stopping;

    /// <summary>Creates the thread, called <paramref name="name"/>; it starts with <see cref="Connect"/>.</summary>
    public NetworkThread(string name, NetDrops drops)
    {
        _drops = drops;
        _thread = new Thread(Loop) { Name = name, IsBackground = true };
    }

    /// <summary>What the guest takes besides plain frames.</summary>
    public NetOffloads GuestOffloads => _receiver!.Offloads;

    /// <summary>True while the guest has no room; nothing is offered to it before it says that it has.</summary>
    public bool IsBlocked => _refused && !_receiverReady;

    /// <summary>Starts the thread.</summary>
    public void Connect(INetReceiver receiver)
    {
        if (_receiver is not null)
        {
            throw new InvalidOperationException("A network has one card.");
        }

        _receiver = receiver;
        _thread.Start();
    }

    /// <summary>The guest has room again. Any thread, with any lock held.</summary>
    public void ReceiverReady()
    {
        _receiverReady = true;
        _work.Set();
    }

    /// <summary>Has the thread attend to <paramref name="source"/> soon. Any thread.</summary>
    public void Queue(NetSource source)
    {
        if (source.TryQueue())
        {
            _sources.Enqueue(source);
            _work.Set();
        }
    }

    /// <summary>Queues a copy of a frame that is complete by itself. Any thread.</summary>
    public void Post(ReadOnlySpan<byte> frame)
    {
        if (_frames.Count >= MaxPostedFrames)
        {
            _drops.Count(NetDrop.QueueFull);
            return;
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(frame.Length);
        frame.CopyTo(buffer);
        _frames.Enqueue((buffer, frame.Length));
        _work.Set();
    }

    /// <summary>Hands a frame to the guest; false when it has no room now. On this thread only.</summary>
    public bool TryDeliver(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        if (IsBlocked)
        {
            return false;
        }

        // Cleared first: a receiver that says "ready" while it refuses is asked again.
        _receiverReady = false;
        _refused = !_receiver!.Receive(frame, offload);
        return !_refused;
    }

    /// <summary>Ends the thread.</summary>
    public void Dispose()
    {
        _stopping = true;
        _work.Set();
        if (_receiver is not null && Thread.CurrentThread != _thread)
        {
            _thread.Join();
        }
    }

    private void Loop()
    {
        while (!_stopping)
        {
            _work.Wait(IsBlocked ? Timeout.Infinite : UntilNextDeadline());
            _work.Reset();
            DeliverPosted();
            while (!_stopping && !IsBlocked && _sources.TryDequeue(out NetSource? source))
            {
                source.Unqueue();
                Attend(source, Environment.TickCount64);
                DeliverPosted();
            }

            if (!IsBlocked && Environment.TickCount64 >= _nextDeadline)
            {
                ScanDeadlines(Environment.TickCount64);
            }
        }
    }

    private int UntilNextDeadline() => _nextDeadline == NetSource.Never
        ? Timeout.Infinite
        : (int)Math.Clamp(_nextDeadline - Environment.TickCount64, 0, int.MaxValue);

    private void DeliverPosted()
    {
        while (!_stopping && _frames.TryPeek(out (byte[] Buffer, int Length) frame) && TryDeliver(frame.Buffer.AsSpan(0, frame.Length), default))
        {
            _frames.TryDequeue(out _);
            ArrayPool<byte>.Shared.Return(frame.Buffer);
        }
    }

    private void Attend(NetSource source, long now)
    {
        source.Service(now);
        if (!source.IsTracked && !source.IsFinished)
        {
            source.IsTracked = true;
            _tracked.Add(source);
        }

        _nextDeadline = Math.Min(_nextDeadline, source.Deadline);
    }

    private void ScanDeadlines(long now)
    {
        _nextDeadline = NetSource.Never;
        for (int i = _tracked.Count - 1; i >= 0; i--)
        {
            NetSource source = _tracked[i];
            if (!source.IsFinished && source.Deadline <= now)
            {
                source.Service(now);
            }

            if (source.IsFinished)
            {
                source.IsTracked = false;
                _tracked[i] = _tracked[^1];
                _tracked.RemoveAt(_tracked.Count - 1);
            }
            else
            {
                _nextDeadline = Math.Min(_nextDeadline, source.Deadline);
            }
        }
    }
}
