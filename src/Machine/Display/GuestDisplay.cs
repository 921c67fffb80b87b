using Emu.Core;
using Emu.Core.Time;
using Emu.Devices.Display;

namespace Emu.Machine.Display;

/// <summary>The picture of a machine's display adapter, for whoever shows it. Members may be called from any thread, without the machine lock.</summary>
public sealed class GuestDisplay
{
    private readonly VgaCard _card;
    private readonly MachineLock _lock;
    private readonly IClock _clock;
    private readonly Lock _gate = new();
    private bool _closed;

    internal GuestDisplay(VgaCard card, MachineLock machineLock, IClock clock)
    {
        _card = card;
        _lock = machineLock;
        _clock = clock;
    }

    /// <summary>A view of the display, with what it drew last. Each viewer has its own.</summary>
    public DisplayView CreateView() => new(this, new ScreenRenderer(_card.Memory, _card.HasVga));

    /// <summary>The characters on the screen, or null in a graphics mode.</summary>
    public TextScreen? ReadText()
    {
        lock (_gate)
        {
            return _closed ? null : TextScreen.Read(Capture(), _card.Memory);
        }
    }

    // Video memory goes away with the machine; nobody draws after this.
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }
    }

    internal void Draw(ScreenRenderer renderer, DisplaySurface surface, DirtyBands dirty)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                renderer.Update(Capture(), _clock.NowNs, surface, dirty);
            }
        }
    }

    // Only the registers are read under the machine lock: drawing must not hold the guest up.
    private VgaRegisters Capture()
    {
        using (_lock.Enter())
        {
            return _card.Capture();
        }
    }
}

/// <summary>One viewer's picture. Not for several threads at once.</summary>
public sealed class DisplayView : IScreen
{
    private readonly GuestDisplay _display;
    private readonly ScreenRenderer _renderer;

    internal DisplayView(GuestDisplay display, ScreenRenderer renderer)
    {
        _display = display;
        _renderer = renderer;
    }

    /// <inheritdoc/>
    public DisplaySurface Surface { get; } = new();

    /// <inheritdoc/>
    public void Refresh(DirtyBands dirty) => _display.Draw(_renderer, Surface, dirty);
}

/// <summary>A picture that can be brought up to date.</summary>
public interface IScreen
{
    /// <summary>The picture as of the last refresh.</summary>
    DisplaySurface Surface { get; }

    /// <summary>Brings it up to date and adds what changed to <paramref name="dirty"/>.</summary>
    void Refresh(DirtyBands dirty);
}
