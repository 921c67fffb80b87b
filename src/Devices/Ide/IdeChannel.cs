using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Dma;
using Emu.Devices.Virtio;

namespace Emu.Devices.Ide;

/// <summary>What an IDE channel needs of the machine around it.</summary>
/// <param name="Memory">Guest memory, for the bus master.</param>
/// <param name="Lock">The machine lock.</param>
/// <param name="Workers">Threads for transfers.</param>
/// <param name="MayMaster">True while the PCI function may be bus master; any thread.</param>
public sealed record IdeEnvironment(DmaMemory Memory, MachineLock Lock, IDeviceWorkers Workers, Func<bool> MayMaster);

/// <summary>Saved state of an <see cref="IdeChannel"/>.</summary>
public sealed record IdeChannelState
{
    /// <summary>The drives; null where there is none.</summary>
    public IdeDriveState?[] Drives { get; init; } = [];

    /// <summary>Number of the drive that is selected.</summary>
    public int Selected { get; init; }

    /// <summary>Device control register.</summary>
    public byte Control { get; init; }

    /// <summary>True while a drive wants to interrupt.</summary>
    public bool Interrupt { get; init; }

    /// <summary>Bus master.</summary>
    public BusMasterState? Master { get; init; }
}

/// <summary>
/// One IDE channel in compatibility mode (ATA/ATAPI-7, vol. 2): its registers, up to two drives, a bus master, and the worker on
/// which transfers run while the vCPUs go on.
/// </summary>
public sealed partial class IdeChannel : IIoHandler
{
    /// <summary>Drives of a channel.</summary>
    public const int DriveCount = 2;

    private const ulong CommandPorts = 8;
    private const int DataRegister = 0;
    private const int StatusRegister = 7;
    private const byte ControlInterruptDisable = 1 << 1;
    private const byte ControlReset = 1 << 2;
    private const byte ControlHighOrder = 1 << 7;
    private const byte DeviceSelect = 1 << 4;
    private const byte DeviceObsolete = 0xa0;
    private const byte CommandDeviceReset = 0x08;
    private const byte CommandDiagnostic = 0x90;

    private readonly IdeDrive?[] _drives = new IdeDrive?[DriveCount];
    private readonly IrqLine _irq;
    private readonly IdeEnvironment _environment;
    private int _selected;
    private byte _control;
    private bool _interrupt;

    /// <summary>Creates a channel without drives; <paramref name="name"/> is that of its worker.</summary>
    public IdeChannel(string name, IrqLine irq, IdeEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(environment);
        Name = name;
        _irq = irq;
        _environment = environment;
        Master = new BusMaster(environment.Memory);
        CommandBlock = MemoryRegion.OfIo(name, CommandPorts, this, IoAccess.UpToDword);
        ControlBlock = PortRegion.OfBytes($"{name}-control", 1, _ => Selected?.Registers.Status ?? 0, (_, value) => WriteControl(value));
        _worker = environment.Workers.Create(name, Work);
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>Eight ports: data to status and command.</summary>
    public MemoryRegion CommandBlock { get; }

    /// <summary>One port: alternate status and device control.</summary>
    public MemoryRegion ControlBlock { get; }

    /// <summary>The bus master.</summary>
    public BusMaster Master { get; }

    /// <summary>The drives; null where there is none.</summary>
    public IReadOnlyList<IdeDrive?> Drives => _drives;

    private IdeDrive? Selected => _drives[_selected];

    /// <summary>Connects drive <paramref name="unit"/> (0 or 1).</summary>
    /// <exception cref="InvalidOperationException">There is one.</exception>
    public void Connect(int unit, IdeDrive drive)
    {
        ArgumentNullException.ThrowIfNull(drive);
        if (_drives[unit] is not null)
        {
            throw new InvalidOperationException($"{Name}: drive {unit} is there already.");
        }

        _drives[unit] = drive;
        drive.Channel = this;
        drive.Reset();
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        if (offset == DataRegister)
        {
            return Selected?.ReadData(size) ?? 0;
        }

        ulong value = 0;
        for (int i = 0; i < size; i++)
        {
            int register = (int)offset + i;
            value |= (ulong)(register <= StatusRegister ? ReadRegister(register) : (byte)0xff) << (8 * i);
        }

        return value;
    }

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        if (offset == DataRegister)
        {
            Selected?.WriteData((uint)value, size);
            return;
        }

        for (int i = 0; i < size && (int)offset + i <= StatusRegister; i++)
        {
            WriteRegister((int)offset + i, (byte)(value >> (8 * i)));
        }
    }

    /// <inheritdoc/>
    public int ReadBlock(ulong offset, Span<byte> data, int size) => offset == DataRegister ? Selected?.ReadData(data, size) ?? 0 : 0;

    /// <inheritdoc/>
    public int WriteBlock(ulong offset, ReadOnlySpan<byte> data, int size) => offset == DataRegister ? Selected?.WriteData(data, size) ?? 0 : 0;

    /// <summary>Returns everything to the state after power-on. A transfer that goes on meanwhile no longer reaches guest memory.</summary>
    public void Reset()
    {
        Cancel();
        _control = 0;
        _selected = 0;
        SetInterrupt(false);
        Master.Reset();
        Array.ForEach(_drives, drive => drive?.Reset());
    }

    /// <summary>Reads a register of the bus master.</summary>
    public byte ReadMaster(int offset) => Master.Read(offset);

