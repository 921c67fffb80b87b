using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Emu.Machine.Vnc;

/// <summary>A message under construction; numbers are big-endian (RFC 6143, 7).</summary>
internal sealed class VncBuffer
{
    private readonly ArrayBufferWriter<byte> _data = new();

    public ReadOnlySpan<byte> Written => _data.WrittenSpan;

    public int Length => _data.WrittenCount;

    public void Clear() => _data.ResetWrittenCount();

    public VncBuffer Byte(int value)
    {
        _data.GetSpan(1)[0] = (byte)value;
        _data.Advance(1);
        return this;
    }

    public VncBuffer Short(int value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_data.GetSpan(2), (ushort)value);
        _data.Advance(2);
        return this;
    }

    public VncBuffer Word(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_data.GetSpan(4), value);
        _data.Advance(4);
        return this;
    }

    public VncBuffer Bytes(ReadOnlySpan<byte> bytes)
    {
        _data.Write(bytes);
        return this;
    }

    /// <summary>Length and bytes of a text.</summary>
    public VncBuffer Text(string text) => Word((uint)Encoding.UTF8.GetByteCount(text)).Bytes(Encoding.UTF8.GetBytes(text));

    /// <summary>Header of a rectangle (7.6.1).</summary>
    public VncBuffer Rectangle(int x, int y, int width, int height, int encoding) =>
        Short(x).Short(y).Short(width).Short(height).Word((uint)encoding);
}
