using Emu.Core;

namespace Emu.Tests.Devices.Virtio;

/// <summary>Workers whose work is done when the test says so, on its own thread.</summary>
internal sealed class SteppedWorkers : IDeviceWorkers
{
    private readonly List<Worker> _workers = [];

    public IDeviceWorker Create(string name, Action work)
    {
        var worker = new Worker(work);
        _workers.Add(worker);
        return worker;
    }

    /// <summary>Does what was asked for; true when there was something.</summary>
    public bool Run() => _workers.Aggregate(false, (ran, worker) => worker.Run() | ran);

    private sealed class Worker(Action work) : IDeviceWorker
    {
        private bool _woken;

        public void Wake() => _woken = true;

        public bool Run()
        {
            bool woken = _woken;
            _woken = false;
            if (woken)
            {
                work();
            }

            return woken;
        }
    }
}
