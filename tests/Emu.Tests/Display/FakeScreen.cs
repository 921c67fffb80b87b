using Emu.Devices.Display;
using Emu.Devices.Legacy;
using Emu.Machine.Display;

namespace Emu.Tests.Display;

/// <summary>A picture that a test paints.</summary>
internal sealed class FakeScreen : IScreen
{
    private readonly Lock _gate = new();
    private (int Width, int Height) _size;
    private uint[] _pixels = [];

    public FakeScreen(int width, int height) => Resize(width, height);

    public DisplaySurface Surface { get; } = new();

    public int Refreshes { get; private set; }

    public void Resize(int width, int height)
    {
        lock (_gate)
        {
            _size = (width, height);
            _pixels = new uint[width * height];
        }
    }

    public void Paint(Func<int, int, uint> colour)
    {
        lock (_gate)
        {
            for (int i = 0; i < _pixels.Length; i++)
            {
                _pixels[i] = colour(i % _size.Width, i / _size.Width);
            }
        }
    }

    public void Refresh(DirtyBands dirty)
    {
        lock (_gate)
        {
            Refreshes++;
            if ((Surface.Width, Surface.Height) != _size)
            {
                Surface.Resize(_size.Width, _size.Height);
                dirty.SetSize(_size.Width, _size.Height);
            }

            for (int i = 0; i < _pixels.Length; i++)
            {
                if (Surface.Pixels[i] != _pixels[i])
                {
                    Surface.Pixels[i] = _pixels[i];
                    dirty.Mark(i % _size.Width, i / _size.Width, 1, 1);
                }
            }
        }
    }
}

/// <summary>Remembers keys and movements.</summary>
internal sealed class FakeInput : IGuestInput
{
    private readonly List<string> _log = [];

    public string Log
    {
        get
        {
            lock (_log)
            {
                return string.Join(' ', _log);
            }
        }
    }

    public void Key(Ps2Key key, bool pressed) => Add($"{key}{(pressed ? '+' : '-')}");

    public void Mouse(int dx, int dy, Ps2MouseButtons buttons) => Add($"{dx},{dy},{buttons}");

    private void Add(string entry)
    {
        lock (_log)
        {
            _log.Add(entry);
        }
    }
}
