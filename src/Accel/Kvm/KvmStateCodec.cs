using System.Buffers.Binary;
using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>Conversion between the structures of KVM and <see cref="X86State"/>.</summary>
internal static class KvmStateCodec
{
    private const uint Efer = 0xC000_0080;
    private const uint Unusable = 1 << 16;
    private const int XsaveLegacy = 576;
    private const int XsaveSize = 832;
    private const int XstateBv = 512;
    private const ulong X87AndSse = 3;
    private const ulong Avx = 4;

    /// <summary>Checks the shape of a state; its values are KVM's to judge.</summary>
    /// <exception cref="ArgumentException">An array has the wrong length, or a register is out of range.</exception>
    public static void Validate(X86State state)
    {
        Require(state.Gpr is { Length: 16 } && state.Segments is { Length: 6 } && state.Dr is { Length: 6 } && state.Msrs is not null, "register arrays");
        Require(state.Xsave is { Length: >= XsaveLegacy and <= KvmXsave.Size }, "XSAVE image");
        Require(state.Cr8 <= 15, "CR8");
    }

    /// <summary>Registers, control registers with EFER, and pending events. The rest has its own ioctls.</summary>
    public static X86State Decode(in KvmRegs r, in KvmSregs s, in KvmVcpuEvents events, in KvmDebugRegs debug) => new()
    {
        Gpr = [r.Rax, r.Rcx, r.Rdx, r.Rbx, r.Rsp, r.Rbp, r.Rsi, r.Rdi, r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15],
        Rip = r.Rip,
        Rflags = r.Rflags,
        Segments = [Decode(s.Es), Decode(s.Cs), Decode(s.Ss), Decode(s.Ds), Decode(s.Fs), Decode(s.Gs)],
        Ldtr = Decode(s.Ldt),
        Tr = Decode(s.Tr),
        Gdtr = new DescriptorTableState(s.Gdt.Base, s.Gdt.Limit),
        Idtr = new DescriptorTableState(s.Idt.Base, s.Idt.Limit),
        Cr0 = s.Cr0,
        Cr2 = s.Cr2,
        Cr3 = s.Cr3,
        Cr4 = s.Cr4,
        Cr8 = s.Cr8,
        Dr = [debug.Db0, debug.Db1, debug.Db2, debug.Db3, debug.Dr6, debug.Dr7],
        Msrs = new SortedDictionary<uint, ulong> { [Efer] = s.Efer },
        InterruptShadow = events.InterruptShadow != 0,
        NmiPending = (events.NmiPending | events.NmiInjected) != 0,
        NmiBlocked = events.NmiMasked != 0,
        PendingException = (events.ExceptionInjected | events.ExceptionPending) != 0
            ? new PendingException(events.ExceptionVector, events.ExceptionHasError != 0 ? events.ExceptionError : null) : null,
        PendingInterrupt = events.InterruptInjected != 0 && events.InterruptSoft == 0 ? events.InterruptVector : null,
    };

    public static KvmRegs EncodeRegs(X86State state)
    {
        ulong[] g = state.Gpr;
        return new KvmRegs
        {
            Rax = g[0], Rcx = g[1], Rdx = g[2], Rbx = g[3], Rsp = g[4], Rbp = g[5], Rsi = g[6], Rdi = g[7],
            R8 = g[8], R9 = g[9], R10 = g[10], R11 = g[11], R12 = g[12], R13 = g[13], R14 = g[14], R15 = g[15],
            Rip = state.Rip, Rflags = state.Rflags | 2,
        };
    }

    public static KvmSregs EncodeSregs(X86State state, ulong apicBase) => new()
    {
        Es = Encode(state.Segments[0]),
        Cs = Encode(state.Segments[1]),
        Ss = Encode(state.Segments[2]),
        Ds = Encode(state.Segments[3]),
        Fs = Encode(state.Segments[4]),
        Gs = Encode(state.Segments[5]),
        Ldt = Encode(state.Ldtr),
        Tr = Encode(state.Tr),
        Gdt = new KvmDescriptorTable { Base = state.Gdtr.Base, Limit = state.Gdtr.Limit },
        Idt = new KvmDescriptorTable { Base = state.Idtr.Base, Limit = state.Idtr.Limit },
        Cr0 = state.Cr0,
        Cr2 = state.Cr2,
        Cr3 = state.Cr3,
        Cr4 = state.Cr4,
        Cr8 = state.Cr8,
        Efer = state.Msrs.GetValueOrDefault(Efer),
        ApicBase = apicBase,
    };

