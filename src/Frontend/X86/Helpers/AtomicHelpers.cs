using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86.Helpers;

/// <summary>
/// IR helpers for locked instructions. On RAM they are host atomics on the same bytes. Accesses to device registers and operands
/// that are not naturally aligned (split locks among them) are read and written under one lock instead: atomic against each other,
/// which is as far as guests rely on them.
/// </summary>
internal static unsafe class AtomicHelpers
{
    private static readonly Lock SplitLock = new();

    /// <summary>One locked operation. a = linear address, b = operand; imm = <see cref="IrWidth"/> | <see cref="IrAtomic"/> &lt;&lt; 8. Returns the old value.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong ReadModifyWrite(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        IrAtomic operation = (IrAtomic)(imm >> 8);
        int size = 1 << (int)(imm & 7);
        ulong accumulator = ((X86CpuState*)header)->Gpr[X86Gpr.Rax];
        if ((a & (uint)(size - 1)) != 0)
        {
            return ReadModifyWriteSplit(header, a, b, operation, size);
        }

        // The hit of the TLB, as an inline store makes it.
        TlbEntry* entry = header->Tlb + TlbEntry.IndexOf(a);
        byte* host = entry->WriteTag == (a & ~0xfffUL) ? (byte*)(a + (ulong)entry->Addend) : HostPointer(X86Cpu.From(header), a, size);
        if (host == null)
        {
            return ReadModifyWriteSplit(header, a, b, operation, size);
        }

        return size switch
        {
            1 => AtomicMemory.Apply(ref *host, operation, b, accumulator),
            2 => AtomicMemory.Apply(ref *(ushort*)host, operation, b, accumulator),
            4 => AtomicMemory.Apply(ref *(uint*)host, operation, b, accumulator),
            _ => AtomicMemory.Apply(ref *(ulong*)host, operation, b, accumulator),
        };
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong ReadModifyWriteSplit(CpuHeader* header, ulong a, ulong b, IrAtomic operation, int size)
    {
        X86Cpu cpu = X86Cpu.From(header);
        ulong accumulator = cpu.State->Gpr[X86Gpr.Rax];
        lock (SplitLock)
        {
            cpu.ProbeWrite(a, size);
            ulong old = cpu.ReadLinear(a, size);
            ulong mask = ulong.MaxValue >> (64 - (size * 8));
            cpu.WriteLinear(a, AtomicMemory.Compute(operation, old, b & mask, accumulator & mask) & mask, size);
            return old;
        }
    }

    /// <summary>CMPXCHG8B and CMPXCHG16B. a = linear address; imm = bytes. Sets ZF.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong CompareExchangeWide(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        ulong* gpr = cpu.State->Gpr;
        if (imm == 16 && (a & 15) != 0)
        {
            cpu.RaiseGeneralProtection();
        }

        bool equal = imm == 8 ? CompareExchange8(cpu, gpr, a) : CompareExchange16(cpu, gpr, a);
        LazyFlags.SetMaterialised(header, (LazyFlags.Evaluate(header) & ~Rflags.Zf) | (equal ? Rflags.Zf : 0));
        return 0;
    }

    private static bool CompareExchange8(X86Cpu cpu, ulong* gpr, ulong linear)
    {
        ulong expected = (gpr[X86Gpr.Rdx] << 32) | (uint)gpr[X86Gpr.Rax];
        ulong replacement = (gpr[X86Gpr.Rcx] << 32) | (uint)gpr[X86Gpr.Rbx];
        byte* host = (linear & 7) == 0 ? HostPointer(cpu, linear, 8) : null;
        ulong old;
        if (host != null)
        {
            old = Interlocked.CompareExchange(ref *(ulong*)host, replacement, expected);
        }
        else
        {
            lock (SplitLock)
            {
                cpu.ProbeWrite(linear, 8);
                old = cpu.ReadLinear(linear, 8);
                cpu.WriteLinear(linear, old == expected ? replacement : old, 8);
            }
        }

        if (old != expected)
        {
            (gpr[X86Gpr.Rax], gpr[X86Gpr.Rdx]) = ((uint)old, old >> 32);
        }

        return old == expected;
    }

    // .NET has no 16-byte interlocked operation; the lock makes these atomic against each other.
    private static bool CompareExchange16(X86Cpu cpu, ulong* gpr, ulong linear)
    {
        lock (SplitLock)
        {
            cpu.ProbeWrite(linear, 16);
            ulong low = cpu.ReadLinear(linear, 8);
            ulong high = cpu.ReadLinear(linear + 8, 8);
            bool equal = low == gpr[X86Gpr.Rax] && high == gpr[X86Gpr.Rdx];
            cpu.WriteLinear(linear, equal ? gpr[X86Gpr.Rbx] : low, 8);
            cpu.WriteLinear(linear + 8, equal ? gpr[X86Gpr.Rcx] : high, 8);
            if (!equal)
            {
                (gpr[X86Gpr.Rax], gpr[X86Gpr.Rdx]) = (low, high);
            }

            return equal;
        }
    }

    /// <summary>Host address of an operand inside one page of RAM, or null; faults unwind.</summary>
    private static byte* HostPointer(X86Cpu cpu, ulong linear, int size)
    {
        cpu.Mmu.HitCurrentBlock = false;
        bool present = cpu.Mmu.TryGetHostPointer(linear, size, MmuAccess.Write, cpu.Mmu.Mode, out byte* host);
        return present && !cpu.Mmu.HitCurrentBlock ? host : throw GuestFaultException.Instance;
    }
}
