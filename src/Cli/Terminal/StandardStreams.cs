using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;

namespace Emu.Cli.Terminal;

/// <summary>
/// Standard input and output as plain bytes. On Unix not through <see cref="Console"/>, which on a terminal edits input lines
/// by itself and sends set-up sequences before the first output.
/// </summary>
internal static class StandardStreams
{
    /// <summary>Opens standard input.</summary>
    public static Stream OpenInput()
    {
        if (!OperatingSystem.IsWindows())
        {
            return new DescriptorStream(0);
        }

        return Console.IsInputRedirected ? Console.OpenStandardInput() : new ConsoleKeyStream();
    }

    /// <summary>Opens standard output.</summary>
    public static Stream OpenOutput() => OperatingSystem.IsWindows() ? Console.OpenStandardOutput() : new DescriptorStream(1);

    /// <summary>Writes <paramref name="text"/> to standard output; a reader that has gone away is not an error.</summary>
    public static void Print(string text)
    {
        try
        {
            OpenOutput().Write(Encoding.UTF8.GetBytes(text));
        }
        catch (IOException)
        {
            // "emu -help | head -1".
        }
    }
}

/// <summary>A Unix file descriptor; blocks even where the other holder of a shared terminal made it non-blocking.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed unsafe partial class DescriptorStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const short PollIn = 1;
    private const short PollOut = 4;

    private static readonly int TryAgain = OperatingSystem.IsMacOS() ? 35 : 11;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => true;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        // SAFETY: the span is pinned for the call and its length given.
        fixed (byte* start = buffer)
        {
            nint done;
            while ((done = ReadBytes(descriptor, start, (nuint)buffer.Length)) < 0)
            {
                WaitOrThrow(PollIn);
            }

            return (int)done;
        }
    }

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (buffer.Length > 0)
        {
            nint done;

            // SAFETY: the span is pinned for the call and its length given.
            fixed (byte* start = buffer)
            {
                done = WriteBytes(descriptor, start, (nuint)buffer.Length);
            }

            if (done >= 0)
            {
                buffer = buffer[(int)done..];
            }
            else
            {
                WaitOrThrow(PollOut);
            }
        }
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    private void WaitOrThrow(short events)
    {
        int error = Marshal.GetLastPInvokeError();
        if (error == TryAgain)
        {
            var request = new PollRequest { Descriptor = descriptor, Events = events };
            _ = Poll(ref request, 1, -1);
        }
        else if (error != Interrupted)
        {
            throw new IOException(Marshal.GetPInvokeErrorMessage(error));
        }
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint ReadBytes(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint WriteBytes(int descriptor, byte* buffer, nuint length);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollRequest requests, nuint count, int timeout);

    // struct pollfd
    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
