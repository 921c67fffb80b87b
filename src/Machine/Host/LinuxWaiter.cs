using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Emu.Machine.Host;

/// <summary>
/// Waits in <c>ppoll</c> on an eventfd. The kernel may end such a wait late by the thread's timer slack (50 µs unless told
/// otherwise) or by a thousandth of the time, whichever is more; hence the slack of the waiting thread is lowered, and long
/// waits end a little early, for the caller to wait the rest.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed partial class LinuxWaiter : HostWaiter
{
    private const int EventFdFlags = 0x800 | 0x80000; // EFD_NONBLOCK, EFD_CLOEXEC
    private const short PollIn = 1;
    private const int SetTimerSlack = 29;
    private const long NsPerSecond = 1_000_000_000;

    // From here on a thousandth is more than the precision wanted.
    private const long LongWaitNs = 20_000_000;

    private readonly Lock _gate = new();
    private readonly int _eventFd;
    private int _preciseThread;
    private bool _disposed;

    /// <summary>Creates the eventfd.</summary>
    public LinuxWaiter()
    {
        _eventFd = EventFd(0, EventFdFlags);
        if (_eventFd < 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <inheritdoc/>
    protected override void Sleep(long nanoseconds)
    {
        LowerTimerSlack();
        var poll = new PollFd { Fd = _eventFd, Events = PollIn };
        if (nanoseconds == Forever)
        {
            _ = PPoll(ref poll, 1, 0, 0);
        }
        else
        {
            long early = nanoseconds >= LongWaitNs ? nanoseconds - (nanoseconds / 500) : nanoseconds;
            var time = new TimeSpec(early / NsPerSecond, early % NsPerSecond);
            _ = PPoll(ref poll, 1, in time, 0);
        }

        if (poll.Returned != 0)
        {
            _ = Read(_eventFd, out _, sizeof(ulong));
        }
    }

    /// <inheritdoc/>
    protected override void Rouse()
    {
        // A waker may come after the end, when the number of the eventfd is that of another file.
        lock (_gate)
        {
            if (!_disposed)
            {
                ulong one = 1;
                _ = Write(_eventFd, in one, sizeof(ulong));
            }
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                _ = Close(_eventFd);
            }
        }

        base.Dispose(disposing);
    }

    // A property of the thread, kept until it ends. Refusal costs only precision.
    private void LowerTimerSlack()
    {
        if (_preciseThread != Environment.CurrentManagedThreadId)
        {
            _preciseThread = Environment.CurrentManagedThreadId;
            _ = PrCtl(SetTimerSlack, 1, 0, 0, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static partial int PPoll(ref PollFd polls, nuint count, nint forever, nint signalMask);

    [LibraryImport("libc", EntryPoint = "ppoll")]
    private static partial int PPoll(ref PollFd polls, nuint count, in TimeSpec timeout, nint signalMask);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, out ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, in ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int PrCtl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
