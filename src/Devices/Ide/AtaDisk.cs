using Emu.Core.Block;

namespace Emu.Devices.Ide;

/// <summary>What an <see cref="AtaDisk"/> may be told beside its disk.</summary>
public sealed record AtaDiskOptions
{
    /// <summary>Serial number; at most 20 characters count.</summary>
    public string Serial { get; init; } = "";

    /// <summary>Model; at most 40 characters count.</summary>
    public string Model { get; init; } = "EMU HARDDISK";

    /// <summary>False when every write is on the host's storage before it completes, until the guest chooses otherwise.</summary>
    public bool WriteCache { get; init; } = true;
}

/// <summary>Cylinders, heads and sectors of a disk.</summary>
/// <param name="Cylinders">Cylinders.</param>
/// <param name="Heads">Heads, 1–16.</param>
/// <param name="Sectors">Sectors of a track, 1–255.</param>
public readonly record struct DiskGeometry(int Cylinders, int Heads, int Sectors)
{
    private const int LargestCylinders = 16383;

    /// <summary>What a disk of <paramref name="sectors"/> sectors says it has: 16 heads and 63 sectors, as every larger disk does.</summary>
    public static DiskGeometry Of(long sectors) => new((int)Math.Clamp(sectors / (16 * 63), 1, LargestCylinders), 16, 63);
}

/// <summary>A disk on an IDE channel (ATA/ATAPI-7): PIO, multiple and DMA transfers, 28- and 48-bit addresses, CHS.</summary>
public sealed partial class AtaDisk : IdeDrive
{
    internal const int SectorSize = 512;

    /// <summary>Most sectors of a block of READ MULTIPLE.</summary>
    internal const int LargestMultiple = 16;

    private const int SectorShift = 9;
    private const byte DeviceLba = 1 << 6;

    // PIO reads take this many sectors from the disk at once.
    private const int ReadAhead = BufferSize / SectorSize;
    private const int SpecificSize = 24;

    private readonly AtaDiskOptions _options;
    private DiskGeometry _current;
    private int _multiple = LargestMultiple;
    private bool _writeCache;
    private byte _dmaMode = 0x22;
    private long _sector;
    private int _left;
    private int _blockSectors;
    private bool _flushAtEnd;

