namespace Emu.Machine;

/// <summary>What the machine thread is asked to do.</summary>
internal enum MachineRequestKind
{
    /// <summary>Stop the CPUs and virtual time.</summary>
    Pause,

    /// <summary>Let them go on.</summary>
    Resume,

    /// <summary>Start over, or end with <c>-no-reboot</c>.</summary>
    Reset,

    /// <summary>The power is off: end, or pause with <c>-no-shutdown</c>.</summary>
    PowerOff,

    /// <summary>End with an exit code.</summary>
    Exit,

    /// <summary>End because the emulator is at fault.</summary>
    Fail,
}

/// <summary>A message to the machine thread.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="ExitCode">For <see cref="MachineRequestKind.Exit"/>.</param>
/// <param name="Detail">For <see cref="MachineRequestKind.Fail"/>: one line.</param>
/// <param name="Done">Set when it has been done, or cannot be any more.</param>
internal sealed record MachineRequest(MachineRequestKind Kind, int ExitCode = 0, string? Detail = null, ManualResetEventSlim? Done = null);
