using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>The MSRs of a vCPU that belong to its state: those of the CPU model that this host's KVM can read.</summary>
internal sealed unsafe class KvmMsrs
{
    private const uint TscIndex = 0x10;
    private const uint TscDeadlineIndex = 0x6E0;
    private const uint EferIndex = 0xC000_0080;

    // Not in the index list of older kernels, yet part of the state: MTRRs (SDM vol. 4).
    private static readonly uint[] Unlisted =
    [
        0x250, 0x258, 0x259, 0x2ff,
        .. Enumerable.Range(0x200, 16).Select(index => (uint)index),
        .. Enumerable.Range(0x268, 8).Select(index => (uint)index),
    ];

    // Those that a guest of any accelerator has; the index list names many more that no CPU model offers.
    private static readonly uint[] Listed =
    [
        TscIndex, 0x174, 0x175, 0x176, 0x1a0, 0x277, 0xC000_0081, 0xC000_0082, 0xC000_0083, 0xC000_0084, 0xC000_0102,
    ];

    // Only a guest of KVM has these: kvm-clock (old and new), steal time, PV EOI, polling.
    private static readonly uint[] Paravirtual = [0x11, 0x12, 0x4b56_4d00, 0x4b56_4d01, 0x4b56_4d03, 0x4b56_4d04, 0x4b56_4d05];

    private readonly KvmVcpu _vcpu;
    private readonly KvmContext _context;
    private uint[]? _indices;

    public KvmMsrs(KvmVcpu vcpu, KvmContext context)
    {
        _vcpu = vcpu;
        _context = context;
    }

    /// <summary>
    /// What <see cref="X86State.Msrs"/> may name and KVM does not keep: machine check (no banks are set up) and the configuration
    /// of AMD's north bridge. Nothing in a virtual machine depends on them.
    /// </summary>
    public static bool IsNotHeld(uint index) =>
        index is (>= 0x400 and < 0x480) or 0x17a or 0x17b or 0xC001_0010 or 0xC001_0015 or 0xC001_001D or 0xC001_001F or 0xC001_0055;

    /// <summary>IA32_TSC_DEADLINE of a local APIC in the kernel; 0 when the model has none.</summary>
    public ulong TscDeadline
    {
        get => _context.HasTscDeadline && TryRead(TscDeadlineIndex, out ulong value) ? value : 0;
        set
        {
            if (_context.HasTscDeadline)
            {
                _ = TryWrite(TscDeadlineIndex, value);
            }
        }
    }

    private uint[] Indices => _indices ??= FindIndices();

    /// <summary>The values of all; those that only KVM has are left out while they are zero.</summary>
    public SortedDictionary<uint, ulong> Read()
    {
        KvmMsrEntry[] entries = [.. Indices.Select(index => new KvmMsrEntry { Index = index })];
        int count = Transfer(KvmIoctl.GetMsrs, entries);
        if (count != entries.Length)
        {
            throw new KvmException($"KVM does not read MSR {entries[Math.Max(0, count)].Index:x} any more");
        }

        return new SortedDictionary<uint, ulong>(entries
            .Where(entry => entry.Data != 0 || !Paravirtual.Contains(entry.Index))
            .ToDictionary(entry => entry.Index, entry => entry.Data));
    }

    /// <summary>Sets <paramref name="values"/>. What only KVM has and is not named is turned off: it would write into the next guest's memory.</summary>
    /// <exception cref="ArgumentException">KVM refuses a value, or has no such MSR.</exception>
    public void Write(SortedDictionary<uint, ulong> values)
    {
        foreach (uint index in Indices.Where(Paravirtual.Contains))
        {
            if (!values.ContainsKey(index))
            {
                _ = TryWrite(index, 0);
            }
        }

        foreach ((uint index, ulong value) in values)
        {
            if (index != EferIndex && !TryWrite(index, value) && !IsNotHeld(index))
            {
                throw new ArgumentException($"The CPU state is not valid: KVM does not take {value:x} for MSR {index:x}.");
            }
        }
    }

    private bool TryRead(uint index, out ulong value)
    {
        KvmMsrEntry[] entry = [new() { Index = index }];
        bool read = Transfer(KvmIoctl.GetMsrs, entry) == 1;
        value = entry[0].Data;
        return read;
    }

    private bool TryWrite(uint index, ulong value) => Transfer(KvmIoctl.SetMsrs, [new() { Index = index, Data = value }]) == 1;

    private uint[] FindIndices()
    {
        var listed = _context.Vm.System.GetMsrIndices().ToHashSet();
        CpuModel model = _context.Environment.Model;
        IEnumerable<uint> wanted = Listed.Where(listed.Contains).Concat(Unlisted);
        if (model.Has(CpuFeature.TscAdjust))
        {
            wanted = wanted.Append(0x3bu);
        }

        if (model.Has(CpuFeature.Rdtscp) || model.Has(CpuFeature.Rdpid))
        {
            wanted = wanted.Append(0xC000_0103);
        }

        if (model.Has(CpuFeature.Hypervisor))
        {
            wanted = wanted.Concat(Paravirtual);
        }

        return [.. wanted.Where(index => TryRead(index, out _))];
    }

    // struct kvm_msrs: count, padding, entries. KVM answers how many it has done before the first that it cannot.
    private int Transfer(uint request, KvmMsrEntry[] entries)
    {
        byte[] buffer = new byte[8 + (entries.Length * sizeof(KvmMsrEntry))];
        fixed (byte* start = buffer)
        {
            *(uint*)start = (uint)entries.Length;
            entries.CopyTo(new Span<KvmMsrEntry>(start + 8, entries.Length));
            int done = _vcpu.Ioctl(request, (nint)start);
            new Span<KvmMsrEntry>(start + 8, entries.Length).CopyTo(entries);
            return done;
        }
    }
}
