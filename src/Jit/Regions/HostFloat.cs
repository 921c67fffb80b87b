using System.Runtime.CompilerServices;
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
/// guests see, and take 12 and 83 ns; two routines of a few bytes take 2. Signals and suspensions save and restore MXCSR with the thread.
/// </para>
/// </remarks>
internal static unsafe partial class HostFloat
{
    /// <summary>Default control (all masked, to nearest, no DAZ, no FTZ), no flag: MXCSR at reset.</summary>
    private const uint Default = 0x1f80;

    private const uint Flags = 0x3f;

    private static readonly byte* Routines = IsHostSupported ? MapRoutines() : null;

    // The host compiles and links a method at its first call, with floats of its own; were that a region's call of Leave, their flags would
    // become the guest's.
    static HostFloat()
    {
        if (IsAvailable)
        {
            CpuHeader header = default;
            Enter((nint)(&header));
            Leave((nint)(&header));
        }
    }

    /// <summary>True when this host lets regions use its floating-point instructions.</summary>
    public static bool IsAvailable => Routines != null;

    private static bool IsHostSupported => Sse2.X64.IsSupported && BitConverter.IsLittleEndian;

    // push rax; stmxcsr [rsp]; pop rax; ret
    private static ReadOnlySpan<byte> ReadCode => [0x50, 0x0f, 0xae, 0x1c, 0x24, 0x58, 0xc3];

    // push rdi; ldmxcsr [rsp]; pop rdi; ret
    private static ReadOnlySpan<byte> WriteCodeUnix => [0x57, 0x0f, 0xae, 0x14, 0x24, 0x5f, 0xc3];

    // The same with rcx.
    private static ReadOnlySpan<byte> WriteCodeWindows => [0x51, 0x0f, 0xae, 0x14, 0x24, 0x59, 0xc3];

    private const int WriteOffset = 16;

    /// <summary>Before the first operation of the guest, and after code that may have used host floats: no host flag is set that the guest's are not.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Enter(nint cpu)
    {
        // Also puts the control bits right, should native code have left others behind.
        if ((Read() & ~(((CpuHeader*)cpu)->FloatStatus & Flags)) != Default)
        {
            Write(Default);
        }
    }

    /// <summary>After the last operation of the guest, and before code that looks at its flags or may use host floats: its flags are complete.</summary>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Leave(nint cpu) => ((CpuHeader*)cpu)->FloatStatus |= Read() & Flags;

    /// <summary>The host's MXCSR.</summary>
    internal static uint Read() => ((delegate* unmanaged[SuppressGCTransition]<uint>)Routines)();

    /// <summary>Sets the host's MXCSR.</summary>
    internal static void Write(uint value) => ((delegate* unmanaged[SuppressGCTransition]<uint, void>)(Routines + WriteOffset))(value);

    // One page, written and then made executable, kept for the life of the process. Null where the host does not allow that.
    private static byte* MapRoutines()
    {
        const int size = 4096;
        if (OperatingSystem.IsWindows())
        {
            byte* memory = (byte*)VirtualAlloc(0, size, 0x3000, 0x04);
            if (memory != null)
            {
                Fill(memory, WriteCodeWindows);
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

        Fill((byte*)page, WriteCodeUnix);
        return Mprotect(page, size, 5) == 0 ? (byte*)page : null;
    }

    private static void Fill(byte* memory, ReadOnlySpan<byte> write)
    {
        ReadCode.CopyTo(new Span<byte>(memory, WriteOffset));
        write.CopyTo(new Span<byte>(memory + WriteOffset, WriteOffset));
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
