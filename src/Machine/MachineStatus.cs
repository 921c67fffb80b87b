namespace Emu.Machine;

/// <summary>Where a machine is in its life.</summary>
public enum MachineStatus
{
    /// <summary><see cref="Machine.Run"/> has not been called yet.</summary>
    Created,

    /// <summary>The CPUs run and time passes.</summary>
    Running,

    /// <summary>The CPUs and virtual time stand still.</summary>
    Paused,

    /// <summary><see cref="Machine.Run"/> has returned or is about to.</summary>
    Finished,
}

/// <summary>Why a machine was last reset.</summary>
public enum MachineResetCause
{
    /// <summary>It has not been reset.</summary>
    None,

    /// <summary>The guest pulled a reset line of the board, or <see cref="Machine.RequestReset"/> was called.</summary>
    Requested,

    /// <summary>A CPU shut down: a fault while it delivered a double fault.</summary>
    TripleFault,
}
