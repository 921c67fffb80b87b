using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm.Native;

/// <summary>
/// The signal that takes a thread out of KVM_RUN. Its handler is a native function that does nothing (libc's <c>abs</c>): a
/// managed one would run on the runtime's signal thread, and the runtime owns SIGRTMIN.
/// </summary>
internal static partial class KickSignal
{
    private const int Signal = 40;
    private const int RestartCalls = 0x1000_0000;
    private static readonly Lock Gate = new();
    private static bool _installed;

    /// <summary>The calling thread, for <see cref="Send"/>.</summary>
    public static nint CurrentThread => PthreadSelf();

    /// <summary>Installs the handler, once in the process.</summary>
    public static void Install()
    {
        lock (Gate)
        {
            if (_installed)
            {
                return;
            }

            var action = new Action { Handler = NativeLibrary.GetExport(NativeLibrary.Load("libc.so.6"), "abs"), Flags = RestartCalls };
            if (SigAction(Signal, in action, 0) != 0)
            {
                throw new Win32Exception(Marshal.GetLastPInvokeError());
            }

            _installed = true;
        }
    }

    /// <summary>Interrupts <paramref name="thread"/>, which must not have ended.</summary>
    public static void Send(nint thread) => _ = PthreadKill(thread, Signal);

    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    private static partial int SigAction(int signal, in Action action, nint old);

    [LibraryImport("libc", EntryPoint = "pthread_self")]
    private static partial nint PthreadSelf();

    [LibraryImport("libc", EntryPoint = "pthread_kill")]
    private static partial int PthreadKill(nint thread, int signal);

    // struct sigaction of glibc on x86-64: handler, 1024 bits of mask, flags, restorer.
    [StructLayout(LayoutKind.Explicit, Size = 152)]
    private struct Action
    {
        [FieldOffset(0)] public nint Handler;
        [FieldOffset(136)] public int Flags;
    }
}
