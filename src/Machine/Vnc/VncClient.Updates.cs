using System.Net.Sockets;
using Emu.Devices.Display;

namespace Emu.Machine.Vnc;

/// <content>Updates of the picture (RFC 6143, 7.6.1): sent when the client has asked and something has changed.</content>
internal sealed partial class VncClient
{
    private const byte FramebufferUpdate = 0;
    private const byte SetColourMapEntries = 1;

    private void SendLoop()
    {
        var buffer = new VncBuffer();
        var changes = new DirtyBands();
        try
        {
            while (Await(changes, out bool whole, out bool colourMap))
            {
                buffer.Clear();
                if (colourMap)
                {
                    AppendColourMap(buffer);
                }

                _server.Draw(surface => AppendUpdate(surface, changes, whole, buffer));
                Send(buffer);
                changes.Clear();
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException)
        {
            // The client has gone, or takes nothing any more.
        }
        finally
        {
            _encoder.Dispose();
            Dispose();
        }
    }

    private bool Await(DirtyBands changes, out bool whole, out bool colourMap)
    {
        lock (_gate)
        {
            while (!_closed && !(_wanted && (_wantedWhole || !_dirty.IsEmpty)))
            {
                Monitor.Wait(_gate);
            }

            changes.Add(_dirty);
            _dirty.Clear();
            (whole, colourMap) = (_wantedWhole, _sendColourMap);
            (_wanted, _wantedWhole, _sendColourMap) = (false, false, false);
            (_encoder.Format, _encoder.Encoding) = (_format, _encoding);
            return !_closed;
        }
    }

    private void AppendUpdate(DisplaySurface surface, DirtyBands changes, bool whole, VncBuffer buffer)
    {
        bool resized = _takesResize && surface.Width > 0 && (surface.Width != _width || surface.Height != _height);
        if (resized)
        {
            (_width, _height) = (surface.Width, surface.Height);
        }

        whole |= resized || changes.Resized;
        List<(int X, int Y, int Width, int Height)> parts = whole ? [(0, 0, _width, _height)] : Parts(changes);
        buffer.Byte(FramebufferUpdate).Byte(0).Short(parts.Count + (resized ? 1 : 0));
        if (resized)
        {
            buffer.Rectangle(0, 0, _width, _height, VncEncoding.DesktopSize);
        }

        foreach ((int x, int y, int width, int height) in parts)
        {
            _encoder.Encode(surface, x, y, width, height, buffer);
        }
    }

    // A rectangle a band; nothing outside the size that the client knows.
    private List<(int X, int Y, int Width, int Height)> Parts(DirtyBands changes)
    {
        var parts = new List<(int, int, int, int)>();
        for (int i = 0; i < changes.Count; i++)
        {
            (int first, int end) = changes[i];
            int y = i * DirtyBands.BandHeight;
            int right = Math.Min(end, _width);
            if (first < right && y < _height)
            {
                parts.Add((first, y, right - first, Math.Min(DirtyBands.BandHeight, _height - y)));
            }
        }

        return parts;
    }

    private static void AppendColourMap(VncBuffer buffer)
    {
        const int scale = 65535;
        buffer.Byte(SetColourMapEntries).Byte(0).Short(0).Short(256);
        for (int i = 0; i < 256; i++)
        {
            buffer.Short((i >> 5) * scale / 7).Short(((i >> 2) & 7) * scale / 7).Short((i & 3) * scale / 3);
        }
    }
}
