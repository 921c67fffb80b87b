using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <summary>Saved state of an <see cref="I8042"/> with its keyboard and mouse.</summary>
public sealed record I8042State : DeviceState
{
    /// <summary>Status register (port 64H), output-buffer bits included.</summary>
    public byte Status { get; init; }

    /// <summary>Configuration byte (command 20H).</summary>
    public byte Configuration { get; init; }

    /// <summary>Output port (command D0H), the two interrupt bits excluded.</summary>
    public byte OutputPort { get; init; }

    /// <summary>Output buffer (port 60H).</summary>
    public byte Data { get; init; }

    /// <summary>Command that waits for a byte at port 60H, or 0.</summary>
    public byte PendingCommand { get; init; }

    /// <summary>True when the keyboard sent F0H and the next code is a release.</summary>
    public bool BreakPrefix { get; init; }

    /// <summary>Controller replies waiting for the output buffer; at most 16.</summary>
    public I8042Reply[] Replies { get; init; } = [];

    /// <summary>The keyboard.</summary>
    public Ps2KeyboardState Keyboard { get; init; } = new();

    /// <summary>The mouse.</summary>
    public Ps2MouseState Mouse { get; init; } = new();
}

/// <summary>A byte from the controller itself; <paramref name="Auxiliary"/> when it shall look like one from the mouse.</summary>
public readonly record struct I8042Reply(byte Value, bool Auxiliary);

/// <summary>
/// The PC's keyboard controller (Intel 8042 with the IBM PS/2 program; PS/2 hardware reference, "Keyboard and auxiliary
/// device controller") with a keyboard and a mouse plugged in. Commands take no time, so the input buffer is never full.
/// </summary>
public sealed class I8042 : Device
{
    private const byte StatusOutputFull = 0x01;
    private const byte StatusSystem = 0x04;
    private const byte StatusCommand = 0x08;
    private const byte StatusUnlocked = 0x10;
    private const byte StatusAuxiliary = 0x20;

    private const byte ConfigKeyboardIrq = 0x01;
    private const byte ConfigMouseIrq = 0x02;
    private const byte ConfigSystem = 0x04;
    private const byte ConfigDisableKeyboard = 0x10;
    private const byte ConfigDisableMouse = 0x20;
    private const byte ConfigTranslate = 0x40;

    private const byte OutputPortRunning = 0x01; // low resets the CPU
    private const byte OutputPortA20 = 0x02;
    private const byte OutputPortKeyboardFull = 0x10;
    private const byte OutputPortMouseFull = 0x20;

    private const byte ReadConfiguration = 0x20;
    private const byte WriteConfiguration = 0x60;
    private const byte DisableMouse = 0xa7;
    private const byte EnableMouse = 0xa8;
    private const byte TestMouse = 0xa9;
    private const byte SelfTest = 0xaa;
    private const byte TestKeyboard = 0xab;
    private const byte DisableKeyboard = 0xad;
    private const byte EnableKeyboard = 0xae;
    private const byte ReadInputPort = 0xc0;
    private const byte ReadOutputPort = 0xd0;
    private const byte WriteOutputPort = 0xd1;
    private const byte WriteKeyboardBuffer = 0xd2;
    private const byte WriteMouseBuffer = 0xd3;
    private const byte WriteMouse = 0xd4;
    private const byte DisableA20 = 0xdd;
    private const byte EnableA20 = 0xdf;
    private const byte PulseOutputPort = 0xf0;

    private const byte SelfTestOk = 0x55;
    private const byte PortTestOk = 0x00;
    private const byte InputPortUnlocked = 0x80;
    private const int MaxReplies = 16;

    private readonly IrqLine _keyboardIrq;
    private readonly IrqLine _mouseIrq;
    private readonly Ps2Keyboard _keyboard = new();
    private readonly Ps2Mouse _mouse = new();
    private readonly Queue<I8042Reply> _replies = new();

    private byte _status;
    private byte _configuration;
    private byte _outputPort;
    private byte _data;
    private byte _pendingCommand;
    private bool _breakPrefix;

    /// <summary>Creates the controller; on a PC the interrupts are IRQ 1 and IRQ 12.</summary>
    public I8042(string name, IrqLine keyboardIrq, IrqLine mouseIrq)
        : base(name)
    {
        _keyboardIrq = keyboardIrq;
        _mouseIrq = mouseIrq;
        _keyboard.OutputReady = _mouse.OutputReady = Pump;
        DataPort = PortRegion.OfBytes($"{name}-data", 1, _ => ReadData(), (_, value) => WriteData(value));
        CommandPort = PortRegion.OfBytes($"{name}-command", 1, _ => _status, (_, value) => WriteCommand(value));
        Reset();
    }