    public static KvmVcpuEvents EncodeEvents(X86State state) => new()
    {
        Flags = KvmVcpuEvents.ValidNmiPending | KvmVcpuEvents.ValidShadow,
        InterruptShadow = state.InterruptShadow ? KvmVcpuEvents.ShadowSti : (byte)0,
        NmiPending = state.NmiPending ? (byte)1 : (byte)0,
        NmiMasked = state.NmiBlocked ? (byte)1 : (byte)0,
        ExceptionInjected = state.PendingException is null ? (byte)0 : (byte)1,
        ExceptionVector = state.PendingException?.Vector ?? 0,
        ExceptionHasError = state.PendingException?.ErrorCode is null ? (byte)0 : (byte)1,
        ExceptionError = state.PendingException?.ErrorCode ?? 0,
        InterruptInjected = state.PendingInterrupt is null ? (byte)0 : (byte)1,
        InterruptVector = state.PendingInterrupt ?? 0,
    };

    public static KvmDebugRegs EncodeDebug(X86State state) => new()
    {
        Db0 = state.Dr[0], Db1 = state.Dr[1], Db2 = state.Dr[2], Db3 = state.Dr[3], Dr6 = state.Dr[4], Dr7 = state.Dr[5],
    };

    /// <summary>The XSAVE image in standard format. Components in their initial state are written out, so that equal states look equal.</summary>
    public static byte[] DecodeXsave(ReadOnlySpan<byte> image)
    {
        byte[] result = image[..XsaveSize].ToArray();
        if ((BinaryPrimitives.ReadUInt64LittleEndian(image[XstateBv..]) & Avx) == 0)
        {
            result.AsSpan(XsaveLegacy).Clear();
        }

        BinaryPrimitives.WriteUInt64LittleEndian(result.AsSpan(XstateBv), X87AndSse | Avx);
        BinaryPrimitives.WriteUInt32LittleEndian(result.AsSpan(28), 0xffff);
        return result;
    }

    /// <summary>The image for KVM. The AVX component is left out in its initial state: the host may not have it.</summary>
    public static KvmXsave EncodeXsave(ReadOnlySpan<byte> image)
    {
        KvmXsave xsave = default;
        image.CopyTo(xsave);
        Span<byte> bytes = xsave;
        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(bytes[XstateBv..]);
        bool hasAvx = image.Length >= XsaveSize && bytes[XsaveLegacy..XsaveSize].ContainsAnyExcept((byte)0);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[XstateBv..], hasAvx ? held : held & ~Avx);
        return xsave;
    }

    // Attributes are descriptor bits 55:52 and 47:40, and bit 16 for unusable.
    private static SegmentState Decode(in KvmSegment s) => s.Unusable != 0
        ? new SegmentState(s.Selector, s.Base, s.Limit, Unusable)
        : new SegmentState(s.Selector, s.Base, s.Limit,
            s.Type | ((uint)s.S << 4) | ((uint)s.Dpl << 5) | ((uint)s.Present << 7) | ((uint)s.Avl << 12) | ((uint)s.L << 13) | ((uint)s.Db << 14) | ((uint)s.G << 15));

    private static KvmSegment Encode(in SegmentState s)
    {
        uint a = s.Attributes;
        bool unusable = (a & Unusable) != 0;
        return new KvmSegment
        {
            Base = s.Base,
            Limit = s.Limit,
            Selector = s.Selector,
            Type = (byte)(a & 15),
            S = (byte)((a >> 4) & 1),
            Dpl = (byte)((a >> 5) & 3),
            Present = (byte)(unusable ? 0 : (a >> 7) & 1),
            Avl = (byte)((a >> 12) & 1),
            L = (byte)((a >> 13) & 1),
            Db = (byte)((a >> 14) & 1),
            G = (byte)((a >> 15) & 1),
            Unusable = unusable ? (byte)1 : (byte)0,
        };
    }

    private static void Require(bool condition, string what)
    {
        if (!condition)
        {
            throw new ArgumentException($"The CPU state is not valid: {what}.");
        }
    }
}
