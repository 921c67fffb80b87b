using System.Buffers.Binary;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Changing the size of the disk. Nobody else uses the image meanwhile.</summary>
internal sealed partial class Qcow2Image
{
    private const int SizeFieldOffset = 24;
    private const int SizeFields = 24;

    /// <summary>Makes the disk longer or shorter; what is added reads as zero.</summary>
    /// <exception cref="BlockException">The image does not allow it.</exception>
    public BlockResult Resize(long length)
    {
        length = Ranges.RoundUp(length, Ranges.Sector);
        long old = Length;
        if (Snapshots.Count > 0 && (Header.Version < 3 || length < old))
        {
            throw new BlockException($"{_file.Name}: an image with internal snapshots cannot be made shorter, nor one of version 2 longer");
        }

        if (length < old && Header.Version < 3 && _backing is not null)
        {
            throw new BlockException($"{_file.Name}: an image of version 2 with a backing file cannot be made shorter");
        }

        if (_geometry.L1EntriesFor(length) * Qcow2Geometry.EntrySize > Qcow2Header.MaxL1Bytes)
        {
            throw new BlockException($"{_file.Name}: {length} bytes are too many for clusters of {_geometry.ClusterSize} bytes");
        }

        BlockResult result = length < old ? ForgetBehind(length) : BlockResult.Ok;
        lock (_tables.Lock)
        {
            result = result == BlockResult.Ok ? WriteSize(length) : result;
        }

        // The part of the backing image that is longer than this one was never to be seen.
        if (result == BlockResult.Ok && length > old && _backing is not null && _backing.Length > old)
        {
            result = WriteZeroes(old, Math.Min(length, _backing.Length) - old, mayUnmap: true);
        }

        return result;
    }

    private BlockResult ForgetBehind(long length)
    {
        // Zeroes, so that nothing comes back when the disk is made longer again; the incomplete cluster at the new end as data.
        BlockResult result = WriteZeroes(length, Length - length, mayUnmap: true);
        return result == BlockResult.Ok ? Flush() : result;
    }

    // Size, number of L1 entries and place of the L1 table are neighbours in the header: one write changes them together.
    private BlockResult WriteSize(long length)
    {
        long needed = _geometry.L1EntriesFor(length);
        ulong[] table = _tables.L1;
        long offset = _tables.L1Offset;
        BlockResult result = _tables.PrepareAllocation();
        if (needed > table.Length && result == BlockResult.Ok)
        {
            result = _tables.Refcounts.AllocateTable(_geometry.Clusters(needed * Qcow2Geometry.EntrySize), out offset);
            Array.Resize(ref table, (int)needed);
            result = result == BlockResult.Ok ? _file.Write(offset, TableFile.ToBytes(table)) : result;
        }

        result = result == BlockResult.Ok ? _tables.Commit() : result;
        if (result != BlockResult.Ok)
        {
            return result;
        }

        Span<byte> fields = stackalloc byte[SizeFields];
        BinaryPrimitives.WriteInt64BigEndian(fields, length);
        BinaryPrimitives.WriteInt32BigEndian(fields[12..], table.Length);
        BinaryPrimitives.WriteInt64BigEndian(fields[16..], offset);
        result = _file.Write(SizeFieldOffset, fields);
        result = result == BlockResult.Ok ? _file.Flush() : result;
        if (result == BlockResult.Ok)
        {
            Length = length;
            if (offset != _tables.L1Offset)
            {
                _tables.SwitchL1(table, offset);
            }
        }

        return result;
    }
}
