using System.Buffers.Binary;

namespace Emu.Machine;

/// <summary>A range of guest memory.</summary>
public readonly record struct GuestRange(uint Start, uint Length);

/// <summary>The guest that runs when nothing else is named (guests/builtin/builtin.asm), and what its header says of it.</summary>
public sealed class BuiltinGuest
{
    /// <summary>RAM it is run with.</summary>
    public const ulong MemoryBytes = 16UL << 20;

    /// <summary>Port of the exit device it ends with.</summary>
    public const ushort ExitPort = 0xf4;

    /// <summary>Exit code when every check passed: (10h &lt;&lt; 1) | 1.</summary>
    public const int PassedExitCode = 33;

    private const int HeaderOffset = 4;
    private const string ResourceName = "builtin.bin";
    private static readonly byte[] Magic = "EMUGUEST"u8.ToArray();

    private BuiltinGuest(byte[] image, uint loadAddress, GuestRange result, IReadOnlyList<GuestRange> timeDependent)
    {
        Image = image;
        LoadAddress = loadAddress;
        Result = result;
        TimeDependent = timeDependent;
    }

    /// <summary>The image; it starts in real mode at its first byte, as <see cref="FlatLoadSpec"/> says.</summary>
    public ReadOnlyMemory<byte> Image { get; }

    /// <summary>Where the image goes.</summary>
    public uint LoadAddress { get; }

    /// <summary>The block of results in RAM: magic 'EMUR', checks passed, timer interrupts, CRC-32, status 1 passed or 2 failed, number of the failed check.</summary>
    public GuestRange Result { get; }

    /// <summary>RAM that may differ from run to run.</summary>
    public IReadOnlyList<GuestRange> TimeDependent { get; }

    /// <summary>Loads the guest that is part of this assembly.</summary>
    public static BuiltinGuest Load()
    {
        using Stream stream = typeof(BuiltinGuest).Assembly.GetManifestResourceStream(ResourceName)
            ?? throw new InvalidOperationException($"The resource {ResourceName} is missing.");
        byte[] image = new byte[stream.Length];
        stream.ReadExactly(image);
        return Parse(image);
    }

    /// <summary>Reads the header of <paramref name="image"/>.</summary>
    /// <exception cref="InvalidDataException">There is no such header.</exception>
    public static BuiltinGuest Parse(byte[] image)
    {
        ArgumentNullException.ThrowIfNull(image);
        int fields = HeaderOffset + Magic.Length;
        if (image.Length < fields + 16 || !image.AsSpan(HeaderOffset, Magic.Length).SequenceEqual(Magic))
        {
            throw new InvalidDataException("The image has no guest header.");
        }

        uint Field(int index) => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(fields + (index * 4)));
        int count = checked((int)Field(3));
        if (count > (image.Length - fields - 16) / 8)
        {
            throw new InvalidDataException("The guest header names more ranges than the image has.");
        }

        GuestRange[] ranges = [.. Enumerable.Range(0, count).Select(i => new GuestRange(Field(4 + (2 * i)), Field(5 + (2 * i))))];
        return new BuiltinGuest(image, Field(0), new GuestRange(Field(1), Field(2)), ranges);
    }
}
