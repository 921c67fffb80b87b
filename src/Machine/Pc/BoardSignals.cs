namespace Emu.Machine.Pc;

/// <summary>What a board tells the machine around it. Called with the machine lock held, on the thread of whoever caused it.</summary>
/// <param name="Reset">The guest pulled one of the reset lines.</param>
/// <param name="PowerOff">The guest turned the power off.</param>
/// <param name="Exit">The guest ended the emulator with this exit code.</param>
/// <param name="Failed">A device's worker died of a fault of the emulator; called on its thread, without the lock.</param>
internal sealed record BoardSignals(Action Reset, Action PowerOff, Action<int> Exit, Action<Exception> Failed);
