namespace Emu.Core;

/// <summary>
/// Makes the threads on which devices do what takes long, such as disk transfers, while the vCPUs run. The machine owns the
/// threads; a device only says what there is to do.
/// </summary>
public interface IDeviceWorkers
{
    /// <summary>A worker, named for messages, that runs <paramref name="work"/> after each <see cref="IDeviceWorker.Wake"/>, never twice at once.</summary>
    IDeviceWorker Create(string name, Action work);
}

/// <summary>One thread of work. It runs without the machine lock, and must never wait for anybody who holds it while holding what they want.</summary>
public interface IDeviceWorker
{
    /// <summary>Has the work run at least once from its beginning after this call. Any thread; does not wait.</summary>
    void Wake();
}
