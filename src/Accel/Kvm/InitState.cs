using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>The state after INIT (SDM vol. 3, table 10-1), for vCPUs whose local APIC is in user space: else KVM does it.</summary>
internal static class InitState
{
    private const uint Efer = 0xC000_0080;
    private const ulong CacheBits = 0x6000_0000;
    private const ulong ExtensionType = 0x10;

    /// <summary>What INIT makes of <paramref name="before"/>; EDX becomes <paramref name="signature"/>.</summary>
    public static X86State After(X86State before, uint signature)
    {
        var data = new SegmentState(0, 0, 0xFFFF, 0x93);
        ulong[] registers = new ulong[16];
        registers[2] = signature;
        return before with
        {
            Gpr = registers,
            Rip = 0xFFF0,
            Rflags = 2,
            Segments = [data, new SegmentState(0xF000, 0xFFFF_0000, 0xFFFF, 0x9B), data, data, data, data],
            Ldtr = new SegmentState(0, 0, 0xFFFF, 0x82),
            Tr = new SegmentState(0, 0, 0xFFFF, 0x8B),
            Gdtr = new DescriptorTableState(0, 0xFFFF),
            Idtr = new DescriptorTableState(0, 0xFFFF),
            Cr0 = (before.Cr0 & CacheBits) | ExtensionType,
            Cr2 = 0,
            Cr3 = 0,
            Cr4 = 0,
            Cr8 = 0,
            Dr = [0, 0, 0, 0, 0xFFFF_0FF0, 0x400],
            Msrs = new SortedDictionary<uint, ulong>(before.Msrs) { [Efer] = 0 },
            Halted = false,
            InterruptShadow = false,
            NmiPending = false,
            NmiBlocked = false,
            PendingException = null,
            PendingInterrupt = null,
            Apic = null,
        };
    }
}
