using Emu.Core.Memory;
using Emu.Frontend.SoftMmu;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// Which exception a non-canonical address takes: #SS(0) through the stack segment, else #GP(0) (SDM vol. 1, 3.3.7.1). Loads and stores do not
/// say which segment they use in 64-bit code, where it makes no other difference; the instruction is decoded again when it has faulted.
/// </summary>
public static class StackReference
{
    private const ulong StackReach = 64;

    /// <summary>The exception to deliver for <paramref name="fault"/> of the instruction that <paramref name="cpu"/>'s program counter is at.</summary>
    public static X86Fault Resolve(X86Cpu cpu, AddressSpace memory, in X86Fault fault)
    {
        ArgumentNullException.ThrowIfNull(cpu);
        return fault is { Vector: X86Vector.GeneralProtection, LinearAddress: not 0 } && IsThroughStack(cpu, memory, fault.LinearAddress)
            ? fault with { Vector = X86Vector.StackFault }
            : fault;
    }

    private static unsafe bool IsThroughStack(X86Cpu cpu, AddressSpace memory, ulong address)
    {
        ulong pc = cpu.LinearPc;
        if (!cpu.Mmu.TryTranslateCode(pc, out PageTranslation page))
        {
            return false;
        }

        const int PageMask = 4095;
        var fetcher = new CodeFetcher(cpu.Mmu, memory);
        fetcher.Start(pc, (page.PhysicalPage & ~(ulong)PageMask) | (pc & PageMask));
        Instruction instruction = Decoder.Create(64, fetcher).Decode();
        bool byStackPointer = instruction.IsStackInstruction
            && (instruction.Mnemonic is Mnemonic.Enter or Mnemonic.Leave || address - cpu.State->Gpr[X86Gpr.Rsp] + StackReach < 2 * StackReach);
        return byStackPointer
            || (instruction.MemoryBase is Register.RSP or Register.RBP or Register.ESP or Register.EBP && instruction.SegmentPrefix is not (Register.FS or Register.GS));
    }
}
