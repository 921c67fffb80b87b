using Emu.Core;

namespace Emu.Machine.Pc;

/// <summary>Several devices on one interrupt line, which is high while any of them drives it: COM1 and COM3 on IRQ 4.</summary>
internal sealed class SharedLine(IrqLine output) : IIrqSink
{
    private ulong _drivers;
    private int _count;

    /// <summary>One more device's end of the line.</summary>
    public IrqLine Connect() => new(this, _count++);

    /// <inheritdoc/>
    public void SetIrq(int number, bool level)
    {
        ulong bit = 1UL << number;
        _drivers = level ? _drivers | bit : _drivers & ~bit;
        output.Set(_drivers != 0);
    }
}
