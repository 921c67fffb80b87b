namespace Emu.Devices.Legacy;

/// <summary>Saved state of the PS/2 keyboard.</summary>
public sealed record Ps2KeyboardState : Ps2PortState
{
    /// <summary>True when keys are reported.</summary>
    public bool Scanning { get; init; } = true;

    /// <summary>Scan code set, 1 or 2.</summary>
    public byte ScanCodeSet { get; init; } = 2;

    /// <summary>LEDs: bit 0 scroll lock, 1 num lock, 2 caps lock.</summary>
    public byte Leds { get; init; }

    /// <summary>Typematic rate and delay as set by F3H.</summary>
    public byte Typematic { get; init; } = 0x2b;
}

/// <summary>
/// A 102-key PS/2 keyboard with scan code sets 1 and 2 (IBM PS/2 technical reference, keyboard). It stores the typematic
/// rate but does not repeat keys: whoever injects keys repeats them.
/// </summary>
internal sealed class Ps2Keyboard : Ps2Port
{
    private const byte CommandSetLeds = 0xed;
    private const byte CommandEcho = 0xee;
    private const byte CommandScanCodeSet = 0xf0;
    private const byte CommandIdentify = 0xf2;
    private const byte CommandTypematic = 0xf3;
    private const byte FirstKeyTypeCommand = 0xf7;
    private const byte LastKeyTypeCommand = 0xfa;

    private Ps2KeyboardState _s = new();

    /// <summary>LEDs lit by the guest: bit 0 scroll lock, 1 num lock, 2 caps lock.</summary>
    public byte Leds => _s.Leds;

    public override void Reset()
    {
        base.Reset();
        _s = new Ps2KeyboardState();
    }

    /// <summary>A key goes down or up; false when the key was lost because scanning is off or the queue full.</summary>
    public bool Key(Ps2Key key, bool pressed) => _s.Scanning && Report(ScanCodes.Sequence(key, pressed, _s.ScanCodeSet));

    public Ps2KeyboardState Save() => SaveInto(_s);

    public static bool IsValid(Ps2KeyboardState? state) =>
        Ps2Port.IsValid(state) && state!.ScanCodeSet is 1 or 2 && state.Leds <= 7 && state.Typematic <= 0x7f
        && state.PendingCommand is 0 or CommandSetLeds or CommandScanCodeSet or CommandTypematic;

    public void Restore(Ps2KeyboardState state)
    {
        _s = state;
        RestoreFrom(state);
    }

    protected override void HandleCommand(byte command)
    {
        switch (command)
        {
            case CommandSetLeds or CommandScanCodeSet or CommandTypematic:
                Expect(command);
                break;
            case CommandEcho:
                Reply(CommandEcho);
                break;
            case CommandIdentify:
                Reply(Acknowledge, 0xab, 0x83);
                break;
            case CommandEnable:
                ClearEvents();
                _s = _s with { Scanning = true };
                Reply(Acknowledge);
                break;
            case CommandDisable or CommandSetDefaults:
                ClearEvents();
                _s = new Ps2KeyboardState { Scanning = command == CommandSetDefaults, Leds = _s.Leds };
                Reply(Acknowledge);
                break;
            case >= FirstKeyTypeCommand and <= LastKeyTypeCommand:
                Reply(Acknowledge); // key types exist in set 3 only
                break;
            case CommandReset:
                Reset();
                Reply(Acknowledge, SelfTestPassed);
                break;
            default:
                Reply(ResendReply);
                break;
        }
    }

    protected override void HandleParameter(byte command, byte value)
    {
        switch (command)
        {
            case CommandSetLeds:
                _s = _s with { Leds = (byte)(value & 7) };
                Reply(Acknowledge);
                break;
            case CommandTypematic:
                _s = _s with { Typematic = (byte)(value & 0x7f) };
                Reply(Acknowledge);
                break;
            case CommandScanCodeSet when value == 0:
                Reply(Acknowledge, _s.ScanCodeSet);
                break;
            case CommandScanCodeSet when value is 1 or 2:
                _s = _s with { ScanCodeSet = value };
                Reply(Acknowledge);
                break;
            default:
                Reply(ResendReply); // set 3 is not there
                break;
        }
    }
}
