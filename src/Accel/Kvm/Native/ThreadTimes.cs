using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm.Native;

/// <summary>Processor time of the calling thread (getrusage, RUSAGE_THREAD). Time in the guest counts as user time.</summary>
internal static partial class ThreadTimes
{
    private const int ThisThread = 1;

    /// <summary>User and kernel time so far.</summary>
    public static (TimeSpan User, TimeSpan Kernel) Now =>
        GetUsage(ThisThread, out Usage usage) == 0
            ? (TimeSpan.FromSeconds(usage.UserSeconds) + TimeSpan.FromMicroseconds(usage.UserMicroseconds),
                TimeSpan.FromSeconds(usage.KernelSeconds) + TimeSpan.FromMicroseconds(usage.KernelMicroseconds))
            : default;

    [LibraryImport("libc", EntryPoint = "getrusage")]
    private static partial int GetUsage(int who, out Usage usage);

    [StructLayout(LayoutKind.Explicit, Size = 144)]
    private struct Usage
    {
        [FieldOffset(0)] public long UserSeconds;
        [FieldOffset(8)] public long UserMicroseconds;
        [FieldOffset(16)] public long KernelSeconds;
        [FieldOffset(24)] public long KernelMicroseconds;
    }
}
