using System.Buffers.Binary;

namespace Emu.Machine.Loaders;

/// <summary>
/// A guest image under hostile reading: every access is checked against the file's length, in 64-bit arithmetic that
/// cannot wrap, and fails with a <see cref="LoaderException"/> naming the file.
/// </summary>
internal sealed class ImageBytes(string name, ReadOnlyMemory<byte> bytes)
{
    public string Name { get; } = name;

    public ulong Length => (ulong)bytes.Length;

    public bool Has(ulong offset, ulong size) => offset <= Length && size <= Length - offset;

    public byte U8(ulong offset, string what) => Slice(offset, 1, what).Span[0];

    public ushort U16(ulong offset, string what) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2, what).Span);

    public uint U32(ulong offset, string what) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4, what).Span);

    public ulong U64(ulong offset, string what) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8, what).Span);

    public ReadOnlyMemory<byte> Slice(ulong offset, ulong size, string what) => Has(offset, size)
        ? bytes.Slice((int)offset, (int)size)
        : throw Error($"truncated: {what} at 0x{offset:x} (0x{size:x} bytes) reaches past the end of the file (0x{Length:x} bytes)");

    public ReadOnlyMemory<byte> From(ulong offset, string what) => Slice(offset, Length - Math.Min(offset, Length), what);

    public LoaderException Error(string reason) => new($"{Name}: {reason}");
}
