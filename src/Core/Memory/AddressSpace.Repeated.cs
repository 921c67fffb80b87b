using System.Buffers.Binary;

namespace Emu.Core.Memory;

/// <content>One register many times: string port I/O.</content>
public sealed partial class AddressSpace
{
    /// <summary>
    /// Reads <paramref name="address"/> once for each element of <paramref name="size"/> bytes (1, 2 or 4) that <paramref name="data"/> has room for,
    /// and returns how many were read: at least one, and no more once <paramref name="stop"/> is not zero or the map has changed.
    /// </summary>
    public int ReadRepeated(ulong address, Span<byte> data, int size, ref readonly int stop)
    {
        if (FindRegisters(address, size) is not FlatRange range)
        {
            Store(data, Read(address, size), size);
            return 1;
        }

        FlatView view = View;
        MemoryRegion region = range.Region;
        ulong offset = range.RegionOffset + (address - range.Start);
        int total = data.Length / size;
        int done = 0;
        using (_lock.Enter())
        {
            do
            {
                int elements = Takes(region, size) ? region.Handler!.ReadBlock(offset, data[(done * size)..], size) : 0;
                if (elements == 0)
                {
                    Store(data[(done * size)..], ReadIo(region, offset, size), size);
                    elements = 1;
                }

                done += elements;
            }
            while (done < total && Volatile.Read(in stop) == 0 && ReferenceEquals(view, View));
        }

        return done;
    }

    /// <summary>Writes <paramref name="address"/> with each element in turn, as <see cref="ReadRepeated"/> reads.</summary>
    public int WriteRepeated(ulong address, ReadOnlySpan<byte> data, int size, ref readonly int stop)
    {
        if (FindRegisters(address, size) is not FlatRange range)
        {
            Write(address, Load(data, size), size);
            return 1;
        }

        FlatView view = View;
        MemoryRegion region = range.Region;
        ulong offset = range.RegionOffset + (address - range.Start);
        int total = data.Length / size;
        int done = 0;
        using (_lock.Enter())
        {
            do
            {
                ReadOnlySpan<byte> rest = data[(done * size)..];
                int elements = Takes(region, size) && region.Doorbells.Count == 0 ? region.Handler!.WriteBlock(offset, rest, size) : 0;
                if (elements == 0)
                {
                    WriteIo(region, offset, Load(rest, size), size);
                    elements = 1;
                }

                done += elements;
            }
            while (done < total && Volatile.Read(in stop) == 0 && ReferenceEquals(view, View));
        }

        return done;
    }

    // The registers that take a whole element, or null.
    private FlatRange? FindRegisters(ulong address, int size) =>
        View.TryFind(address, out FlatRange? range) && !range.IsMemory && range.Last - address >= (ulong)size - 1 ? range : null;

    private static bool Takes(MemoryRegion region, int size) => size >= region.Access.Min && size <= region.Access.Max;

    private static ulong Load(ReadOnlySpan<byte> data, int size) => size switch
    {
        1 => data[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(data),
        _ => BinaryPrimitives.ReadUInt32LittleEndian(data),
    };

    private static void Store(Span<byte> data, ulong value, int size)
    {
        switch (size)
        {
            case 1:
                data[0] = (byte)value;
                break;
            case 2:
                BinaryPrimitives.WriteUInt16LittleEndian(data, (ushort)value);
                break;
            default:
                BinaryPrimitives.WriteUInt32LittleEndian(data, (uint)value);
                break;
        }
    }
}