    /// <summary>Creates the drive over <paramref name="disk"/>, which stays the caller's.</summary>
    public AtaDisk(IBlockBackend disk, AtaDiskOptions options)
        : base(disk)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _writeCache = options.WriteCache;
        SectorCount = disk.Length >> SectorShift;
        Geometry = DiskGeometry.Of(SectorCount);
        _current = Geometry;
    }

    /// <summary>Size of the disk in sectors.</summary>
    public long SectorCount { get; }

    /// <summary>Default geometry.</summary>
    public DiskGeometry Geometry { get; }

    /// <inheritdoc/>
    protected override byte ReadyStatus => IdeStatus.Ready | IdeStatus.SeekComplete;

    /// <inheritdoc/>
    internal override void Reset()
    {
        base.Reset();
        _multiple = LargestMultiple;
        _current = Geometry;
        _writeCache = _options.WriteCache;
        (_sector, _left, _blockSectors) = (0, 0, 0);
    }

    /// <inheritdoc/>
    internal override void SetSignature()
    {
        Registers.Count = 1;
        Registers.Low = 1;
        Registers.Mid = 0;
        Registers.High = 0;
        Registers.Device = 0;
        Registers.Status = ReadyStatus;
    }

    /// <inheritdoc/>
    internal override void Complete(IdeOutcome outcome)
    {
        switch (outcome)
        {
            case IdeOutcome.TableShort:
                // The drive has not had its data; nothing tells the guest but that the engine stopped (Bus Master IDE, 3.1).
                Phase = IdePhase.Idle;
                Job = default;
                Registers.Status = ReadyStatus;
                break;
            case IdeOutcome.DiskError:
                Registers.Low = (byte)_sector;
                Finish(Job.Kind is IdeJobKind.Read or IdeJobKind.DmaRead or IdeJobKind.Verify ? IdeError.Uncorrectable : IdeError.Aborted);
                break;
            case IdeOutcome.BusError:
                Finish(IdeError.Aborted);
                break;
            default:
                Continue();
                break;
        }
    }

    /// <inheritdoc/>
    private protected override void OnBlockRead()
    {
        if (Position < BufferEnd)
        {
            OfferBlock(Math.Min(_blockSectors * SectorSize, BufferEnd - Position));
        }
        else if (_left > 0)
        {
            StartRead();
        }
        else
        {
            // The last block's interrupt was that it could be read.
            Phase = IdePhase.Idle;
            Registers.Status = ReadyStatus;
        }
    }

    /// <inheritdoc/>
    private protected override void OnBlockWritten()
    {
        int sectors = BufferEnd / SectorSize;
        Start(new IdeJob(IdeJobKind.Write, _sector << SectorShift, BufferEnd, FlushAfter: _flushAtEnd && _left == sectors));
    }

    private void Continue()
    {
        int sectors = (int)(Job.Length >> SectorShift);
        switch (Job.Kind)
        {
            case IdeJobKind.Read:
                (_sector, _left) = (_sector + sectors, _left - sectors);
                FillBuffer(sectors * SectorSize);
                OfferBlock(Math.Min(_blockSectors * SectorSize, BufferEnd));
                break;
            case IdeJobKind.Write when _left > sectors:
                (_sector, _left) = (_sector + sectors, _left - sectors);
                RequestBlock(IdePhase.DataOut, Math.Min(_blockSectors, _left) * SectorSize, interrupt: true);
                break;
            default:
                Finish();
                break;
        }
    }

    private void StartRead()
    {
        int sectors = Math.Min(_left, ReadAhead);
        Start(new IdeJob(IdeJobKind.Read, _sector << SectorShift, (long)sectors * SectorSize));
    }

    // LBA of the task file and number of sectors; false, with the command ended, when they are not all on the disk.
    private bool TryTakeRange(bool wide)
    {
        IdeRegisters file = Registers;
        _left = wide ? file.Count == 0 ? 65536 : file.Count : (byte)file.Count == 0 ? 256 : (byte)file.Count;
        if (wide)
        {
            _sector = (byte)file.Low | ((long)(byte)file.Mid << 8) | ((long)(byte)file.High << 16)
                | ((long)(file.Low >> 8) << 24) | ((long)(file.Mid >> 8) << 32) | ((long)(file.High >> 8) << 40);
        }
        else if ((file.Device & DeviceLba) != 0)
        {
            _sector = (byte)file.Low | ((long)(byte)file.Mid << 8) | ((long)(byte)file.High << 16) | ((long)(file.Device & 0xf) << 24);
        }
        else
        {
            int cylinder = (byte)file.Mid | ((byte)file.High << 8);
            _sector = ((((long)cylinder * _current.Heads) + (file.Device & 0xf)) * _current.Sectors) + (byte)file.Low - 1;
        }

        if (_sector >= 0 && _sector <= SectorCount && _left <= SectorCount - _sector)
        {
            return true;
        }

        (_sector, _left) = (0, 0);
        Finish(IdeError.IdNotFound);
        return false;
    }

    /// <inheritdoc/>
    internal override IdeDriveState Save()
    {
        byte[] specific = new byte[SpecificSize];
        BitConverter.TryWriteBytes(specific, _sector);
        BitConverter.TryWriteBytes(specific.AsSpan(8), _left);
        specific[12] = (byte)_blockSectors;
        specific[13] = (byte)_multiple;
        specific[14] = _writeCache ? (byte)1 : (byte)0;
        specific[15] = _dmaMode;
        BitConverter.TryWriteBytes(specific.AsSpan(16), _current.Cylinders);
        specific[20] = (byte)_current.Heads;
        specific[21] = (byte)_current.Sectors;
        specific[22] = _flushAtEnd ? (byte)1 : (byte)0;
        return Save(specific);
    }

    /// <inheritdoc/>
    internal override bool IsValid(IdeDriveState? state)
    {
        if (!base.IsValid(state) || state!.Specific.Length != SpecificSize || state.Phase == IdePhase.Packet || state.Job.Kind == IdeJobKind.DmaSend)
        {
            return false;
        }

        byte[] specific = state.Specific;
        long sector = BitConverter.ToInt64(specific);
        int left = BitConverter.ToInt32(specific, 8);
        bool transfers = state.Phase is IdePhase.DataIn or IdePhase.DataOut || state.Job.Kind is IdeJobKind.Read or IdeJobKind.Write;
        return sector >= 0 && left is >= 0 and <= 65536 && sector <= SectorCount && (!transfers || left <= SectorCount - sector)
            && specific[12] <= LargestMultiple && (!transfers || (specific[12] > 0 && state.BufferEnd % SectorSize == 0)) && specific[13] <= LargestMultiple && specific[14] <= 1
            && BitConverter.ToInt32(specific, 16) is > 0 and <= 65536 && specific[20] is > 0 and <= 16 && specific[21] > 0;
    }

    /// <inheritdoc/>
    internal override void Restore(IdeDriveState state)
    {
        byte[] specific = state.Specific;
        _sector = BitConverter.ToInt64(specific);
        _left = BitConverter.ToInt32(specific, 8);
        _blockSectors = specific[12];
        _multiple = specific[13];
        _writeCache = specific[14] != 0;
        _dmaMode = specific[15];
        _current = new DiskGeometry(BitConverter.ToInt32(specific, 16), specific[20], specific[21]);
        _flushAtEnd = specific[22] != 0;
        base.Restore(state);
    }
}
