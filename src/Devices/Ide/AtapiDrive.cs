using Emu.Core.Block;

namespace Emu.Devices.Ide;

/// <summary>A CD-ROM drive on an IDE channel: the PACKET command (ATA/ATAPI-7, 6.24) around the commands of MMC.</summary>
public sealed partial class AtapiDrive : IdeDrive
{
    internal const int SectorSize = 2048;

    private const int SectorShift = 11;
    private const int PacketSize = 12;
    private const int ReadAhead = BufferSize / SectorSize;
    private const int SpecificSize = 24;

    // Interrupt reason in the count register (6.24.6).
    private const byte ReasonCommand = 1 << 0;
    private const byte ReasonInput = 1 << 1;
    private const byte FeatureDma = 1 << 0;
    private const byte FeatureOverlapped = 1 << 1;

    // What a count limit of 0 and of FFFFH stand for.
    private const int LargestCount = 0xfffe;

    private readonly string _serial;
    private readonly byte[] _sense = new byte[3];
    private byte _dmaMode = 0x22;
    private bool _byDma;
    private int _limit;
    private long _sector;
    private int _left;

    /// <summary>Creates the drive with <paramref name="disc"/> in its tray, or null for none.</summary>
    public AtapiDrive(IBlockBackend? disc, string serial)
        : base(disc) => _serial = serial;

    /// <inheritdoc/>
    protected override byte ReadyStatus => IdeStatus.Ready;

    private long SectorCount => (Disk?.Length ?? 0) >> SectorShift;

    /// <inheritdoc/>
    internal override void Reset()
    {
        base.Reset();
        Array.Clear(_sense);
        (_byDma, _limit, _sector, _left) = (false, 0, 0, 0);
    }

    /// <inheritdoc/>
    internal override void SetSignature()
    {
        Registers.Count = 1;
        Registers.Low = 1;
        Registers.Mid = 0x14;
        Registers.High = 0xeb;
        Registers.Device = 0;
        Registers.Status = 0;
    }

    /// <inheritdoc/>
    internal override void Execute(byte command)
    {
        Registers.Error = IdeError.None;
        switch (command)
        {
            case 0xa0: // PACKET
                BeginPacket();
                break;
            case 0xa1: // IDENTIFY PACKET DEVICE
                FillBuffer(IdentifySize);
                AtaIdentity.WritePacket(Buffer.AsSpan(0, IdentifySize), _serial, Model, _dmaMode);
                (_left, _limit) = (0, IdentifySize);
                OfferBlock(IdentifySize);
                break;
            case 0xef when Registers.Features == 0x03: // SET FEATURES, transfer mode
                _dmaMode = (byte)Registers.Count;
                Finish();
                break;
            case 0xef when Registers.Features is 0x66 or 0xcc:
            case 0xe0 or 0xe1 or 0xe2 or 0xe3 or 0xe6:
                Finish();
                break;
            case 0xe5: // CHECK POWER MODE
                Registers.Count = 0xff;
                Finish();
                break;
            default:
                // A disk's command tells by the registers what this is (9.12).
                if (command is 0xec or 0x20)
                {
                    SetSignature();
                }

                Finish(IdeError.Aborted);
                break;
        }
    }

    /// <inheritdoc/>
    internal override void Complete(IdeOutcome outcome)
    {
        switch (outcome)
        {
            case IdeOutcome.Ok or IdeOutcome.OkTableLeft when Job.Kind == IdeJobKind.Read:
                int sectors = (int)(Job.Length >> SectorShift);
                (_sector, _left) = (_sector + sectors, _left - sectors);
                FillBuffer((int)Job.Length);
                OfferPart();
                break;
            case IdeOutcome.Ok or IdeOutcome.OkTableLeft:
                EndCommand();
                break;
            case IdeOutcome.DiskError:
                Fail(SenseMediumError, AdditionalUnrecoveredRead);
                break;
            case IdeOutcome.TableShort:
                Phase = IdePhase.Idle;
                Job = default;
                Registers.Status = ReadyStatus;
                break;
            default:
                Fail(SenseAborted, 0);
                break;
        }
    }

    /// <inheritdoc/>
    private protected override void OnBlockRead()
    {
        if (Position < BufferEnd)
        {
            OfferPart();
        }
        else if (_left > 0)
        {
            StartRead();
        }
        else
        {
            EndCommand();
        }
    }

    /// <inheritdoc/>
    private protected override void OnBlockWritten() => RunPacket(Buffer.AsSpan(0, PacketSize).ToArray());

