using System.Buffers.Binary;
using System.Text;

namespace Emu.Devices.Ide;

/// <content>Commands of packets (MMC-5; SPC-3 for those that all devices have).</content>
public sealed partial class AtapiDrive
{
    private const string Model = "EMU CD-ROM";

    private const byte SenseNotReady = 0x02;
    private const byte SenseMediumError = 0x03;
    private const byte SenseIllegalRequest = 0x05;
    private const byte SenseAborted = 0x0b;
    private const ushort AdditionalUnrecoveredRead = 0x1100;
    private const ushort AdditionalInvalidCommand = 0x2000;
    private const ushort AdditionalOutOfRange = 0x2100;
    private const ushort AdditionalInvalidField = 0x2400;
    private const ushort AdditionalNoMedium = 0x3a00;

    private const byte LeadOutTrack = 0xaa;
    private const byte DataTrack = 0x14;
    private const int FramesPerSecond = 75;
    private const int LeadInFrames = 150;
    private const ushort ProfileCdRom = 0x0008;
    private const ushort ProfileDvdRom = 0x0010;

    // Discs beyond this are DVDs.
    private const long LargestCdSectors = 80 * 60 * FramesPerSecond;

    private void RunPacket(ReadOnlySpan<byte> packet)
    {
        Buffer.AsSpan(0, 1024).Clear();
        switch (packet[0])
        {
            case 0x03: // REQUEST SENSE, which is also how the sense goes away
                RequestSense(packet[4]);
                break;
            case 0x12: // INQUIRY
                Inquire(packet);
                break;
            case 0x1a: // MODE SENSE (6)
                ModeSense(packet, wide: false, packet[4]);
                break;
            case 0x5a: // MODE SENSE (10)
                ModeSense(packet, wide: true, Word(packet, 7));
                break;
            case 0x46: // GET CONFIGURATION
                GetConfiguration(Word(packet, 7));
                break;
            case 0x4a: // GET EVENT STATUS NOTIFICATION
                GetEventStatus(packet);
                break;
            case 0x1b or 0x1e or 0x35: // START STOP UNIT, PREVENT ALLOW MEDIUM REMOVAL, SYNCHRONIZE CACHE
                EndCommand();
                break;
            case 0xbd: // MECHANISM STATUS: one slot
                Buffer[5] = 1;
                Reply(8, Word(packet, 8));
                break;
            default:
                RunMediumPacket(packet);
                break;
        }
    }

    // What needs a disc.
    private void RunMediumPacket(ReadOnlySpan<byte> packet)
    {
        bool isKnown = packet[0] is 0x00 or 0x25 or 0x28 or 0xa8 or 0x2b or 0x2f or 0x43 or 0x51 or 0x52 or 0xbe;
        if (!isKnown || Disk is null)
        {
            Fail(isKnown ? SenseNotReady : SenseIllegalRequest, isKnown ? AdditionalNoMedium : AdditionalInvalidCommand);
            return;
        }

        switch (packet[0])
        {
            case 0x00 or 0x2f: // TEST UNIT READY, VERIFY
                EndCommand();
                break;
            case 0x25: // READ CAPACITY: last sector and size of one
                BinaryPrimitives.WriteUInt32BigEndian(Buffer, (uint)Math.Max(SectorCount - 1, 0));
                BinaryPrimitives.WriteUInt32BigEndian(Buffer.AsSpan(4), SectorSize);
                Reply(8, 8);
                break;
            case 0x28: // READ (10)
                ReadDisc(Long(packet, 2), Word(packet, 7));
                break;
            case 0xa8: // READ (12)
                ReadDisc(Long(packet, 2), Long(packet, 6));
                break;
            case 0xbe: // READ CD
                ReadCd(packet);
                break;
            case 0x2b: // SEEK
                Seek(Long(packet, 2));
                break;
            case 0x43: // READ TOC
                ReadToc(packet);
                break;
            case 0x51: // READ DISC INFORMATION: one finished session
                BinaryPrimitives.WriteUInt16BigEndian(Buffer, 32);
                (Buffer[2], Buffer[3], Buffer[4], Buffer[5], Buffer[6]) = (0x0e, 1, 1, 1, 1);
                Reply(34, Word(packet, 7));
                break;
            default: // READ TRACK INFORMATION: the one track
                BinaryPrimitives.WriteUInt16BigEndian(Buffer, 34);
                (Buffer[2], Buffer[3], Buffer[5], Buffer[6]) = (1, 1, 4, 1);
                BinaryPrimitives.WriteUInt32BigEndian(Buffer.AsSpan(24), (uint)SectorCount);
                Reply(36, Word(packet, 7));
                break;
        }
    }

    private static ushort Word(ReadOnlySpan<byte> packet, int offset) => BinaryPrimitives.ReadUInt16BigEndian(packet[offset..]);

    private static uint Long(ReadOnlySpan<byte> packet, int offset) => BinaryPrimitives.ReadUInt32BigEndian(packet[offset..]);

    private void RequestSense(int allocated)
    {
        Buffer[0] = 0xf0;
        Buffer[2] = _sense[0];
        Buffer[7] = 10;
        Buffer[12] = _sense[1];
        Buffer[13] = _sense[2];
        Reply(18, allocated);
    }

    private void Inquire(ReadOnlySpan<byte> packet)
    {
        if ((packet[1] & 1) != 0)
        {
            Fail(SenseIllegalRequest, AdditionalInvalidField);
            return;
        }

        // CD-ROM, removable, data format 2.
        (Buffer[0], Buffer[1], Buffer[3], Buffer[4]) = (5, 0x80, 0x21, 31);
        Encoding.ASCII.GetBytes("EMU     EMU CD-ROM      1.0 ", Buffer.AsSpan(8));
        Reply(36, packet[4]);
    }

