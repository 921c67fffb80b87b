namespace Emu.Core;

/// <summary>
/// An interrupt that any thread may raise without the machine lock: what a device with work off the vCPU threads signals by.
/// Made by the board, in the kernel where the accelerator can, else in user space.
/// </summary>
public abstract class IrqNotifier : IDisposable
{
    /// <summary>
    /// One edge, or one message. On a level-triggered line with a resample callback the line goes up, and comes down when
    /// the guest ends the interrupt; the callback raises it again if the cause is still there.
    /// </summary>
    public abstract void Raise();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the connection to the interrupt controller.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

/// <summary>A notifier that takes the machine lock and drives a line or sends a message there.</summary>
/// <param name="machineLock">The machine lock.</param>
/// <param name="raise">Called with the lock held.</param>
public sealed class UserIrqNotifier(MachineLock machineLock, Action raise) : IrqNotifier
{
    private bool _disposed;

    /// <inheritdoc/>
    public override void Raise()
    {
        using (machineLock.Enter())
        {
            if (!_disposed)
            {
                raise();
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        using (machineLock.Enter())
        {
            _disposed = true;
        }

        base.Dispose(disposing);
    }
}
