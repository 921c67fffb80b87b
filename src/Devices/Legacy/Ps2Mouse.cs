namespace Emu.Devices.Legacy;

/// <summary>Buttons of a PS/2 mouse, at their bits in the first byte of a packet.</summary>
[Flags]
public enum Ps2MouseButtons
{
    /// <summary>None pressed.</summary>
    None = 0,

    /// <summary>Left.</summary>
    Left = 1,

    /// <summary>Right.</summary>
    Right = 2,

    /// <summary>Middle.</summary>
    Middle = 4,
}

/// <summary>Saved state of the PS/2 mouse.</summary>
public sealed record Ps2MouseState : Ps2PortState
{
    /// <summary>True in stream mode; false in remote mode.</summary>
    public bool Streaming { get; init; } = true;

    /// <summary>True in wrap mode: bytes are echoed.</summary>
    public bool Wrap { get; init; }

    /// <summary>True when stream mode reports.</summary>
    public bool Reporting { get; init; }

    /// <summary>True for 2:1 scaling.</summary>
    public bool DoubleScaling { get; init; }

    /// <summary>Reports per second.</summary>
    public byte SampleRate { get; init; } = 100;

    /// <summary>Resolution: 0–3 for 1, 2, 4, 8 counts per mm.</summary>
    public byte Resolution { get; init; } = 2;

    /// <summary>Buttons held.</summary>
    public Ps2MouseButtons Buttons { get; init; }

    /// <summary>Movement to the right not yet reported, in counts.</summary>
    public int X { get; init; }

    /// <summary>Movement up not yet reported, in counts.</summary>
    public int Y { get; init; }
}

/// <summary>A three-button PS/2 mouse with three-byte packets (IBM PS/2 technical reference, mouse). Reports go out as movement comes in, whatever the sample rate.</summary>
internal sealed class Ps2Mouse : Ps2Port
{
    private const byte CommandScale1 = 0xe6;
    private const byte CommandScale2 = 0xe7;
    private const byte CommandResolution = 0xe8;
    private const byte CommandStatus = 0xe9;
    private const byte CommandStreamMode = 0xea;
    private const byte CommandReadData = 0xeb;
    private const byte CommandResetWrap = 0xec;
    private const byte CommandWrap = 0xee;
    private const byte CommandRemoteMode = 0xf0;
    private const byte CommandIdentify = 0xf2;
    private const byte CommandSampleRate = 0xf3;

    private const byte PacketAlwaysOne = 0x08;
    private const byte PacketXSign = 0x10;
    private const byte PacketYSign = 0x20;
    private const byte PacketXOverflow = 0x40;
    private const byte PacketYOverflow = 0x80;

    private const byte StatusRemote = 0x40;
    private const byte StatusReporting = 0x20;
    private const byte StatusScale2 = 0x10;

    // Movement beyond what several packets hold is lost, as a mouse lifted would lose it.
    private const int LargestMovement = 4096;

    private Ps2MouseState _s = new();

    public override void Reset()
    {
        base.Reset();
        _s = new Ps2MouseState();
    }

    /// <summary>The mouse moved (<paramref name="dx"/> right, <paramref name="dy"/> up, in counts) or its buttons changed.</summary>
    public void Move(int dx, int dy, Ps2MouseButtons buttons)
    {
        _s = _s with
        {
            X = (int)Math.Clamp((long)_s.X + dx, -LargestMovement, LargestMovement),
            Y = (int)Math.Clamp((long)_s.Y + dy, -LargestMovement, LargestMovement),
            Buttons = buttons & (Ps2MouseButtons.Left | Ps2MouseButtons.Right | Ps2MouseButtons.Middle),
        };
        if (_s.Streaming && _s.Reporting && !_s.Wrap)
        {
            Report(Packet());
        }
    }

    public Ps2MouseState Save() => SaveInto(_s);

    public static bool IsValid(Ps2MouseState? state) =>
        Ps2Port.IsValid(state) && state!.Resolution <= 3 && (int)state.Buttons is >= 0 and <= 7
        && state.X is >= -LargestMovement and <= LargestMovement && state.Y is >= -LargestMovement and <= LargestMovement
        && state.PendingCommand is 0 or CommandResolution or CommandSampleRate;

    public void Restore(Ps2MouseState state)
    {
        _s = state;
        RestoreFrom(state);
    }

    protected override void HandleCommand(byte command)
    {
        if (_s.Wrap && command is not (CommandResetWrap or CommandReset))
        {
            Reply(command);
            return;
        }

        ClearEvents(); // a command cuts off a packet under way
        switch (command)
        {
            case CommandResolution or CommandSampleRate:
                Expect(command);
                break;
            case CommandStatus:
                Reply(Acknowledge, StatusByte(), _s.Resolution, _s.SampleRate);
                break;
            case CommandReadData:
                Reply(Acknowledge);
                Reply(Packet());
                break;
            case CommandIdentify:
                Reply(Acknowledge, 0x00);
                break;
            case CommandReset:
                Reset();
                Reply(Acknowledge, SelfTestPassed, 0x00);
                break;
            default:
                HandleModeCommand(command);
                break;
        }
    }

    protected override void HandleParameter(byte command, byte value)
    {
        _s = command == CommandSampleRate ? _s with { SampleRate = value } : _s with { Resolution = (byte)(value & 3) };
        Reply(Acknowledge);
    }

    private void HandleModeCommand(byte command)
    {
        Ps2MouseState? next = command switch
        {
            CommandScale1 => _s with { DoubleScaling = false },
            CommandScale2 => _s with { DoubleScaling = true },
            CommandStreamMode => _s with { Streaming = true },
            CommandRemoteMode => _s with { Streaming = false },
            CommandWrap => _s with { Wrap = true },
            CommandResetWrap => _s with { Wrap = false },
            CommandEnable => _s with { Reporting = true },
            CommandDisable => _s with { Reporting = false },
            CommandSetDefaults => new Ps2MouseState { Buttons = _s.Buttons },
            _ => null,
        };
        _s = next ?? _s;
        Reply(next is null ? ResendReply : Acknowledge);
    }

    private byte StatusByte()
    {
        // Here the buttons are left 2, middle 1, right 0, unlike in a packet.
        int buttons = ((_s.Buttons & Ps2MouseButtons.Left) != 0 ? 4 : 0)
            | ((_s.Buttons & Ps2MouseButtons.Middle) != 0 ? 2 : 0)
            | ((_s.Buttons & Ps2MouseButtons.Right) != 0 ? 1 : 0);
        return (byte)(buttons | (_s.Streaming ? 0 : StatusRemote) | (_s.Reporting ? StatusReporting : 0) | (_s.DoubleScaling ? StatusScale2 : 0));
    }

    private byte[] Packet()
    {
        int x = Math.Clamp(_s.X, -256, 255);
        int y = Math.Clamp(_s.Y, -256, 255);
        int first = PacketAlwaysOne | (int)_s.Buttons
            | (x < 0 ? PacketXSign : 0) | (y < 0 ? PacketYSign : 0)
            | (x != _s.X ? PacketXOverflow : 0) | (y != _s.Y ? PacketYOverflow : 0);
        _s = _s with { X = 0, Y = 0 };
        return [(byte)first, (byte)x, (byte)y];
    }
}
