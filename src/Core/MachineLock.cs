namespace Emu.Core;

/// <summary>
/// The one lock of a machine: held around every device access, by vCPU threads inside
/// <see cref="Memory.AddressSpace"/> dispatch and by the machine thread around timers and I/O completions. Reentrant.
/// Lock order: it is the outermost lock; nothing that a device calls may block on another thread that wants it.
/// </summary>
public sealed class MachineLock
{
    private readonly Lock _lock = new();

    /// <summary>Enters the lock until the returned scope is disposed.</summary>
    public Lock.Scope Enter() => _lock.EnterScope();

    /// <summary>True when the calling thread holds the lock.</summary>
    public bool IsHeld => _lock.IsHeldByCurrentThread;
}
