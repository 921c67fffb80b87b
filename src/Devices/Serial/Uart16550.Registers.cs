namespace Emu.Devices.Serial;

/// <summary>Modem inputs of a UART, at their bits in MSR (PC16550D 8.6.8).</summary>
[Flags]
public enum SerialModemLines
{
    /// <summary>No line asserted: nothing is plugged in.</summary>
    None = 0,

    /// <summary>Clear to send.</summary>
    Cts = 0x10,

    /// <summary>Data set ready.</summary>
    Dsr = 0x20,

    /// <summary>Ring indicator.</summary>
    Ri = 0x40,

    /// <summary>Data carrier detect.</summary>
    Dcd = 0x80,

    /// <summary>A peer that is present and ready.</summary>
    Connected = Cts | Dsr | Dcd,

    /// <summary>Every line.</summary>
    All = Connected | Ri,
}

/// <content>Register map and bits, in the order of PC16550D table II.</content>
public sealed partial class Uart16550
{
    private const int RegData = 0;
    private const int RegIer = 1;
    private const int RegIirFcr = 2;
    private const int RegLcr = 3;
    private const int RegMcr = 4;
    private const int RegLsr = 5;
    private const int RegMsr = 6;
    private const int RegScr = 7;

    private const byte IerReceive = 0x01;
    private const byte IerThre = 0x02;
    private const byte IerLineStatus = 0x04;
    private const byte IerModem = 0x08;
    private const byte IerMask = 0x0f;

    private const byte IirModem = 0x00;
    private const byte IirNone = 0x01;
    private const byte IirThre = 0x02;
    private const byte IirReceive = 0x04;
    private const byte IirLineStatus = 0x06;
    private const byte IirTimeout = 0x0c;
    private const byte IirFifoEnabled = 0xc0;

    private const byte FcrEnable = 0x01;
    private const byte FcrClearReceiver = 0x02;
    private const byte FcrClearTransmitter = 0x04;
    private const byte FcrDma = 0x08;
    private const byte FcrTriggerMask = 0xc0;
    private const int FcrTriggerShift = 6;

    private const byte LcrWordLength = 0x03;
    private const byte LcrStop = 0x04;
    private const byte LcrParity = 0x08;
    private const byte LcrBreak = 0x40;
    private const byte LcrDlab = 0x80;

    private const byte McrDtr = 0x01;
    private const byte McrRts = 0x02;
    private const byte McrOut1 = 0x04;
    private const byte McrOut2 = 0x08;
    private const byte McrLoop = 0x10;
    private const byte McrMask = 0x1f;

    private const byte LsrDataReady = 0x01;
    private const byte LsrOverrun = 0x02;
    private const byte LsrParityError = 0x04;
    private const byte LsrFramingError = 0x08;
    private const byte LsrBreak = 0x10;
    private const byte LsrThre = 0x20;
    private const byte LsrTemt = 0x40;
    private const byte LsrFifoError = 0x80;
    private const byte LsrErrors = LsrOverrun | LsrParityError | LsrFramingError | LsrBreak;

    private const byte MsrDeltas = 0x0f;
}