    /// <summary>Writes a register of the bus master.</summary>
    public void WriteMaster(int offset, byte value)
    {
        if (!Master.Write(offset, value))
        {
            return;
        }

        IdeDrive? waiting = Array.Find(_drives, drive => drive is { Phase: IdePhase.Working, Job.IsDma: true });
        if (waiting is not null && Master.IsStarted)
        {
            Submit(waiting);
        }
        else if (waiting is not null && _isSubmitted)
        {
            // Stopped in the middle: the rest of the transfer is lost.
            Cancel();
            waiting.Abort();
        }
    }

    /// <summary>Saves.</summary>
    public IdeChannelState Save() => new()
    {
        Drives = [.. _drives.Select(drive => drive?.Save())],
        Selected = _selected,
        Control = _control,
        Interrupt = _interrupt,
        Master = Master.Save(),
    };

    /// <summary>True when <paramref name="state"/> can be one of this channel.</summary>
    public bool IsValid(IdeChannelState? state) => state is { Drives.Length: DriveCount, Selected: 0 or 1 } && BusMaster.IsValid(state.Master)
        && Enumerable.Range(0, DriveCount).All(unit => _drives[unit]?.IsValid(state.Drives[unit]) ?? state.Drives[unit] is null);

    /// <summary>Takes a state that is valid.</summary>
    public void Restore(IdeChannelState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        Cancel();
        Master.Restore(state.Master!);
        _selected = state.Selected;
        _control = state.Control;
        SetInterrupt(state.Interrupt);
        for (int unit = 0; unit < DriveCount; unit++)
        {
            _drives[unit]?.Restore(state.Drives[unit]!);
        }
    }

    /// <summary>A drive wants to interrupt.</summary>
    internal void RaiseInterrupt()
    {
        Master.NoteInterrupt();
        SetInterrupt(true);
    }

    private byte ReadRegister(int register)
    {
        if (Selected is not IdeDrive drive)
        {
            return 0;
        }

        IdeRegisters file = drive.Registers;
        int shift = (_control & ControlHighOrder) != 0 ? 8 : 0;
        switch (register)
        {
            case 1:
                return file.Error;
            case 2:
                return (byte)(file.Count >> shift);
            case 3:
                return (byte)(file.Low >> shift);
            case 4:
                return (byte)(file.Mid >> shift);
            case 5:
                return (byte)(file.High >> shift);
            case 6:
                return (byte)(file.Device | DeviceObsolete);
            default:
                SetInterrupt(false);
                return file.Status;
        }
    }

    private void WriteRegister(int register, byte value)
    {
        bool isBusy = Selected is IdeDrive { Registers.Status: var status } && (status & (IdeStatus.Busy | IdeStatus.DataRequest)) != 0;
        bool isReset = register == StatusRegister && value == CommandDeviceReset && Selected is AtapiDrive;
        if (isBusy && !isReset)
        {
            return;
        }

        _control &= unchecked((byte)~ControlHighOrder);
        if (register == StatusRegister)
        {
            RunCommand(value);
            return;
        }

        // Both drives hear what is written.
        foreach (IdeDrive? drive in _drives)
        {
            if (drive is not null)
            {
                WriteFile(drive.Registers, register, value);
            }
        }

        if (register == 6)
        {
            _selected = (value & DeviceSelect) != 0 ? 1 : 0;
        }
    }

    private static void WriteFile(IdeRegisters file, int register, byte value)
    {
        switch (register)
        {
            case 1:
                file.Features = value;
                break;
            case 2:
                file.Count = IdeRegisters.Push(file.Count, value);
                break;
            case 3:
                file.Low = IdeRegisters.Push(file.Low, value);
                break;
            case 4:
                file.Mid = IdeRegisters.Push(file.Mid, value);
                break;
            case 5:
                file.High = IdeRegisters.Push(file.High, value);
                break;
            default:
                file.Device = value;
                break;
        }
    }

    private void RunCommand(byte command)
    {
        if (command == CommandDiagnostic && Selected is not null)
        {
            Array.ForEach(_drives, drive => drive?.Reset());
            _selected = 0;
            RaiseInterrupt();
        }
        else if (command == CommandDeviceReset && Selected is AtapiDrive packetDrive)
        {
            if (packetDrive.Phase == IdePhase.Working)
            {
                Cancel();
            }

            byte device = packetDrive.Registers.Device;
            packetDrive.Reset();
            packetDrive.Registers.Device = (byte)(device & DeviceSelect);
        }
        else
        {
            SetInterrupt(false);
            Selected?.Execute(command);
        }
    }

    private void WriteControl(byte value)
    {
        bool resetBefore = (_control & ControlReset) != 0;
        _control = value;
        if ((value & ControlReset) != 0 && !resetBefore)
        {
            Cancel();
            _selected = 0;
            _interrupt = false;
            foreach (IdeDrive drive in _drives.OfType<IdeDrive>())
            {
                drive.Reset();
                drive.Registers.Status = IdeStatus.Busy;
            }
        }
        else if ((value & ControlReset) == 0 && resetBefore)
        {
            Array.ForEach(_drives, drive => drive?.Reset());
        }

        SetInterrupt(_interrupt);
    }

    private void SetInterrupt(bool asserted)
    {
        _interrupt = asserted;
        _irq.Set(asserted && (_control & ControlInterruptDisable) == 0);
    }
}
