using Emu.Accel.Kvm.Native;

namespace Emu.Accel.Kvm;

/// <content>What is set once, when the vCPU is created.</content>
internal sealed partial class KvmVcpu
{
    private KvmLapicState _resetApic;

    /// <summary>The TSC's frequency in kHz, or 0 when KVM does not say.</summary>
    internal int TscKhz { get; private set; }

    private unsafe void SetCpuid()
    {
        bool apicInKernel = _apic is null;
        TscKhz = Math.Max(0, Ioctl(KvmIoctl.GetTscKhz, 0));
        KvmCpuidEntry[] entries = KvmCpuid.Build(_context.Environment.Model, _context.SupportedCpuid, Index, apicInKernel, TscKhz);
        byte[] buffer = new byte[8 + (entries.Length * sizeof(KvmCpuidEntry))];
        fixed (byte* start = buffer)
        {
            *(uint*)start = (uint)entries.Length;
            entries.CopyTo(new Span<KvmCpuidEntry>(start + 8, entries.Length));
            int result = Ioctl(KvmIoctl.SetCpuid2, (nint)start);
            if (result < 0)
            {
                throw KvmException.Failed("KVM refuses the CPU model", -result);
            }
        }

        if (apicInKernel)
        {
            Demand(KvmIoctl.GetLapic, ref _resetApic, "KVM_GET_LAPIC");
        }

        int ringPage = _context.Vm.System.Has(KvmCapability.CoalescedMmio);
        if (ringPage > 0 && (ringPage + 1) * 4096 <= _run.Size)
        {
            _context.Coalesced.Attach(_run.Ring(ringPage));
        }
    }
}
