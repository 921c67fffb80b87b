using Emu.Accel.Kvm.Native;
using Emu.Core;

namespace Emu.Accel.Kvm;

/// <summary>
/// The thread that waits for events that the kernel signals past the vCPUs (doorbells, resampled interrupt lines) and calls
/// their owners with the machine lock held. It starts with the first event.
/// </summary>
internal sealed class KvmEventThread(MachineLock machineLock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<(EventFd Event, Action Signalled)> _events = [];
    private EventFd? _changed;
    private Thread? _thread;
    private bool _stopping;

    /// <summary>Has <paramref name="signalled"/> called each time <paramref name="e"/> was signalled.</summary>
    public void Add(EventFd e, Action signalled)
    {
        lock (_gate)
        {
            _events.Add((e, signalled));
            if (_thread is null)
            {
                _changed = new EventFd();
                _thread = new Thread(Run) { Name = "kvm-events", IsBackground = true };
                _thread.Start();
            }
            else
            {
                _changed!.Signal();
            }
        }
    }

    /// <summary>Takes it out again; it is not waited on any more when this returns, unless called by the thread itself.</summary>
    public void Remove(EventFd e)
    {
        lock (_gate)
        {
            _events.RemoveAll(entry => entry.Event == e);
            _changed?.Signal();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopping = true;
            _changed?.Signal();
        }

        _thread?.Join();
        _changed?.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            (EventFd Event, Action Signalled)[] watched;
            lock (_gate)
            {
                if (_stopping)
                {
                    return;
                }

                watched = [.. _events];
            }

            EventFd.WaitAny([_changed!, .. watched.Select(entry => entry.Event)]);
            _changed!.TryTake();
            foreach ((EventFd e, Action signalled) in watched)
            {
                Serve(e, signalled);
            }
        }
    }

    private void Serve(EventFd e, Action signalled)
    {
        using (machineLock.Enter())
        {
            lock (_gate)
            {
                if (_stopping || !_events.Exists(entry => entry.Event == e) || !e.TryTake())
                {
                    return;
                }
            }

            signalled();
        }
    }
}
