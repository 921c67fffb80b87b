using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>Tables of 64-bit entries, big-endian in the file, native in memory.</summary>
internal static class TableFile
{
    /// <summary>Reads <paramref name="count"/> entries at <paramref name="offset"/>.</summary>
    public static BlockResult Read(IHostFile file, long offset, int count, out ulong[] table)
    {
        table = new ulong[count];
        BlockResult result = file.Read(offset, MemoryMarshal.AsBytes(table.AsSpan()));
        Swap(table);
        return result;
    }

    /// <summary>Reads a table that must be there.</summary>
    /// <exception cref="BlockException">The file cannot be read.</exception>
    public static ulong[] Load(IHostFile file, long offset, int count, string what)
    {
        BlockResult result = Read(file, offset, count, out ulong[] table);
        return result == BlockResult.Ok ? table : throw new BlockException($"{file.Name}: the {what} cannot be read: {HostErrors.InWords(result)}");
    }

    /// <summary>The bytes of <paramref name="entries"/> as they are in the file.</summary>
    public static byte[] ToBytes(ReadOnlySpan<ulong> entries)
    {
        byte[] bytes = new byte[entries.Length * Qcow2Geometry.EntrySize];
        Span<ulong> target = MemoryMarshal.Cast<byte, ulong>(bytes.AsSpan());
        entries.CopyTo(target);
        Swap(target);
        return bytes;
    }

    private static void Swap(Span<ulong> entries)
    {
        if (BitConverter.IsLittleEndian)
        {
            BinaryPrimitives.ReverseEndianness(entries, entries);
        }
    }
}
