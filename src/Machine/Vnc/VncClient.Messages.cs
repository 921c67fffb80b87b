using System.Buffers.Binary;

namespace Emu.Machine.Vnc;

/// <content>Messages from the client (RFC 6143, 7.5).</content>
internal sealed partial class VncClient
{
    private const byte SetPixelFormat = 0;
    private const byte SetEncodings = 2;
    private const byte FramebufferUpdateRequest = 3;
    private const byte KeyEvent = 4;
    private const byte PointerEvent = 5;
    private const byte ClientCutText = 6;

    private const int SkipChunk = 4096;
    private const uint LongestCutText = 1 << 20;

    // False ends the connection.
    private bool HandleMessage()
    {
        int type = _stream.ReadByte();
        switch (type)
        {
            case SetPixelFormat:
                return TakePixelFormat(Read(3 + VncPixelFormat.Size));
            case SetEncodings:
                TakeEncodings(Read(BinaryPrimitives.ReadUInt16BigEndian(Read(3).AsSpan(1)) * 4));
                return true;
            case FramebufferUpdateRequest:
                TakeRequest(Read(9));
                return true;
            case KeyEvent:
                byte[] key = Read(7);
                _input.Key(BinaryPrimitives.ReadUInt32BigEndian(key.AsSpan(3)), key[0] != 0);
                _server.Hurry();
                return true;
            case PointerEvent:
                byte[] pointer = Read(5);
                _input.Pointer(BinaryPrimitives.ReadUInt16BigEndian(pointer.AsSpan(1)), BinaryPrimitives.ReadUInt16BigEndian(pointer.AsSpan(3)), pointer[0]);
                _server.Hurry();
                return true;
            case ClientCutText:
                return Skip(BinaryPrimitives.ReadUInt32BigEndian(Read(7).AsSpan(3)));
            default:
                return false;
        }
    }

    private bool TakePixelFormat(byte[] message)
    {
        if (VncPixelFormat.Read(message.AsSpan(3)) is not VncPixelFormat format)
        {
            return false;
        }

        lock (_gate)
        {
            _format = format;
            _sendColourMap = ReferenceEquals(format, VncPixelFormat.Mapped);
            _wantedWhole = true;
        }

        return true;
    }

    // The client's favourites come first.
    private void TakeEncodings(byte[] list)
    {
        int chosen = VncEncoding.Raw;
        bool found = false;
        bool resize = false;
        for (int i = 0; i < list.Length; i += 4)
        {
            int encoding = BinaryPrimitives.ReadInt32BigEndian(list.AsSpan(i));
            resize |= encoding == VncEncoding.DesktopSize;
            if (!found && encoding is VncEncoding.Raw or VncEncoding.Hextile or VncEncoding.Zrle)
            {
                (chosen, found) = (encoding, true);
            }
        }

        lock (_gate)
        {
            (_encoding, _takesResize) = (chosen, resize);
        }
    }

    // The area is not looked at: an update may hold more, and clients ask for all of the screen as a rule.
    private void TakeRequest(byte[] message)
    {
        lock (_gate)
        {
            _wanted = true;
            _wantedWhole |= message[0] == 0;
            Monitor.PulseAll(_gate);
        }

        _server.Hurry();
    }

    // There is no clipboard that the text could go to.
    private bool Skip(uint length)
    {
        for (uint left = length; left > 0 && length <= LongestCutText;)
        {
            int part = (int)Math.Min(left, SkipChunk);
            Read(part);
            left -= (uint)part;
        }

        return length <= LongestCutText;
    }
}
