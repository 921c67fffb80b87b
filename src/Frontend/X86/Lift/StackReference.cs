using Emu.Core.Memory;
using Emu.Frontend.SoftMmu;
using Iced.Intel;

namespace Emu.Frontend.X86.Lift;

/// <summary>
/// Which exception an address takes that is not canonical, or beyond the limit of a flat segment: #SS(0) through the stack segment, else #GP(0)
/// (SDM vol. 1, 3.3.7.1). Loads and stores do not say which flat segment they use, which makes no other difference; the instruction is decoded
/// again when it has faulted.
/// </summary>
public static class StackReference
{
    private const ulong StackReach = 64;
    private const int Widest = 32;

    /// <summary>The exception to deliver for <paramref name="fault"/> of the instruction that <paramref name="cpu"/>'s program counter is at.</summary>
    public static X86Fault Resolve(X86Cpu cpu, AddressSpace memory, in X86Fault fault)
    {
        ArgumentNullException.ThrowIfNull(cpu);
        bool isLimit = fault is { Vector: X86Vector.GeneralProtection, LinearAddress: not 0 };
        bool mayBeLimit = fault is { Vector: X86Vector.PageFault, LinearAddress: > uint.MaxValue - Widest + 1 and <= uint.MaxValue };
        if ((!isLimit && !mayBeLimit) || Decode(cpu, memory) is not Instruction instruction)
        {
            return fault;
        }

        // Wide operands are accessed in parts, of which the first does not reach the limit.
        if (mayBeLimit && (fault.LinearAddress + (uint)instruction.MemorySize.GetSize() <= uint.MaxValue + 1UL || IsMaskedMove(instruction.Mnemonic) || cpu.TryPassFourGigabytes(fault.LinearAddress)))
        {
            return fault;
        }

        X86Vector vector = IsThroughStack(cpu, instruction, fault.LinearAddress) ? X86Vector.StackFault : X86Vector.GeneralProtection;
        return new X86Fault(vector, 0, RestartPc: fault.RestartPc);
    }

    // Their lanes are accessed one by one.
    private static bool IsMaskedMove(Mnemonic mnemonic) => mnemonic is Mnemonic.Vmaskmovps or Mnemonic.Vmaskmovpd or Mnemonic.Vpmaskmovd or Mnemonic.Vpmaskmovq;

    private static Instruction? Decode(X86Cpu cpu, AddressSpace memory)
    {
        ulong pc = cpu.LinearPc;
        if (!cpu.Mmu.TryTranslateCode(pc, out PageTranslation page))
        {
            return null;
        }

        const int PageMask = 4095;
        var fetcher = new CodeFetcher(cpu.Mmu, memory);
        fetcher.Start(pc, (page.PhysicalPage & ~(ulong)PageMask) | (pc & PageMask));
        return Decoder.Create(Bitness(cpu), fetcher).Decode();
    }

    private static unsafe int Bitness(X86Cpu cpu)
    {
        ulong mode = cpu.State->Header.ModeKey;
        return (mode & X86ModeKey.Code64) != 0 ? 64 : (mode & X86ModeKey.Code32) != 0 ? 32 : 16;
    }

    private static unsafe bool IsThroughStack(X86Cpu cpu, in Instruction instruction, ulong address)
    {
        ulong distance = address - cpu.State->Gpr[X86Gpr.Rsp] + StackReach;
        distance = Bitness(cpu) == 64 ? distance : (uint)distance;
        bool byStackPointer = instruction.IsStackInstruction && (instruction.Mnemonic is Mnemonic.Enter or Mnemonic.Leave || distance < 2 * StackReach);
        return byStackPointer
            || (instruction.MemoryBase is Register.RSP or Register.RBP or Register.ESP or Register.EBP or Register.BP && instruction.SegmentPrefix is not (Register.FS or Register.GS));
    }
}
