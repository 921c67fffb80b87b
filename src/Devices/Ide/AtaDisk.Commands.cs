namespace Emu.Devices.Ide;

/// <content>Commands (ATA/ATAPI-7, vol. 1, chapter 6).</content>
public sealed partial class AtaDisk
{
    /// <inheritdoc/>
    internal override void Execute(byte command)
    {
        Registers.Error = IdeError.None;
        switch (command)
        {
            case 0x20 or 0x21 or 0x24 or 0xc4 or 0x29: // READ SECTORS, EXT, MULTIPLE, MULTIPLE EXT
                ReadSectors(wide: command is 0x24 or 0x29, multiple: command is 0xc4 or 0x29);
                break;
            case 0x30 or 0x31 or 0x34 or 0xc5 or 0x39 or 0xce: // WRITE SECTORS, EXT, MULTIPLE, MULTIPLE EXT, MULTIPLE FUA EXT
                WriteSectors(wide: command is 0x34 or 0x39 or 0xce, multiple: command is 0xc5 or 0x39 or 0xce, unitAccess: command == 0xce);
                break;
            case 0xc8 or 0xc9 or 0x25: // READ DMA, EXT
                Transfer(IdeJobKind.DmaRead, wide: command == 0x25);
                break;
            case 0xca or 0xcb or 0x35 or 0x3d: // WRITE DMA, EXT, FUA EXT
                Transfer(IdeJobKind.DmaWrite, wide: command is 0x35 or 0x3d, unitAccess: command == 0x3d);
                break;
            case 0x40 or 0x41 or 0x42: // READ VERIFY SECTORS, EXT
                Transfer(IdeJobKind.Verify, wide: command == 0x42);
                break;
            case 0xe7 or 0xea: // FLUSH CACHE, EXT
                Start(new IdeJob(IdeJobKind.Flush, 0, 0));
                break;
            default:
                ExecuteControl(command);
                break;
        }
    }

    private void ExecuteControl(byte command)
    {
        switch (command)
        {
            case 0xec: // IDENTIFY DEVICE
                FillBuffer(IdentifySize);
                AtaIdentity.Write(Buffer.AsSpan(0, IdentifySize), this, _options, _current, _multiple, _writeCache, _dmaMode);
                (_left, _blockSectors) = (0, 1);
                OfferBlock(IdentifySize);
                break;
            case 0xef: // SET FEATURES
                SetFeatures();
                break;
            case 0xc6: // SET MULTIPLE MODE
                int count = (byte)Registers.Count;
                bool valid = count <= LargestMultiple && (count == 0 || int.IsPow2(count));
                _multiple = valid ? count : _multiple;
                Finish(valid ? IdeError.None : IdeError.Aborted);
                break;
            case 0x91: // INITIALIZE DEVICE PARAMETERS
                SetGeometry();
                break;
            case 0xf8 or 0x27: // READ NATIVE MAX ADDRESS, EXT
                ReadNativeMax(wide: command == 0x27);
                break;
            case 0xe5 or 0x98: // CHECK POWER MODE: active
                Registers.Count = 0xff;
                Finish();
                break;

            // RECALIBRATE, SEEK, power management: done at once.
            case (>= 0x10 and <= 0x1f) or (>= 0x70 and <= 0x7f) or (>= 0xe0 and <= 0xe3) or 0xe6 or (>= 0x94 and <= 0x97) or 0x99:
                Finish();
                break;
            default:
                Finish(IdeError.Aborted);
                break;
        }
    }

    private void ReadSectors(bool wide, bool multiple)
    {
        if (!TryTakeBlock(multiple) || !TryTakeRange(wide))
        {
            return;
        }

        StartRead();
    }

    private void WriteSectors(bool wide, bool multiple, bool unitAccess)
    {
        _flushAtEnd = unitAccess || !_writeCache;
        if (Disk!.IsReadOnly)
        {
            Finish(IdeError.Aborted);
        }
        else if (TryTakeBlock(multiple) && TryTakeRange(wide))
        {
            // The first block is asked for without an interrupt (9.6).
            RequestBlock(IdePhase.DataOut, Math.Min(_blockSectors, _left) * SectorSize, interrupt: false);
        }
    }

    private bool TryTakeBlock(bool multiple)
    {
        _blockSectors = multiple ? _multiple : 1;
        if (_blockSectors == 0)
        {
            Finish(IdeError.Aborted);
        }

        return _blockSectors > 0;
    }

    private void Transfer(IdeJobKind kind, bool wide, bool unitAccess = false)
    {
        bool isWrite = kind == IdeJobKind.DmaWrite;
        if (isWrite && Disk!.IsReadOnly)
        {
            Finish(IdeError.Aborted);
        }
        else if (TryTakeRange(wide))
        {
            Start(new IdeJob(kind, _sector << SectorShift, (long)_left * SectorSize, FlushAfter: isWrite && (unitAccess || !_writeCache)));
        }
    }

    private void SetFeatures()
    {
        byte value = (byte)Registers.Count;
        switch (Registers.Features)
        {
            case 0x02: // write cache on
                _writeCache = true;
                break;
            case 0x82: // off: what is in it goes to the disk
                _writeCache = false;
                Start(new IdeJob(IdeJobKind.Flush, 0, 0));
                return;
            case 0x03 when (value >> 3) is 0 or 1 || ((value >> 3) is 2 or 4 or 8 && (value & 7) <= 5): // transfer mode: PIO, DMA
                _dmaMode = value;
                break;
            case 0xaa or 0x55 or 0x05 or 0x85 or 0x66 or 0xcc or 0x42 or 0xc2 or 0x67: // look-ahead, power, defaults after reset, acoustics
                break;
            default:
                Finish(IdeError.Aborted);
                return;
        }

        Finish();
    }

    private void SetGeometry()
    {
        int sectors = (byte)Registers.Count;
        int heads = (Registers.Device & 0xf) + 1;
        if (sectors == 0)
        {
            Finish(IdeError.Aborted);
            return;
        }

        int cylinders = (int)Math.Clamp(SectorCount / (heads * sectors), 1, 65535);
        _current = new DiskGeometry(cylinders, heads, sectors);
        Finish();
    }

    private void ReadNativeMax(bool wide)
    {
        long last = wide ? SectorCount - 1 : Math.Min(SectorCount - 1, 0xfff_ffff);
        last = Math.Max(last, 0);
        Registers.Low = (ushort)((byte)last | ((last >> 24 & 0xff) << 8));
        Registers.Mid = (ushort)((byte)(last >> 8) | ((last >> 32 & 0xff) << 8));
        Registers.High = (ushort)((byte)(last >> 16) | ((last >> 40 & 0xff) << 8));
        if (!wide)
        {
            Registers.Device = (byte)((Registers.Device & 0xf0) | (byte)(last >> 24 & 0xf));
        }

        Finish();
    }
}
