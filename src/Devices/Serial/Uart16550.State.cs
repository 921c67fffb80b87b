using Emu.Core;

namespace Emu.Devices.Serial;

/// <summary>Saved state of a <see cref="Uart16550"/>; registers as in PC16550D table II.</summary>
public sealed record Uart16550State : DeviceState
{
    /// <summary>Interrupt enable register.</summary>
    public byte Ier { get; init; }

    /// <summary>FIFO control register, without the self-clearing bits.</summary>
    public byte Fcr { get; init; }

    /// <summary>Line control register.</summary>
    public byte Lcr { get; init; }

    /// <summary>Modem control register.</summary>
    public byte Mcr { get; init; }

    /// <summary>Error bits of LSR not yet read (bits 4:1).</summary>
    public byte LineErrors { get; init; }

    /// <summary>Delta bits of MSR not yet read (bits 3:0).</summary>
    public byte ModemDeltas { get; init; }

    /// <summary>Modem inputs (MSR bits 7:4).</summary>
    public SerialModemLines ModemInputs { get; init; }

    /// <summary>Scratch register.</summary>
    public byte Scr { get; init; }

    /// <summary>Baud divisor (DLM:DLL).</summary>
    public ushort Divisor { get; init; }

    /// <summary>Received characters, oldest first; at most 16.</summary>
    public byte[] FifoData { get; init; } = [];

    /// <summary>LSR error bits of each received character.</summary>
    public byte[] FifoErrors { get; init; } = [];

    /// <summary>True when the THRE interrupt has not been seen.</summary>
    public bool ThrePending { get; init; }

    /// <summary>True when the character timeout has expired.</summary>
    public bool TimeoutPending { get; init; }

    /// <summary>Nanoseconds until the character timeout expires, or null when it does not run.</summary>
    public long? TimeoutRemainingNs { get; init; }
}

/// <content>Saving and restoring.</content>
public sealed partial class Uart16550
{
    // Four characters of 12 bits at the largest divisor take 27.3 s.
    private const long LongestTimeoutNs = 30_000_000_000;

    /// <inheritdoc/>
    public override DeviceState Save() => new Uart16550State
    {
        Ier = _ier,
        Fcr = _fcr,
        Lcr = _lcr,
        Mcr = _mcr,
        LineErrors = _lineErrors,
        ModemDeltas = _modemDeltas,
        ModemInputs = _modemInputs,
        Scr = _scr,
        Divisor = _divisor,
        FifoData = _fifo.CopyData(),
        FifoErrors = _fifo.CopyErrors(),
        ThrePending = _threPending,
        TimeoutPending = _timeoutPending,
        TimeoutRemainingNs = _timeoutTimer.DeadlineNs is long deadline ? Math.Max(deadline - _clock.NowNs, 0) : null,
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        Uart16550State s = Validate(state);
        _ier = s.Ier;
        _fcr = s.Fcr;
        _lcr = s.Lcr;
        _mcr = s.Mcr;
        _lineErrors = s.LineErrors;
        _modemDeltas = s.ModemDeltas;
        _modemInputs = s.ModemInputs;
        _scr = s.Scr;
        _divisor = s.Divisor;
        _threPending = s.ThrePending;
        _timeoutPending = s.TimeoutPending;
        _fifo.Clear();
        for (int i = 0; i < s.FifoData.Length; i++)
        {
            _fifo.Push(s.FifoData[i], s.FifoErrors[i]);
        }

        _timeoutTimer.Cancel();
        if (s.TimeoutRemainingNs is long remaining)
        {
            _timeoutTimer.Arm(_clock.NowNs + remaining);
        }

        UpdateIrq();
        NotifySpace();
    }

    private Uart16550State Validate(DeviceState state)
    {
        Uart16550State s = this.Expect<Uart16550State>(state);
        this.Require((s.Ier & ~IerMask) == 0);
        this.Require((s.Fcr & ~(FcrEnable | FcrDma | FcrTriggerMask)) == 0 && (s.Fcr == 0 || (s.Fcr & FcrEnable) != 0));
        this.Require((s.Mcr & ~McrMask) == 0);
        this.Require((s.LineErrors & ~LsrErrors) == 0);
        this.Require((s.ModemDeltas & ~MsrDeltas) == 0);
        this.Require((s.ModemInputs & ~SerialModemLines.All) == 0);
        this.Require(s.FifoData is not null && s.FifoErrors is not null && s.FifoErrors.Length == s.FifoData.Length);
        this.Require(s.FifoData.Length <= (s.Fcr != 0 ? ReceiveFifo.Depth : 1));
        this.Require(Array.TrueForAll(s.FifoErrors, errors => (errors & ~LsrErrors) == 0));
        this.Require(s.TimeoutRemainingNs is null or (>= 0 and <= LongestTimeoutNs));
        return s;
    }
}