    private void BeginPacket()
    {
        if ((Registers.Features & FeatureOverlapped) != 0)
        {
            Finish(IdeError.Aborted);
            return;
        }

        _byDma = (Registers.Features & FeatureDma) != 0;
        int limit = (byte)Registers.Mid | ((byte)Registers.High << 8);
        _limit = limit is 0 or 0xffff ? LargestCount : limit;
        Registers.Count = ReasonCommand;
        RequestBlock(IdePhase.Packet, PacketSize, interrupt: false);
    }

    // Answers with the first bytes of the buffer.
    private void Reply(int length, int allocated)
    {
        length = Math.Min(length, allocated);
        FillBuffer(length);
        _left = 0;
        if (length == 0)
        {
            EndCommand();
        }
        else if (_byDma)
        {
            Start(new IdeJob(IdeJobKind.DmaSend, 0, length));
        }
        else
        {
            OfferPart();
        }
    }

    private void ReadDisc(long sector, long count)
    {
        if (Disk is null)
        {
            Fail(SenseNotReady, AdditionalNoMedium);
        }
        else if (sector > SectorCount || count > SectorCount - sector)
        {
            Fail(SenseIllegalRequest, AdditionalOutOfRange);
        }
        else if (count == 0)
        {
            EndCommand();
        }
        else if (_byDma)
        {
            Start(new IdeJob(IdeJobKind.DmaRead, sector << SectorShift, count << SectorShift));
        }
        else
        {
            (_sector, _left) = (sector, (int)count);
            StartRead();
        }
    }

    private void StartRead()
    {
        int sectors = Math.Min(_left, ReadAhead);
        Start(new IdeJob(IdeJobKind.Read, _sector << SectorShift, (long)sectors << SectorShift));
    }

    // At most as much as the guest takes at once; an odd part can only be the last (6.24.4).
    private void OfferPart()
    {
        int left = BufferEnd - Position;
        int part = Math.Min(_limit, left);
        part = part < left && part > 1 ? part & ~1 : part;
        Registers.Count = ReasonInput;
        Registers.Mid = (byte)part;
        Registers.High = (byte)(part >> 8);
        OfferBlock(part);
    }

    private void EndCommand()
    {
        SetSense(0, 0);
        Registers.Count = ReasonInput | ReasonCommand;
        Finish();
    }

    private void Fail(byte key, ushort additional)
    {
        SetSense(key, additional);
        Registers.Count = ReasonInput | ReasonCommand;
        Finish((byte)((key << 4) | IdeError.Aborted));
    }

    private void SetSense(byte key, ushort additional) =>
        (_sense[0], _sense[1], _sense[2]) = (key, (byte)(additional >> 8), (byte)additional);

    /// <inheritdoc/>
    internal override IdeDriveState Save()
    {
        byte[] specific = new byte[SpecificSize];
        BitConverter.TryWriteBytes(specific, _sector);
        BitConverter.TryWriteBytes(specific.AsSpan(8), _left);
        BitConverter.TryWriteBytes(specific.AsSpan(12), _limit);
        _sense.CopyTo(specific, 16);
        specific[19] = _dmaMode;
        specific[20] = _byDma ? (byte)1 : (byte)0;
        return Save(specific);
    }

    /// <inheritdoc/>
    internal override bool IsValid(IdeDriveState? state)
    {
        if (!base.IsValid(state) || state!.Specific.Length != SpecificSize || state.Phase == IdePhase.DataOut
            || state.Job.Kind is IdeJobKind.Write or IdeJobKind.DmaWrite or IdeJobKind.Verify or IdeJobKind.Flush
            || (state.Phase == IdePhase.Packet && state.BlockEnd != PacketSize))
        {
            return false;
        }

        byte[] specific = state.Specific;
        long sector = BitConverter.ToInt64(specific);
        int left = BitConverter.ToInt32(specific, 8);
        return sector >= 0 && left >= 0 && sector <= SectorCount && left <= SectorCount - sector && BitConverter.ToInt32(specific, 12) is >= 0 and <= LargestCount
            && (state.Phase != IdePhase.DataIn || BitConverter.ToInt32(specific, 12) > 0) && (specific[16] & 0xf0) == 0 && specific[20] <= 1;
    }

    /// <inheritdoc/>
    internal override void Restore(IdeDriveState state)
    {
        byte[] specific = state.Specific;
        _sector = BitConverter.ToInt64(specific);
        _left = BitConverter.ToInt32(specific, 8);
        _limit = BitConverter.ToInt32(specific, 12);
        specific.AsSpan(16, _sense.Length).CopyTo(_sense);
        _dmaMode = specific[19];
        _byDma = specific[20] != 0;
        base.Restore(state);
    }
}
