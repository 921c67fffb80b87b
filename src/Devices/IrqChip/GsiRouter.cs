using Emu.Core;

namespace Emu.Devices.IrqChip;

/// <summary>
/// The board's interrupt wiring. Numbers are global system interrupts as devices know them: ISA IRQs 0–15 go to the
/// 8259 pair and to the IOAPIC, where IRQ 0 arrives at input 2 (the override in the MADT); 16–23 only to the IOAPIC.
/// </summary>
public sealed class GsiRouter : IIrqSink
{
    private const int IsaCount = 16;
    private const int TimerIrq = 0;
    private const int CascadeIrq = 2;
    private const int RtcIrq = 8;
    private const int TimerInput = 2;

    private readonly IIrqSink _inputs;
    private readonly HpetSide _hpet;

    /// <summary>Wires <paramref name="pic"/> (inputs 0–15) and <paramref name="ioApic"/> (inputs 0–23).</summary>
    public GsiRouter(IIrqSink pic, IIrqSink ioApic)
        : this(new ChipPair(pic, ioApic))
    {
    }

    /// <summary>Wires <paramref name="inputs"/>, which knows itself what becomes of each global system interrupt.</summary>
    public GsiRouter(IIrqSink inputs)
    {
        _inputs = inputs;
        _hpet = new HpetSide(this);
    }

    /// <summary>The inputs as the HPET drives them: not cut by <see cref="HpetLegacyReplacement"/>.</summary>
    public IIrqSink HpetInputs => _hpet;

    /// <summary>
    /// True while the HPET stands in for the PIT and the RTC (HPET specification 2.3.3, LEG_RT_CNF): IRQs 0 and 8 of
    /// those two are cut off.
    /// </summary>
    public bool HpetLegacyReplacement { get; set; }

    /// <summary>The line of global system interrupt <paramref name="number"/>.</summary>
    public IrqLine Line(int number) => new(this, number);

    /// <inheritdoc/>
    public void SetIrq(int number, bool level)
    {
        if (!HpetLegacyReplacement || number is not (TimerIrq or RtcIrq))
        {
            Route(number, level);
        }
    }

    private void Route(int number, bool level)
    {
        // IRQ 2 is the cascade between the 8259s and no input for devices.
        if (number != CascadeIrq)
        {
            _inputs.SetIrq(number, level);
        }
    }

    private sealed class ChipPair(IIrqSink pic, IIrqSink ioApic) : IIrqSink
    {
        public void SetIrq(int number, bool level)
        {
            if (number is >= 0 and < IsaCount)
            {
                pic.SetIrq(number, level);
            }

            ioApic.SetIrq(number == TimerIrq ? TimerInput : number, level);
        }
    }

    private sealed class HpetSide(GsiRouter router) : IIrqSink
    {
        public void SetIrq(int number, bool level) => router.Route(number, level);
    }
}