    private void ModeSense(ReadOnlySpan<byte> packet, bool wide, int allocated)
    {
        const byte pageErrorRecovery = 0x01;
        const byte pageCapabilities = 0x2a;
        const byte pageAll = 0x3f;
        int header = wide ? 8 : 4;
        int end = header;
        int page = packet[2] & 0x3f;
        if (page is pageErrorRecovery or pageAll)
        {
            (Buffer[end], Buffer[end + 1], Buffer[end + 3]) = (pageErrorRecovery, 6, 5);
            end += 8;
        }

        if (page is pageCapabilities or pageAll)
        {
            // Reads Mode 2, multi-session; loads by a tray that locks and opens; 4× speed.
            (Buffer[end], Buffer[end + 1], Buffer[end + 4], Buffer[end + 6]) = (pageCapabilities, 18, 0x70, 0x29);
            BinaryPrimitives.WriteUInt16BigEndian(Buffer.AsSpan(end + 8), 706);
            BinaryPrimitives.WriteUInt16BigEndian(Buffer.AsSpan(end + 14), 706);
            end += 20;
        }

        if (end == header)
        {
            Fail(SenseIllegalRequest, AdditionalInvalidField);
            return;
        }

        if (wide)
        {
            BinaryPrimitives.WriteUInt16BigEndian(Buffer, (ushort)(end - 2));
        }
        else
        {
            Buffer[0] = (byte)(end - 1);
        }

        Buffer[wide ? 2 : 1] = (byte)(Disk is null ? 0x70 : 0x01);
        Reply(end, allocated);
    }

    // Header, then the profiles; no feature list beyond the core and the medium.
    private void GetConfiguration(int allocated)
    {
        ushort current = Disk is null ? (ushort)0 : SectorCount > LargestCdSectors ? ProfileDvdRom : ProfileCdRom;
        BinaryPrimitives.WriteUInt16BigEndian(Buffer.AsSpan(6), current);
        (Buffer[10], Buffer[11]) = (0x03, 8);
        Profile(12, ProfileDvdRom);
        Profile(16, ProfileCdRom);
        (Buffer[21], Buffer[22], Buffer[23], Buffer[27]) = (0x01, 0x0b, 8, 0x02); // core feature: ATAPI
        (Buffer[33], Buffer[34], Buffer[35], Buffer[36]) = (0x03, 0x03, 4, 0x29); // removable medium: tray, eject, lock
        BinaryPrimitives.WriteUInt32BigEndian(Buffer, 40 - 4);
        Reply(40, allocated);

        void Profile(int offset, ushort profile)
        {
            BinaryPrimitives.WriteUInt16BigEndian(Buffer.AsSpan(offset), profile);
            Buffer[offset + 2] = (byte)(profile == current ? 1 : 0);
        }
    }

    private void GetEventStatus(ReadOnlySpan<byte> packet)
    {
        const byte classMedia = 4;
        if ((packet[1] & 1) == 0)
        {
            Fail(SenseIllegalRequest, AdditionalInvalidField); // asynchronous operation is not offered
            return;
        }

        bool media = (packet[4] & (1 << classMedia)) != 0;
        Buffer[1] = (byte)(media ? 6 : 2);
        Buffer[2] = media ? classMedia : (byte)0x80;
        Buffer[3] = 1 << classMedia;
        Buffer[5] = (byte)(Disk is null ? 0 : 2); // no event; the disc is there
        Reply(media ? 8 : 4, Word(packet, 7));
    }

    private void ReadCd(ReadOnlySpan<byte> packet)
    {
        uint count = Long(packet, 5) & 0xff_ffff;
        switch (packet[9] & 0xf8)
        {
            case 0x00:
                EndCommand();
                break;
            case 0x10: // user data
                ReadDisc(Long(packet, 2), count);
                break;
            default:
                Fail(SenseIllegalRequest, AdditionalInvalidField);
                break;
        }
    }

    private void Seek(uint sector)
    {
        if (sector >= SectorCount)
        {
            Fail(SenseIllegalRequest, AdditionalOutOfRange);
        }
        else
        {
            EndCommand();
        }
    }

    // One data track from sector 0 and the lead-out.
    private void ReadToc(ReadOnlySpan<byte> packet)
    {
        bool minutes = (packet[1] & 2) != 0;
        int format = (packet[2] & 0xf) != 0 ? packet[2] & 0xf : packet[9] >> 6;
        int first = packet[6];
        if (format > 1 || (format == 0 && first > 1 && first != LeadOutTrack))
        {
            Fail(SenseIllegalRequest, AdditionalInvalidField);
            return;
        }

        (Buffer[2], Buffer[3]) = (1, 1);
        int end = 4;
        if (format == 1 || first <= 1)
        {
            end = TocEntry(end, 1, 0, minutes);
        }

        if (format == 0)
        {
            end = TocEntry(end, LeadOutTrack, SectorCount, minutes);
        }

        BinaryPrimitives.WriteUInt16BigEndian(Buffer, (ushort)(end - 2));
        Reply(end, Word(packet, 7));
    }

    private int TocEntry(int offset, byte track, long sector, bool minutes)
    {
        (Buffer[offset + 1], Buffer[offset + 2]) = (DataTrack, track);
        long frames = sector + LeadInFrames;
        uint address = minutes
            ? (uint)((frames / (60 * FramesPerSecond) << 16) | (frames / FramesPerSecond % 60 << 8) | (frames % FramesPerSecond))
            : (uint)sector;
        BinaryPrimitives.WriteUInt32BigEndian(Buffer.AsSpan(offset + 4), address);
        return offset + 8;
    }
}
