using System.Buffers.Binary;
using Emu.Core.Block;
using Emu.Devices.Dma;

namespace Emu.Devices.Virtio;

/// <summary>One request of a virtio block device (virtio 1.2, 5.2.6) against its disk. One object serves one queue.</summary>
internal sealed class BlkRequest(IBlockBackend disk, ReadOnlyMemory<byte> id)
{
    /// <summary>Bytes of the device id string.</summary>
    public const int IdSize = 20;

    // Nothing that a driver sends comes near; a hostile one must not keep a worker busy for hours with one buffer.
    private const long LargestTransfer = 64 << 20;

    private const int DirectSize = 64 << 10;
    private const int BufferSize = 1 << 20;

    private const int HeaderSize = 16;
    private const int RangeSize = 16;
    private const int LargestRangeCount = 16;
    private const int SectorSize = 512;
    private const int SectorShift = 9;

    // Types (5.2.6).
    private const uint TypeRead = 0;
    private const uint TypeWrite = 1;
    private const uint TypeFlush = 4;
    private const uint TypeGetId = 8;
    private const uint TypeDiscard = 11;
    private const uint TypeWriteZeroes = 13;

    // Status.
    private const byte StatusOk = 0;
    private const byte StatusIoError = 1;
    private const byte StatusUnsupported = 2;

    private const uint RangeMayUnmap = 1;

    private readonly byte[] _ranges = new byte[RangeSize * LargestRangeCount];
    private readonly byte[] _status = new byte[1];
    private byte[]? _buffer;

    /// <summary>Runs the request in <paramref name="chain"/>; the bytes written to it, or null when it has no room for header and status.</summary>
    /// <param name="chain">Header and data to write, then data to read and one byte of status.</param>
    /// <param name="writeThrough">True when writes must be on the host's storage before they complete.</param>
    public uint? Run(VirtioChain chain, bool writeThrough)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        if (chain.Read(0, header) < HeaderSize || chain.WritableLength < 1)
        {
            return null;
        }

        uint type = BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        long readLength = chain.WritableLength - 1;
        byte status = type switch
        {
            TypeRead => Transfer(chain, sector, readLength, isRead: true),
            TypeWrite => Transfer(chain, sector, chain.ReadableLength - HeaderSize, isRead: false),
            TypeFlush => StatusOf(disk.Flush()),
            TypeGetId => GetId(chain, readLength),
            TypeDiscard or TypeWriteZeroes => RunRanges(chain, type),
            _ => StatusUnsupported,
        };
        if (writeThrough && status == StatusOk && type is TypeWrite or TypeWriteZeroes)
        {
            status = StatusOf(disk.Flush());
        }

        _status[0] = status;
        chain.Write(readLength, _status);
        return (uint)Math.Min(type is TypeRead or TypeGetId ? chain.WritableLength : 1, uint.MaxValue);
    }

    private static byte StatusOf(BlockResult result) => result == BlockResult.Ok ? StatusOk : StatusIoError;

    private byte Transfer(VirtioChain chain, ulong sector, long length, bool isRead)
    {
        if (length < 0 || length % SectorSize != 0 || length > LargestTransfer || !IsInside(sector, length))
        {
            return StatusIoError;
        }

        long offset = (long)sector << SectorShift;
        for (long done = 0; done < length;)
        {
            int part = isRead ? ReadSome(chain, offset, done, length) : WriteSome(chain, offset, done, length);
            if (part < 0)
            {
                return StatusIoError;
            }

            done += part;
        }

        return StatusOk;
    }

    // One call of the disk moves as much as it can: a large piece of guest RAM as it is, many small ones through a buffer, because a
    // call costs more than the copy. Both return how much, or -1.
    private int ReadSome(VirtioChain chain, long offset, long done, long length)
    {
        GuestSegment first = VirtioChain.Slice(chain.Writable, done, length - done).First();
        if (first.Length >= DirectSize || first.Length == length - done)
        {
            BlockResult direct = disk.Read(offset + done, first.Bytes);
            first.NoteWrite(first.Length);
            return direct == BlockResult.Ok ? first.Length : -1;
        }

        Span<byte> buffer = Buffer(length - done);
        return disk.Read(offset + done, buffer) == BlockResult.Ok ? chain.Write(done, buffer) : -1;
    }

    private int WriteSome(VirtioChain chain, long offset, long done, long length)
    {
        GuestSegment first = VirtioChain.Slice(chain.Readable, HeaderSize + done, length - done).First();
        if (first.Length >= DirectSize || first.Length == length - done)
        {
            return disk.Write(offset + done, first.Bytes) == BlockResult.Ok ? first.Length : -1;
        }

        Span<byte> buffer = Buffer(length - done);
        return disk.Write(offset + done, buffer[..chain.Read(HeaderSize + done, buffer)]) == BlockResult.Ok ? buffer.Length : -1;
    }

    private Span<byte> Buffer(long length) => (_buffer ??= new byte[BufferSize]).AsSpan(0, (int)Math.Min(length, BufferSize));

    private byte GetId(VirtioChain chain, long room)
    {
        chain.Write(0, id.Span[..(int)Math.Min(room, IdSize)]);
        return StatusOk;
    }

    private byte RunRanges(VirtioChain chain, uint type)
    {
        long length = chain.ReadableLength - HeaderSize;
        if (length < RangeSize || length % RangeSize != 0 || length > _ranges.Length)
        {
            return StatusIoError;
        }

        chain.Read(HeaderSize, _ranges.AsSpan(0, (int)length));
        byte status = StatusOk;
        for (int at = 0; at < length && status == StatusOk; at += RangeSize)
        {
            status = RunRange(_ranges.AsSpan(at, RangeSize), type);
        }

        return status;
    }

    private byte RunRange(ReadOnlySpan<byte> range, uint type)
    {
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(range);
        long length = (long)BinaryPrimitives.ReadUInt32LittleEndian(range[8..]) << SectorShift;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(range[12..]);
        bool isDiscard = type == TypeDiscard;
        if ((flags & ~(isDiscard ? 0 : RangeMayUnmap)) != 0)
        {
            return StatusUnsupported;
        }

        if (!IsInside(sector, length))
        {
            return StatusIoError;
        }

        long offset = (long)sector << SectorShift;
        return StatusOf(isDiscard ? disk.Discard(offset, length) : disk.WriteZeroes(offset, length, flags != 0));
    }

    private bool IsInside(ulong sector, long length)
    {
        ulong sectors = (ulong)disk.Length >> SectorShift;
        return sector <= sectors && (ulong)(length >> SectorShift) <= sectors - sector;
    }
}
