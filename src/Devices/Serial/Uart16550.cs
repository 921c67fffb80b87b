using Emu.Core;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Devices.Serial;

/// <summary>
/// A 16550A UART (National PC16550D). Transmission takes no virtual time: a byte written to THR is in the backend before
/// the write returns, and the transmitter is empty again. Reception obeys the FIFO and its trigger level and character
/// timeout. Unlike on PC boards OUT2 does not gate the interrupt, because guests written for virtual machines leave it 0.
/// </summary>
public sealed partial class Uart16550 : Device, ISerialReceiver
{
    private const long InputClockHz = 1_843_200;
    private const int TimeoutCharacters = 4;

    private readonly ISerialBackend _backend;
    private readonly IrqLine _irq;
    private readonly IClock _clock;
    private readonly GuestTimer _timeoutTimer;
    private readonly ReceiveFifo _fifo = new();

    private byte _ier;
    private byte _fcr;
    private byte _lcr;
    private byte _mcr;
    private byte _lineErrors;
    private byte _modemDeltas;
    private byte _scr;
    private ushort _divisor;
    private bool _threPending;
    private bool _timeoutPending;
    private SerialModemLines _modemInputs = SerialModemLines.Connected;

    /// <summary>Creates the UART and connects it as the receiver of <paramref name="backend"/>.</summary>
    public Uart16550(string name, ISerialBackend backend, IrqLine irq, TimerQueue timers)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(backend);
        ArgumentNullException.ThrowIfNull(timers);
        _backend = backend;
        _irq = irq;
        _clock = timers.Clock;
        _timeoutTimer = timers.CreateTimer(OnReceiveTimeout);
        Registers = PortRegion.OfBytes(name, 8, Read, Write);
        Reset();
        backend.Connect(this);
    }

    /// <inheritdoc/>
    public event Action? SpaceFreed;

    /// <summary>The eight registers, for COM1 at port 3F8H.</summary>
    public MemoryRegion Registers { get; }

    /// <inheritdoc/>
    public int CanReceive => Loopback ? 0 : Capacity - _fifo.Count;

    /// <summary>DTR and RTS as the guest drives them (MCR bits 0 and 1); both inactive in loopback.</summary>
    public (bool Dtr, bool Rts) ModemOutputs => Loopback ? (false, false) : ((_mcr & McrDtr) != 0, (_mcr & McrRts) != 0);

    private bool FifoEnabled => (_fcr & FcrEnable) != 0;

    private bool Loopback => (_mcr & McrLoop) != 0;

    private int Capacity => FifoEnabled ? ReceiveFifo.Depth : 1;

    private int TriggerLevel => !FifoEnabled ? 1 : (_fcr >> FcrTriggerShift) switch { 0 => 1, 1 => 4, 2 => 8, _ => 14 };

    // In loopback the four modem outputs feed the four inputs (PC16550D 8.6.7).
    private SerialModemLines ModemLines => Loopback ? LoopedLines(_mcr) : _modemInputs;

    /// <inheritdoc/>
    public override void Reset()
    {
        _ier = _fcr = _lcr = _mcr = _lineErrors = _modemDeltas = _scr = 0;
        _divisor = 12; // 9600 baud, what firmware would have set
        _threPending = _timeoutPending = false;
        _fifo.Clear();
        _timeoutTimer.Cancel();
        UpdateIrq();
    }

    /// <inheritdoc/>
    public void Receive(ReadOnlySpan<byte> data)
    {
        if (Loopback)
        {
            return; // SIN is disconnected
        }

        foreach (byte value in data)
        {
            Accept(value, errors: 0);
        }

        AfterReceive();
    }

    /// <inheritdoc/>
    public void ReceiveBreak()
    {
        if (!Loopback)
        {
            Accept(0, LsrBreak);
            AfterReceive();
        }
    }

    /// <summary>Drives the four modem inputs of the line.</summary>
    public void SetModemLines(SerialModemLines lines)
    {
        SerialModemLines before = ModemLines;
        _modemInputs = lines & SerialModemLines.All;
        NoteModemChange(before);
        UpdateIrq();
    }

    private static SerialModemLines LoopedLines(byte mcr) =>
        ((mcr & McrRts) != 0 ? SerialModemLines.Cts : 0)
        | ((mcr & McrDtr) != 0 ? SerialModemLines.Dsr : 0)
        | ((mcr & McrOut1) != 0 ? SerialModemLines.Ri : 0)
        | ((mcr & McrOut2) != 0 ? SerialModemLines.Dcd : 0);

    private byte Read(int offset) => offset switch
    {
        RegData when DlabSet => (byte)_divisor,
        RegData => ReadReceiver(),
        RegIer when DlabSet => (byte)(_divisor >> 8),
        RegIer => _ier,
        RegIirFcr => ReadInterruptId(),
        RegLcr => _lcr,
        RegMcr => _mcr,
        RegLsr => ReadLineStatus(),
        RegMsr => ReadModemStatus(),
        _ => _scr,
    };

    private bool DlabSet => (_lcr & LcrDlab) != 0;

    private void Write(int offset, byte value)
    {
        switch (offset)
        {
            case RegData when DlabSet: _divisor = (ushort)((_divisor & 0xff00) | value); break;
            case RegData: Transmit(value); break;
            case RegIer when DlabSet: _divisor = (ushort)((_divisor & 0x00ff) | (value << 8)); break;
            case RegIer: WriteInterruptEnable(value); break;
            case RegIirFcr: WriteFifoControl(value); break;
            case RegLcr: WriteLineControl(value); break;
            case RegMcr: WriteModemControl(value); break;
            case RegScr: _scr = value; break;
            default: break; // LSR and MSR are read-only
        }
    }

    private void Transmit(byte value)
    {
        // Filling THR withdraws the interrupt; emptying it at once makes a new edge, which edge-triggered inputs need.
        _threPending = false;
        UpdateIrq();
        if (Loopback)
        {
            Accept(value, errors: 0);
            ArmReceiveTimeout();
        }
        else
        {
            _backend.Write([value]);
        }

        _threPending = true;
        UpdateIrq();
    }

    private byte ReadReceiver()
    {
        bool hadData = _fifo.Count > 0;
        byte value = _fifo.Pop();
        ShowTopErrors();
        _timeoutPending = false;
        ArmReceiveTimeout();
        UpdateIrq();
        if (hadData && _fifo.Count == 0)
        {
            NotifySpace();
        }

        return value;
    }

    private byte ReadInterruptId()
    {
        byte id = InterruptId();
        if (id == IirThre)
        {
            _threPending = false;
            UpdateIrq();
        }

        return (byte)(id | (FifoEnabled ? IirFifoEnabled : 0));
    }

    private byte ReadLineStatus()
    {
        int status = LsrThre | LsrTemt | _lineErrors;
        status |= _fifo.Count > 0 ? LsrDataReady : 0;
        status |= FifoEnabled && _fifo.HasErrors ? LsrFifoError : 0;
        _lineErrors = 0;
        _fifo.ClearTopErrors();
        UpdateIrq();
        return (byte)status;
    }

    private byte ReadModemStatus()
    {
        byte status = (byte)((byte)ModemLines | _modemDeltas);
        _modemDeltas = 0;
        UpdateIrq();
        return status;
    }

    private void WriteInterruptEnable(byte value)
    {
        // Enabling the THRE interrupt while THR is empty raises it; drivers test for this.
        _threPending |= (value & ~_ier & IerThre) != 0;
        _ier = (byte)(value & IerMask);
        UpdateIrq();
    }

    private void WriteFifoControl(byte value)
    {
        bool toggled = ((value ^ _fcr) & FcrEnable) != 0;
        bool enabled = (value & FcrEnable) != 0;
        _fcr = enabled ? (byte)(value & (FcrEnable | FcrDma | FcrTriggerMask)) : (byte)0;
        if (toggled || (enabled && (value & FcrClearReceiver) != 0))
        {
            _fifo.Clear();
            _timeoutPending = false;
            _timeoutTimer.Cancel();
            UpdateIrq();
            NotifySpace();
        }

        if (toggled || (enabled && (value & FcrClearTransmitter) != 0))
        {
            _threPending = true;
        }

        UpdateIrq();
    }

    private void WriteLineControl(byte value)
    {
        bool breakChanged = ((value ^ _lcr) & LcrBreak) != 0;
        _lcr = value;
        if (breakChanged && !Loopback)
        {
            _backend.SetBreak((value & LcrBreak) != 0);
        }
    }

    private void WriteModemControl(byte value)
    {
        SerialModemLines before = ModemLines;
        bool wasLooped = Loopback;
        _mcr = (byte)(value & McrMask);
        NoteModemChange(before);
        UpdateIrq();
        if (wasLooped && !Loopback)
        {
            NotifySpace();
        }
    }

    private void NoteModemChange(SerialModemLines before)
    {
        int changed = (int)(before ^ ModemLines);

        // The delta bits lie four below the lines; RI is reported on its trailing edge only (PC16550D 8.6.8).
        if ((ModemLines & SerialModemLines.Ri) != 0)
        {
            changed &= ~(int)SerialModemLines.Ri;
        }

        _modemDeltas |= (byte)(changed >> 4);
    }

    private void Accept(byte value, byte errors)
    {
        if (_fifo.Count >= Capacity)
        {
            _lineErrors |= LsrOverrun;
            if (FifoEnabled)
            {
                return; // the FIFO keeps what it has; the shift register is overwritten
            }

            _fifo.Clear();
        }

        _fifo.Push(value, errors);
        if (_fifo.Count == 1)
        {
            ShowTopErrors();
        }
    }

    private void AfterReceive()
    {
        _timeoutPending = false;
        ArmReceiveTimeout();
        UpdateIrq();
    }

    private void ShowTopErrors() => _lineErrors |= _fifo.TopErrors;

    private void NotifySpace()
    {
        if (CanReceive > 0)
        {
            SpaceFreed?.Invoke();
        }
    }

    private void ArmReceiveTimeout()
    {
        if (FifoEnabled && _fifo.Count > 0)
        {
            _timeoutTimer.Arm(_clock.NowNs + (TimeoutCharacters * CharacterNs()));
        }
        else
        {
            _timeoutTimer.Cancel();
        }
    }

    private long CharacterNs()
    {
        int bits = 1 + 5 + (_lcr & LcrWordLength) + ((_lcr & LcrParity) != 0 ? 1 : 0) + ((_lcr & LcrStop) != 0 ? 2 : 1);
        return bits * 16L * Math.Max((int)_divisor, 1) * 1_000_000_000L / InputClockHz;
    }

    private void OnReceiveTimeout()
    {
        _timeoutPending = FifoEnabled && _fifo.Count > 0;
        UpdateIrq();
    }

    /// <summary>The highest-priority pending interrupt as IIR bits 3:0 (PC16550D table III).</summary>
    private byte InterruptId()
    {
        if ((_ier & IerLineStatus) != 0 && _lineErrors != 0)
        {
            return IirLineStatus;
        }

        if ((_ier & IerReceive) != 0 && _fifo.Count >= TriggerLevel)
        {
            return IirReceive;
        }

        if ((_ier & IerReceive) != 0 && _timeoutPending)
        {
            return IirTimeout;
        }

        if ((_ier & IerThre) != 0 && _threPending)
        {
            return IirThre;
        }

        return (_ier & IerModem) != 0 && _modemDeltas != 0 ? IirModem : IirNone;
    }

    private void UpdateIrq() => _irq.Set(InterruptId() != IirNone);
}