    /// <summary>The data port, for 60H.</summary>
    public MemoryRegion DataPort { get; }

    /// <summary>The status and command port, for 64H.</summary>
    public MemoryRegion CommandPort { get; }

    /// <summary>Called with the level of the A20 gate whenever the guest changes it here.</summary>
    public Action<bool>? A20Changed { get; set; }

    /// <summary>Called when the guest pulses the reset line.</summary>
    public Action? ResetRequested { get; set; }

    /// <summary>Level of the A20 gate here; a board looks at it after a restore.</summary>
    public bool A20 => (_outputPort & OutputPortA20) != 0;

    /// <summary>Keyboard LEDs: bit 0 scroll lock, 1 num lock, 2 caps lock.</summary>
    public byte KeyboardLeds => _keyboard.Leds;

    /// <summary>Presses or releases a key; pressing a held key again is a repeat. False when the keyboard could not take it.</summary>
    public bool InjectKey(Ps2Key key, bool pressed) => _keyboard.Key(key, pressed);

    /// <summary>Moves the mouse by counts (right and up positive) and sets its buttons.</summary>
    public void InjectMouse(int dx, int dy, Ps2MouseButtons buttons) => _mouse.Move(dx, dy, buttons);

    /// <inheritdoc/>
    public override void Reset()
    {
        _status = StatusCommand | StatusUnlocked;
        _configuration = ConfigKeyboardIrq | ConfigMouseIrq;
        _outputPort = OutputPortRunning | OutputPortA20;
        _data = _pendingCommand = 0;
        _breakPrefix = false;
        _replies.Clear();
        _keyboard.Reset();
        _mouse.Reset();
        UpdateIrqs();
    }

    /// <inheritdoc/>
    public override DeviceState Save() => new I8042State
    {
        Status = _status,
        Configuration = _configuration,
        OutputPort = _outputPort,
        Data = _data,
        PendingCommand = _pendingCommand,
        BreakPrefix = _breakPrefix,
        Replies = [.. _replies],
        Keyboard = _keyboard.Save(),
        Mouse = _mouse.Save(),
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        I8042State s = this.Expect<I8042State>(state);
        const byte KnownStatus = StatusOutputFull | StatusSystem | StatusCommand | StatusUnlocked | StatusAuxiliary;
        this.Require((s.Status & ~KnownStatus) == 0);
        this.Require((s.OutputPort & (OutputPortKeyboardFull | OutputPortMouseFull)) == 0);
        this.Require(s.PendingCommand == 0 || TakesByte(s.PendingCommand));
        this.Require(s.Replies is { Length: <= MaxReplies });
        this.Require(Ps2Keyboard.IsValid(s.Keyboard));
        this.Require(Ps2Mouse.IsValid(s.Mouse));
        _status = s.Status;
        _configuration = s.Configuration;
        _outputPort = s.OutputPort;
        _data = s.Data;
        _pendingCommand = s.PendingCommand;
        _breakPrefix = s.BreakPrefix;
        _replies.Clear();
        foreach (I8042Reply reply in s.Replies)
        {
            _replies.Enqueue(reply);
        }

        _keyboard.Restore(s.Keyboard);
        _mouse.Restore(s.Mouse);
        UpdateIrqs();
    }

    private static bool TakesByte(byte command) =>
        command is WriteConfiguration or WriteOutputPort or WriteKeyboardBuffer or WriteMouseBuffer or WriteMouse;

    private byte ReadData()
    {
        byte value = _data; // an empty buffer reads as what it last held
        _status &= unchecked((byte)~(StatusOutputFull | StatusAuxiliary));
        UpdateIrqs(); // the line falls before the next byte raises it: an edge for each byte
        Pump();
        return value;
    }

    private void WriteData(byte value)
    {
        byte command = _pendingCommand;
        _pendingCommand = 0;
        _status &= unchecked((byte)~StatusCommand);
        switch (command)
        {
            case WriteConfiguration:
                _configuration = value;
                _status = (byte)((_status & ~StatusSystem) | ((value & ConfigSystem) != 0 ? StatusSystem : 0));
                UpdateIrqs();
                Pump();
                break;
            case WriteOutputPort:
                SetOutputPort(value);
                break;
            case WriteKeyboardBuffer:
                Reply(value, auxiliary: false);
                break;
            case WriteMouseBuffer:
                Reply(value, auxiliary: true);
                break;
            case WriteMouse:
                _configuration &= unchecked((byte)~ConfigDisableMouse); // sending drives the clock again
                _mouse.Receive(value);
                break;
            default:
                _configuration &= unchecked((byte)~ConfigDisableKeyboard);
                _keyboard.Receive(value);
                break;
        }
    }

