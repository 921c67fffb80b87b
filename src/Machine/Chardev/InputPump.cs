using Emu.Core;
using Emu.Devices.Serial;

namespace Emu.Machine.Chardev;

/// <summary>
/// Input on its way from the host to the guest: a queue, and a thread that hands the guest as much as it has room for.
/// The queue lets the reader of a terminal go on reading, so that commands to the emulator work when the guest reads nothing.
/// </summary>
internal sealed class InputPump : IDisposable
{
    private const int Capacity = 1 << 20;
    private const int MostAtOnce = 256;

    // The receiver says when it has room; this is the net under a receiver that forgets to.
    private static readonly TimeSpan Recheck = TimeSpan.FromMilliseconds(50);

    private readonly object _gate = new();
    private readonly MachineLock _machineLock;
    private readonly ISerialReceiver _receiver;
    private readonly Queue<byte> _queue = new();
    private int _breaks;
    private bool _spaceFreed;
    private bool _closing;

    /// <summary>Starts the thread, called <paramref name="name"/>.</summary>
    public InputPump(string name, MachineLock machineLock, ISerialReceiver receiver)
    {
        _machineLock = machineLock;
        _receiver = receiver;
        receiver.SpaceFreed += OnSpaceFreed;
        new Thread(DeliverLoop) { Name = name + " input", IsBackground = true }.Start();
    }

    /// <summary>Queues <paramref name="data"/>. When the queue is full it waits if <paramref name="wait"/>, else drops the rest.</summary>
    public void Feed(ReadOnlySpan<byte> data, bool wait)
    {
        lock (_gate)
        {
            foreach (byte value in data)
            {
                while (wait && _queue.Count >= Capacity && !_closing)
                {
                    Monitor.Wait(_gate);
                }

                if (_queue.Count >= Capacity || _closing)
                {
                    break;
                }

                _queue.Enqueue(value);
            }

            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Sends a break.</summary>
    public void FeedBreak()
    {
        lock (_gate)
        {
            _breaks++;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Ends the thread; what is queued is dropped.</summary>
    public void Dispose()
    {
        _receiver.SpaceFreed -= OnSpaceFreed;
        lock (_gate)
        {
            _closing = true;
            Monitor.PulseAll(_gate);
        }
    }

    // Called with the machine lock held: the gate is only ever held for a moment, and never while waiting for that lock.
    private void OnSpaceFreed()
    {
        lock (_gate)
        {
            _spaceFreed = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void DeliverLoop()
    {
        byte[] chunk = new byte[MostAtOnce];
        bool full = false;
        while (Peek(chunk, full, out int length, out int breaks))
        {
            int taken;
            using (_machineLock.Enter())
            {
                for (int i = 0; i < breaks; i++)
                {
                    _receiver.ReceiveBreak();
                }

                taken = Math.Min(length, Math.Max(0, _receiver.CanReceive));
                if (taken > 0)
                {
                    _receiver.Receive(chunk.AsSpan(0, taken));
                }
            }

            full = taken == 0 && length > 0;
            Remove(taken);
        }
    }

    // Waits for something to deliver and copies its start; false at the end.
    private bool Peek(byte[] chunk, bool full, out int length, out int breaks)
    {
        lock (_gate)
        {
            if (full && !_spaceFreed && !_closing)
            {
                Monitor.Wait(_gate, Recheck);
            }

            while (_queue.Count == 0 && _breaks == 0 && !_closing)
            {
                Monitor.Wait(_gate);
            }

            _spaceFreed = false;
            breaks = _breaks;
            _breaks = 0;
            length = 0;
            foreach (byte value in _queue)
            {
                chunk[length++] = value;
                if (length == chunk.Length)
                {
                    break;
                }
            }

            return !_closing;
        }
    }

    private void Remove(int count)
    {
        lock (_gate)
        {
            for (int i = 0; i < count; i++)
            {
                _queue.Dequeue();
            }

            Monitor.PulseAll(_gate);
        }
    }
}
