using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.IrqChip;

/// <summary>
/// The PC's pair of 8259A interrupt controllers (Intel 231468) with the edge/level registers of the PIIX (290562, 2.5.8):
/// sixteen inputs, the slave on input 2 of the master. MCS-80 mode does not exist here: vectors are always 8086 vectors.
/// An edge once latched stays latched until acknowledged, so that a pulse of zero virtual length is not lost.
/// </summary>
public sealed class Pic8259 : Device, IIrqSink
{
    /// <summary>Number of interrupt inputs.</summary>
    public const int InputCount = 16;

    private const int CascadeInput = 2;

    // Inputs 0, 1, 2, 8 and 13 are edge-triggered for ever (290562, 2.5.8).
    private const byte MasterElcrMask = 0xf8;
    private const byte SlaveElcrMask = 0xde;

    private readonly Pic8259Chip _master = new(isMaster: true);
    private readonly Pic8259Chip _slave = new(isMaster: false);
    private bool _outputLevel;

    /// <summary>Creates the pair; set <see cref="Output"/> before it is used.</summary>
    public Pic8259(string name)
        : base(name)
    {
        MasterRegisters = PortRegion.OfBytes($"{name}-master", 2, (offset) => Read(_master, offset), (offset, value) => Write(_master, offset, value));
        SlaveRegisters = PortRegion.OfBytes($"{name}-slave", 2, (offset) => Read(_slave, offset), (offset, value) => Write(_slave, offset, value));
        ElcrRegisters = PortRegion.OfBytes($"{name}-elcr", 2, ReadElcr, WriteElcr);
    }

    /// <summary>The INT pin of the master: high while <see cref="Acknowledge"/> has a vector to give.</summary>
    public IrqLine Output { get; set; }

    /// <summary>The master's two registers, for port 20H.</summary>
    public MemoryRegion MasterRegisters { get; }

    /// <summary>The slave's two registers, for port A0H.</summary>
    public MemoryRegion SlaveRegisters { get; }

    /// <summary>The edge/level control registers, for port 4D0H.</summary>
    public MemoryRegion ElcrRegisters { get; }

    /// <summary>Level of the INT pin.</summary>
    public bool IsInterruptPending => _outputLevel;

    /// <inheritdoc/>
    public override void Reset()
    {
        _master.Reset();
        _slave.Reset();
        Propagate();
    }

    /// <summary>Drives one of the sixteen inputs. Input 2 is the cascade and cannot be driven; other numbers are ignored.</summary>
    public void SetIrq(int number, bool level)
    {
        if (number is < 0 or >= InputCount or CascadeInput)
        {
            return;
        }

        (number < 8 ? _master : _slave).SetInput(number & 7, level);
        Propagate();
    }

    /// <summary>
    /// The interrupt acknowledge cycle: moves the highest-priority request into service and returns its vector. With no
    /// request left it returns the spurious vector of input 7 (or 15) and sets no in-service bit there.
    /// </summary>
    public int Acknowledge()
    {
        int level = _master.Acknowledge();
        int vector = _master.VectorBase | level;
        if (level == CascadeInput)
        {
            vector = _slave.VectorBase | _slave.Acknowledge();

            // INTA makes the slave drop INT; if it still has a request it raises it anew, an edge for the master.
            _master.SetInput(CascadeInput, false);
        }

        Propagate();
        return vector;
    }

    /// <inheritdoc/>
    public override DeviceState Save() => new Pic8259State { Master = _master.Save(), Slave = _slave.Save() };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        Pic8259State s = this.Expect<Pic8259State>(state);
        this.Require(s.Master is not null && s.Master.IsValid(MasterElcrMask));
        this.Require(s.Slave is not null && s.Slave.IsValid(SlaveElcrMask));
        _master.Restore(s.Master);
        _slave.Restore(s.Slave);
        Propagate();
    }

    private byte Read(Pic8259Chip chip, int offset)
    {
        byte value = chip.Read(offset);
        Propagate(); // a poll acknowledges
        return value;
    }

    private void Write(Pic8259Chip chip, int offset, byte value)
    {
        chip.Write(offset, value);
        Propagate();
    }

    private byte ReadElcr(int offset) => (offset == 0 ? _master : _slave).Elcr;

    private void WriteElcr(int offset, byte value)
    {
        if (offset == 0)
        {
            _master.SetElcr((byte)(value & MasterElcrMask));
        }
        else
        {
            _slave.SetElcr((byte)(value & SlaveElcrMask));
        }

        Propagate();
    }

    private void Propagate()
    {
        _master.SetInput(CascadeInput, _slave.HasRequest);
        if (_master.HasRequest != _outputLevel)
        {
            _outputLevel = !_outputLevel;
            Output.Set(_outputLevel);
        }
    }
}
