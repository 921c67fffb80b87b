namespace Emu.Accel.Kvm.Native;

/// <summary>
/// The memory that a vCPU shares with KVM (struct kvm_run, and behind it the data of port I/O and the ring of coalesced
/// writes). Offsets are the ABI's; what KVM writes is trusted no further than that they stay inside the mapping.
/// </summary>
/// <remarks>SAFETY: <paramref name="start"/> is valid for <paramref name="size"/> bytes, at least 4096, until the vCPU is disposed of.</remarks>
internal readonly unsafe struct KvmRunArea(byte* start, int size)
{
    public const ulong SyncAll = 7;

    private const int UnionOffset = 32;
    private const int SyncOffset = 304;
    private const int SregsOffset = SyncOffset + 144;
    private const int EventsOffset = SyncOffset + 456;

    /// <summary>Size of the mapping.</summary>
    public int Size => size;

    /// <summary>Asks for an exit as soon as an interrupt can be taken.</summary>
    public bool RequestInterruptWindow
    {
        set => start[0] = value ? (byte)1 : (byte)0;
    }

    /// <summary>Makes KVM_RUN come back with EINTR once pending I/O is complete. Written by every thread.</summary>
    public bool ImmediateExit
    {
        get => Volatile.Read(ref start[1]) != 0;
        set => Volatile.Write(ref start[1], value ? (byte)1 : (byte)0);
    }

    public KvmExitReason ExitReason
    {
        get => (KvmExitReason)(*(uint*)(start + 8));
        set => *(uint*)(start + 8) = (uint)value;
    }

    /// <summary>At the last exit: KVM_INTERRUPT would be taken at once.</summary>
    public bool ReadyForInterrupt
    {
        get => start[12] != 0;
        set => start[12] = value ? (byte)1 : (byte)0;
    }

    /// <summary>RFLAGS.IF at the last exit.</summary>
    public bool InterruptFlag
    {
        get => start[13] != 0;
        set => start[13] = value ? (byte)1 : (byte)0;
    }

    public ulong Cr8
    {
        get => *(ulong*)(start + 16);
        set => *(ulong*)(start + 16) = value;
    }

    public ulong ApicBase => *(ulong*)(start + 24);

    /// <summary>KVM_EXIT_IO: true for OUT and OUTS.</summary>
    public bool IoIsWrite => start[UnionOffset] != 0;

    public int IoSize => start[UnionOffset + 1];

    public ushort IoPort => *(ushort*)(start + UnionOffset + 2);

    /// <summary>Number of elements: more than one for string instructions with REP.</summary>
    public int IoCount => (int)*(uint*)(start + UnionOffset + 4);

    /// <summary>The data of the access, <see cref="IoSize"/> × <see cref="IoCount"/> bytes; empty when KVM says it lies outside.</summary>
    public Span<byte> IoData
    {
        get
        {
            ulong offset = *(ulong*)(start + UnionOffset + 8);
            ulong length = (ulong)IoSize * (uint)IoCount;
            return offset <= (ulong)size && length <= (ulong)size - offset ? new Span<byte>(start + offset, (int)length) : default;
        }
    }

    public ulong MmioAddress => *(ulong*)(start + UnionOffset);

    public Span<byte> MmioData => new(start + UnionOffset + 8, Math.Min(*(int*)(start + UnionOffset + 16), 8));

    public bool MmioIsWrite => start[UnionOffset + 20] != 0;

    /// <summary>The first 64-bit word of the union: hardware exit or entry failure reason, hypercall number.</summary>
    public ulong Reason => *(ulong*)(start + UnionOffset);

    /// <summary>The first 32-bit word of the union: suberror, system event, exception.</summary>
    public uint Code => *(uint*)(start + UnionOffset);

    /// <summary>The second 32-bit word of the union: number of data words, error code.</summary>
    public uint Count => *(uint*)(start + UnionOffset + 4);

    /// <summary>Data word <paramref name="index"/> (0–15) of an internal error or a system event.</summary>
    public ulong Data(int index) => *(ulong*)(start + UnionOffset + 8 + ((index & 15) * 8));

    /// <summary>KVM_EXIT_INTERNAL_ERROR, emulation failed: the instruction's bytes, where KVM gives them.</summary>
    public ReadOnlySpan<byte> InstructionBytes
    {
        get
        {
            const ulong HasBytes = 1;
            return Count >= 3 && (Data(0) & HasBytes) != 0 ? new ReadOnlySpan<byte>(start + UnionOffset + 17, Math.Min((int)start[UnionOffset + 16], 15)) : default;
        }
    }

    public byte EoiVector => start[UnionOffset];

    /// <summary>Register classes that KVM copies out at each exit.</summary>
    public ulong ValidRegs
    {
        set => *(ulong*)(start + 288) = value;
    }

    /// <summary>Register classes that KVM takes over at the next KVM_RUN.</summary>
    public ulong DirtyRegs
    {
        get => *(ulong*)(start + 296);
        set => *(ulong*)(start + 296) = value;
    }

    public ref KvmRegs Regs => ref *(KvmRegs*)(start + SyncOffset);

    public ref KvmSregs Sregs => ref *(KvmSregs*)(start + SregsOffset);

    public ref KvmVcpuEvents Events => ref *(KvmVcpuEvents*)(start + EventsOffset);

    /// <summary>The ring of coalesced writes, <paramref name="page"/> pages behind the start.</summary>
    public KvmCoalescedRing Ring(int page) => new(start + (page * 4096));
}

/// <summary>struct kvm_coalesced_mmio_ring: one page that KVM fills and user space drains.</summary>
internal readonly unsafe struct KvmCoalescedRing(byte* page)
{
    private const int HeaderSize = 8;
    private const int EntrySize = 24;
    private const uint Capacity = (4096 - HeaderSize) / EntrySize;

    /// <summary>True when something is in it. Any thread, as a hint.</summary>
    public bool HasEntries => Volatile.Read(ref *(uint*)page) != Volatile.Read(ref *(uint*)(page + 4));

    /// <summary>Takes the oldest write out.</summary>
    public bool TryTake(out ulong address, out ulong value, out int length, out bool isPort)
    {
        uint first = *(uint*)page;
        uint last = Volatile.Read(ref *(uint*)(page + 4));
        if (first == last || first >= Capacity)
        {
            (address, value, length, isPort) = (0, 0, 0, false);
            return false;
        }

        byte* entry = page + HeaderSize + (first * EntrySize);
        address = *(ulong*)entry;
        length = *(int*)(entry + 8);
        isPort = *(uint*)(entry + 12) != 0;
        value = *(ulong*)(entry + 16);
        Volatile.Write(ref *(uint*)page, (first + 1) % Capacity);
        return true;
    }
}
