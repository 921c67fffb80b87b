using Emu.Core.Memory;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Lift;

/// <summary>Makes the x86 frontend of a CPU.</summary>
public static class X86Frontend
{
    /// <summary>A frontend that lifts the code <paramref name="cpu"/> is about to execute.</summary>
    /// <param name="cpu">The CPU; its mode and program counter decide what is lifted.</param>
    /// <param name="memory">Guest-physical memory.</param>
    /// <param name="unimplemented">Called with text and address of each instruction that is translated to #UD because it is not implemented.</param>
    /// <param name="disassembled">Called with address and text of each instruction that is lifted.</param>
    /// <param name="relativeKernel">64-bit code is <see cref="IGuestFrontend.IsRelative"/> at every privilege level.</param>
    public static IGuestFrontend Create(
        X86Cpu cpu, AddressSpace memory, Action<string>? unimplemented = null, Action<ulong, string>? disassembled = null, bool relativeKernel = false) =>
        new X86Lifter(cpu, memory) { Unimplemented = unimplemented, Disassembled = disassembled, RelativeKernel = relativeKernel };
}
