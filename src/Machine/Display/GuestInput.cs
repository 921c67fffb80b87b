using Emu.Core;
using Emu.Devices.Legacy;

namespace Emu.Machine.Display;

/// <summary>Keyboard and mouse of a machine as somebody uses them.</summary>
public interface IGuestInput
{
    /// <summary>A key goes down or up.</summary>
    void Key(Ps2Key key, bool pressed);

    /// <summary>The mouse moved by counts (right and down positive), with these buttons held.</summary>
    void Mouse(int dx, int dy, Ps2MouseButtons buttons);
}

/// <summary>Keys and movements into the machine's PS/2 devices, under its lock.</summary>
internal sealed class GuestInput(I8042 controller, MachineLock machineLock) : IGuestInput
{
    private bool _closed;

    /// <inheritdoc/>
    public void Key(Ps2Key key, bool pressed)
    {
        using (machineLock.Enter())
        {
            if (!_closed)
            {
                controller.InjectKey(key, pressed);
            }
        }
    }

    /// <inheritdoc/>
    public void Mouse(int dx, int dy, Ps2MouseButtons buttons)
    {
        using (machineLock.Enter())
        {
            if (!_closed)
            {
                controller.InjectMouse(dx, -dy, buttons);
            }
        }
    }

    /// <summary>The machine has ended: what is typed from now on reaches no interrupt line.</summary>
    public void Close()
    {
        using (machineLock.Enter())
        {
            _closed = true;
        }
    }
}
