using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm.Native;

/// <summary>An eventfd: a counter that one side adds to and the other waits on.</summary>
internal sealed partial class EventFd : IDisposable
{
    private const int NonBlockingCloseOnExec = 0x8_0800;
    private const short PollIn = 1;
    private readonly Lock _gate = new();
    private bool _disposed;

    /// <summary>Creates it, at zero.</summary>
    /// <exception cref="KvmException">The process has too many files open.</exception>
    public EventFd()
    {
        Fd = Create(0, NonBlockingCloseOnExec);
        if (Fd < 0)
        {
            throw new KvmException($"cannot create an eventfd: {Marshal.GetLastPInvokeErrorMessage()}");
        }
    }

    /// <summary>The file descriptor, until disposal.</summary>
    public int Fd { get; }

    /// <summary>Adds one. Any thread; nothing happens after disposal.</summary>
    public void Signal()
    {
        // Under the gate, so that the number is not yet that of another file.
        lock (_gate)
        {
            if (!_disposed)
            {
                ulong one = 1;
                _ = Write(Fd, in one, sizeof(ulong));
            }
        }
    }

    /// <summary>Sets it to zero; true when it was not.</summary>
    public bool TryTake() => Read(Fd, out _, sizeof(ulong)) == sizeof(ulong);

    /// <summary>Waits until one of <paramref name="events"/> is not zero.</summary>
    public static void WaitAny(ReadOnlySpan<EventFd> events)
    {
        Span<PollFd> polls = stackalloc PollFd[events.Length];
        for (int i = 0; i < events.Length; i++)
        {
            polls[i] = new PollFd { Fd = events[i].Fd, Events = PollIn };
        }

        _ = Poll(ref MemoryMarshal.GetReference(polls), (nuint)polls.Length, -1);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _disposed = true;
                _ = Close(Fd);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial int Create(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "poll")]
    private static partial int Poll(ref PollFd polls, nuint count, int timeoutMs);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(int fd, out ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int fd, in ulong value, nuint size);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int fd);

    private struct PollFd
    {
        public int Fd;
        public short Events;
        public short Returned;
    }
}
