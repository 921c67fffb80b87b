using Emu.Core;
using Emu.Core.Cpu;
using Reg = Emu.Devices.IrqChip.LocalApicRegister;

namespace Emu.Devices.IrqChip;

/// <summary>IA32_APIC_BASE and the other MSRs of the local APIC (SDM vol. 3, 11.4.4 and 11.12).</summary>
internal static class ApicBase
{
    public const uint FirstX2ApicMsr = 0x800;
    public const uint TscDeadlineMsr = 0x6E0;

    public const ulong BootProcessor = 1 << 8;
    public const ulong Extended = 1 << 10;
    public const ulong Enable = 1 << 11;
    public const ulong DefaultAddress = 0xFEE0_0000;

    // Bits 7:0, 9, and everything above the widest physical address.
    private const ulong Reserved = 0xFFF0_0000_0000_02FF;

    /// <summary>
    /// True when WRMSR may change the register from <paramref name="from"/> to <paramref name="to"/>: no reserved bits,
    /// and of the transitions of figure 11-27 those that do not fault.
    /// </summary>
    public static bool IsLegal(ulong from, ulong to)
    {
        if ((to & Reserved) != 0)
        {
            return false;
        }

        return ((from & Enable) != 0, (from & Extended) != 0, (to & Enable) != 0, (to & Extended) != 0) switch
        {
            (_, _, false, true) => false,
            (false, _, true, true) => false,
            (true, true, true, false) => false,
            _ => true,
        };
    }
}

/// <summary>Range checks of a saved APIC.</summary>
internal static class LocalApicStateCheck
{
    private const long LongestCountNs = 1L << 40;

    public static LocalApicState Check(string device, DeviceState state)
    {
        if (state is not LocalApicState s)
        {
            throw new InvalidDeviceStateException(device, "the record is of another device");
        }

        Require(ApicBase.IsLegal(ApicBase.Enable, s.BaseMsr), nameof(s.BaseMsr));
        Require((s.SpuriousVector & ~Reg.SvrWritable) == 0, nameof(s.SpuriousVector));
        Require((s.LogicalDestination & 0x00FF_FFFF) == 0, nameof(s.LogicalDestination));
        Require((s.DestinationFormat & Reg.DfrFixedOnes) == Reg.DfrFixedOnes, nameof(s.DestinationFormat));
        Require(IsVectorSet(s.InService), nameof(s.InService));
        Require(IsVectorSet(s.TriggerMode), nameof(s.TriggerMode));
        Require(IsVectorSet(s.InterruptRequest), nameof(s.InterruptRequest));
        Require((s.ErrorStatus | s.PendingErrors) <= 0xFF, nameof(s.ErrorStatus));
        Require(((uint)s.InterruptCommand & ~Reg.IcrLowWritable) == 0, nameof(s.InterruptCommand));
        Require(s.Lvt is { Length: Reg.LvtCount } && IsLvt(s.Lvt), nameof(s.Lvt));
        Require((s.DivideConfiguration & ~Reg.DivideWritable) == 0, nameof(s.DivideConfiguration));
        Require(s.TimerElapsedNs is >= 0 and <= LongestCountNs, nameof(s.TimerElapsedNs));
        return s;

        void Require(bool condition, string field)
        {
            if (!condition)
            {
                throw new InvalidDeviceStateException(device, $"{field} is out of range");
            }
        }
    }

    // Vectors below 16 cannot be pending or in service.
    private static bool IsVectorSet(uint[]? words) => words is { Length: VectorSet.Words } && (words[0] & 0xFFFF) == 0;

    private static bool IsLvt(uint[] entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            if ((entries[i] & ~Reg.LvtWritable(Reg.LvtTimer + i)) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
