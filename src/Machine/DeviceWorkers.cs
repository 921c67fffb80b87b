using Emu.Core;

namespace Emu.Machine;

/// <summary>
/// The worker threads of a machine's devices. A thread starts with its first work. A fault of the emulator in one ends the
/// machine, as on vCPU threads.
/// </summary>
internal sealed class DeviceWorkers(Action<Exception> failed) : IDeviceWorkers
{
    // Work is bounded, and waits only for the host's storage.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(30);

    private readonly List<Worker> _workers = [];

    /// <inheritdoc/>
    public IDeviceWorker Create(string name, Action work)
    {
        var worker = new Worker(name, work, failed);
        _workers.Add(worker);
        return worker;
    }

    /// <summary>Ends all threads once what they are doing is done; false when one does not end, which may still use guest memory.</summary>
    public bool Stop()
    {
        _workers.ForEach(worker => worker.RequestStop());
        return _workers.TrueForAll(worker => worker.Join(StopLimit));
    }

    private sealed class Worker(string name, Action work, Action<Exception> failed) : IDeviceWorker
    {
        private readonly object _gate = new();
        private Thread? _thread;
        private bool _woken;
        private bool _stopping;

        public void Wake()
        {
            lock (_gate)
            {
                _woken = true;
                if (_thread is null && !_stopping)
                {
                    _thread = new Thread(Run) { Name = name, IsBackground = true };
                    _thread.Start();
                }

                Monitor.Pulse(_gate);
            }
        }

        public void RequestStop()
        {
            lock (_gate)
            {
                _stopping = true;
                Monitor.Pulse(_gate);
            }
        }

        public bool Join(TimeSpan limit) => _thread?.Join(limit) ?? true;

        private void Run()
        {
            try
            {
                while (WaitForWork())
                {
                    work();
                }
            }
            catch (Exception exception)
            {
                failed(exception);
            }
        }

        private bool WaitForWork()
        {
            lock (_gate)
            {
                while (!_woken && !_stopping)
                {
                    Monitor.Wait(_gate);
                }

                _woken = false;
                return !_stopping;
            }
        }
    }
}
