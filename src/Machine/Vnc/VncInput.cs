using Emu.Devices.Legacy;
using Emu.Machine.Display;

namespace Emu.Machine.Vnc;

/// <summary>A client's keys and pointer as PS/2 events. Keys still down when it goes are released.</summary>
internal sealed class VncInput(IGuestInput input)
{
    private const int LargestStep = 200;

    private readonly Lock _gate = new();
    private readonly HashSet<Ps2Key> _down = [];
    private int _x = -1;
    private int _y;
    private Ps2MouseButtons _buttons;

    /// <summary>A key with this X11 symbol goes down or up; unknown ones are left out.</summary>
    public void Key(uint symbol, bool pressed)
    {
        if (KeySymbols.OfSymbol(symbol) is not Ps2Key key)
        {
            return;
        }

        lock (_gate)
        {
            bool changed = pressed ? _down.Add(key) : _down.Remove(key);
            if (pressed || changed)
            {
                input.Key(key, pressed);
            }
        }
    }

    /// <summary>The pointer is at this place. A PS/2 mouse tells movements, so the first place is only remembered.</summary>
    public void Pointer(int x, int y, byte mask)
    {
        Ps2MouseButtons buttons = ((mask & 1) != 0 ? Ps2MouseButtons.Left : 0) | ((mask & 2) != 0 ? Ps2MouseButtons.Middle : 0) | ((mask & 4) != 0 ? Ps2MouseButtons.Right : 0);
        (int dx, int dy) = _x < 0 ? (0, 0) : (x - _x, y - _y);
        if (dx != 0 || dy != 0 || buttons != _buttons)
        {
            Move(dx, dy, buttons);
        }

        (_x, _y, _buttons) = (x, y, buttons);
    }

    // A packet of the mouse holds 255 counts; what is more would be lost.
    private void Move(int dx, int dy, Ps2MouseButtons buttons)
    {
        int steps = Math.Max(1, (Math.Max(Math.Abs(dx), Math.Abs(dy)) + LargestStep - 1) / LargestStep);
        for (int i = 0; i < steps; i++)
        {
            input.Mouse((dx * (i + 1) / steps) - (dx * i / steps), (dy * (i + 1) / steps) - (dy * i / steps), i < steps - 1 ? _buttons : buttons);
        }
    }

    /// <summary>Lets go of everything.</summary>
    public void ReleaseAll()
    {
        lock (_gate)
        {
            foreach (Ps2Key key in _down)
            {
                input.Key(key, false);
            }

            _down.Clear();
        }

        if (_buttons != Ps2MouseButtons.None)
        {
            input.Mouse(0, 0, _buttons = Ps2MouseButtons.None);
        }
    }
}
