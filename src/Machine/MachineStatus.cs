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