    private void WriteCommand(byte command)
    {
        _status |= StatusCommand;
        _pendingCommand = TakesByte(command) ? command : (byte)0;
        switch (command)
        {
            case ReadConfiguration: Reply(_configuration); break;
            case DisableMouse: Configure(ConfigDisableMouse, true); break;
            case EnableMouse: Configure(ConfigDisableMouse, false); break;
            case TestMouse or TestKeyboard: Reply(PortTestOk); break;
            case SelfTest:
                Configure(ConfigSystem, true);
                _status |= StatusSystem;
                Reply(SelfTestOk);
                break;
            case DisableKeyboard: Configure(ConfigDisableKeyboard, true); break;
            case EnableKeyboard: Configure(ConfigDisableKeyboard, false); break;
            case ReadInputPort: Reply(InputPortUnlocked); break;
            case ReadOutputPort: Reply(OutputPort()); break;
            case DisableA20: SetOutputPort((byte)(_outputPort & ~OutputPortA20)); break;
            case EnableA20: SetOutputPort((byte)(_outputPort | OutputPortA20)); break;
            case >= PulseOutputPort when (command & OutputPortRunning) == 0: ResetRequested?.Invoke(); break;
            default: break; // commands with a byte to come, pulses of unconnected pins, and unknown ones
        }
    }

    private void Configure(byte bit, bool set)
    {
        _configuration = (byte)(set ? _configuration | bit : _configuration & ~bit);
        Pump();
    }

    private byte OutputPort()
    {
        bool full = (_status & StatusOutputFull) != 0;
        bool auxiliary = (_status & StatusAuxiliary) != 0;
        return (byte)(_outputPort | (full ? auxiliary ? OutputPortMouseFull : OutputPortKeyboardFull : 0));
    }

    private void SetOutputPort(byte value)
    {
        bool a20Changed = ((value ^ _outputPort) & OutputPortA20) != 0;
        _outputPort = (byte)(value & ~(OutputPortKeyboardFull | OutputPortMouseFull));
        if (a20Changed)
        {
            A20Changed?.Invoke((value & OutputPortA20) != 0);
        }

        if ((value & OutputPortRunning) == 0)
        {
            ResetRequested?.Invoke();
        }
    }

    private void Reply(byte value, bool auxiliary = false)
    {
        if (_replies.Count < MaxReplies)
        {
            _replies.Enqueue(new I8042Reply(value, auxiliary));
            Pump();
        }
    }

    /// <summary>Moves the next byte into the output buffer if it is empty: own replies first, then keyboard, then mouse.</summary>
    private void Pump()
    {
        while ((_status & StatusOutputFull) == 0)
        {
            if (_replies.TryDequeue(out I8042Reply reply))
            {
                Fill(reply.Value, reply.Auxiliary);
            }
            else if (_keyboard.HasOutput && (_configuration & ConfigDisableKeyboard) == 0)
            {
                FromKeyboard(_keyboard.Take());
            }
            else if (_mouse.HasOutput && (_configuration & ConfigDisableMouse) == 0)
            {
                Fill(_mouse.Take(), auxiliary: true);
            }
            else
            {
                return;
            }
        }
    }

    // With translation on, F0H is swallowed and becomes bit 7 of the set-1 code that follows.
    private void FromKeyboard(byte value)
    {
        if ((_configuration & ConfigTranslate) == 0)
        {
            Fill(value, auxiliary: false);
        }
        else if (value == ScanCodes.Break)
        {
            _breakPrefix = true;
        }
        else
        {
            Fill((byte)(ScanCodes.Translate(value) | (_breakPrefix ? 0x80 : 0)), auxiliary: false);
            _breakPrefix = false;
        }
    }

    private void Fill(byte value, bool auxiliary)
    {
        _data = value;
        _status |= (byte)(StatusOutputFull | (auxiliary ? StatusAuxiliary : 0));
        UpdateIrqs();
    }

    private void UpdateIrqs()
    {
        bool full = (_status & StatusOutputFull) != 0;
        bool auxiliary = (_status & StatusAuxiliary) != 0;
        _keyboardIrq.Set(full && !auxiliary && (_configuration & ConfigKeyboardIrq) != 0);
        _mouseIrq.Set(full && auxiliary && (_configuration & ConfigMouseIrq) != 0);
    }
}
