using System.Text;

namespace Emu.Cli.Terminal;

/// <summary>Keys of the Windows console as the bytes that a VT100 would send.</summary>
internal sealed class ConsoleKeyStream : Stream
{
    private readonly Queue<byte> _pending = new();

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>The bytes of one key.</summary>
    public static byte[] Encode(ConsoleKeyInfo key) => key.Key switch
    {
        ConsoleKey.UpArrow => "\e[A"u8.ToArray(),
        ConsoleKey.DownArrow => "\e[B"u8.ToArray(),
        ConsoleKey.RightArrow => "\e[C"u8.ToArray(),
        ConsoleKey.LeftArrow => "\e[D"u8.ToArray(),
        ConsoleKey.Home => "\e[H"u8.ToArray(),
        ConsoleKey.End => "\e[F"u8.ToArray(),
        ConsoleKey.Insert => "\e[2~"u8.ToArray(),
        ConsoleKey.Delete => "\e[3~"u8.ToArray(),
        ConsoleKey.PageUp => "\e[5~"u8.ToArray(),
        ConsoleKey.PageDown => "\e[6~"u8.ToArray(),
        ConsoleKey.Backspace => [0x7f],
        _ => key.KeyChar == '\0' ? [] : Encoding.UTF8.GetBytes([key.KeyChar]),
    };

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        while (_pending.Count == 0)
        {
            foreach (byte value in Encode(Console.ReadKey(intercept: true)))
            {
                _pending.Enqueue(value);
            }
        }

        int length = 0;
        while (length < buffer.Length && _pending.TryDequeue(out byte value))
        {
            buffer[length++] = value;
        }

        return length;
    }

    /// <inheritdoc/>
    public override void Flush()
    {
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
