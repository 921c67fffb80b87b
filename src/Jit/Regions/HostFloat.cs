using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>
/// The host's own floating-point exception flags, for regions that compute with the host's SSE instructions in the guest's stead.
/// </summary>
/// <remarks>
/// <para>
/// A region with floating-point operations runs with the guest's control at its defaults (the lifter says so by leaving
/// <see cref="IrCallEffects.MayFault"/> out of their effects), which are also the host's. Each host instruction then raises what the
/// guest's would, in the same bits, and the processor collects it: nothing is checked per operation.
/// <see cref="Enter"/> makes sure that the host's flags are a subset of the guest's; from there on the host's flags hold nothing but what
/// the guest had or has earned. <see cref="Leave"/> adds them to the guest's. So the flags are exact wherever they can be seen: behind the tail of
/// the region (a fault, an interrupt, the next block) and in helpers that look at them. Code that may use host floats of its own (any
/// helper that is not known better) is put between <see cref="Leave"/> and <see cref="Enter"/>.
/// </para>
/// <para>
/// libm would be the portable way to MXCSR, but glibc's <c>fetestexcept</c> and <c>feclearexcept</c> drop the denormal flag, which x86
/// guests see, and take 12 and 83 ns; two routines of a few bytes take 2. Regions call them directly: behind a managed method the host may
/// do work of its own on the thread (link the method, take the return for a suspension), with floats whose flags would become the
/// guest's. Signals save and restore MXCSR.
/// </para>
/// </remarks>
internal static unsafe partial class HostFloat
{
    private const int LeaveOffset = 64;

    private static readonly byte* Routines = IsHostSupported ? MapRoutines() : null;

    /// <summary>True when this host lets regions use its floating-point instructions.</summary>
    public static bool IsAvailable => Routines != null;

    /// <summary>
    /// Before the first operation of the guest, and after code that may have used host floats: no host flag is set that the guest's are not.
    /// A routine with the signature of a handler; its first argument is ignored. Only where <see cref="IsAvailable"/>.
    /// </summary>
    public static nint Enter => (nint)Routines;

    /// <summary>
    /// After the last operation of the guest, and before code that looks at its flags or may use host floats: its flags are complete. A routine
    /// as <see cref="Enter"/>.
    /// </summary>
    public static nint Leave => (nint)(Routines + LeaveOffset);

    private static bool IsHostSupported => Sse2.X64.IsSupported && BitConverter.IsLittleEndian;

    // push rax; stmxcsr [rsp]; mov eax, [cpu + FloatStatus]; and eax, 3fh; not eax; and eax, [rsp]; cmp eax, 1f80h; je done;
    // mov dword [rsp], 1f80h; ldmxcsr [rsp]; done: pop rax; ret. 1f80h is MXCSR at reset: also puts the control bits right, should native
    // code have left others behind.
    private static ReadOnlySpan<byte> EnterCode =>
    [
        0x50, 0x0f, 0xae, 0x1c, 0x24, 0x8b, 0x40, CpuHeader.FloatStatusOffset, 0x83, 0xe0, 0x3f, 0xf7, 0xd0, 0x23, 0x04, 0x24,
        0x3d, 0x80, 0x1f, 0x00, 0x00, 0x74, 0x0b, 0xc7, 0x04, 0x24, 0x80, 0x1f, 0x00, 0x00, 0x0f, 0xae, 0x14, 0x24, 0x58, 0xc3,
    ];

    private const int EnterOperand = 6;

    // push rax; stmxcsr [rsp]; pop rax; and eax, 3fh; or [cpu + FloatStatus], eax; ret
    private static ReadOnlySpan<byte> LeaveCode => [0x50, 0x0f, 0xae, 0x1c, 0x24, 0x58, 0x83, 0xe0, 0x3f, 0x09, 0x40, CpuHeader.FloatStatusOffset, 0xc3];

    private const int LeaveOperand = 10;

    // The register of the second argument: RSI, or RDX on Windows.
    private static byte CpuRegister => OperatingSystem.IsWindows() ? (byte)2 : (byte)6;

    // One page, written and then made executable, kept for the life of the process. Null where the host does not allow that.
    private static byte* MapRoutines()
    {
        const int size = 4096;
        if (OperatingSystem.IsWindows())
        {
            byte* memory = (byte*)VirtualAlloc(0, size, 0x3000, 0x04);
            if (memory != null)
            {
                Fill(memory);
            }

            return memory != null && VirtualProtect((nint)memory, size, 0x20, out _) ? memory : null;
        }

        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        nint page = Mmap(0, size, 3, 0x22, -1, 0);
        if (page == -1)
        {
            return null;
        }

        Fill((byte*)page);
        return Mprotect(page, size, 5) == 0 ? (byte*)page : null;
    }

    private static void Fill(byte* memory)
    {
        EnterCode.CopyTo(new Span<byte>(memory, LeaveOffset));
        LeaveCode.CopyTo(new Span<byte>(memory + LeaveOffset, LeaveOffset));
        memory[EnterOperand] |= CpuRegister;
        memory[LeaveOffset + LeaveOperand] |= CpuRegister;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Mmap(nint address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Mprotect(nint address, nuint length, int protection);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint size, uint protection, out uint old);
}
