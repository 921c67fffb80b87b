using System.Buffers.Binary;
using System.Text;

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

    /// <summary>Exit code when a check failed: (11h &lt;&lt; 1) | 1.</summary>
    public const int FailedExitCode = 35;

    private const int HeaderOffset = 4;
    private const uint FailedCheckOffset = 20;
    private const string ResourceName = "builtin.bin";
    private static readonly byte[] Magic = "EMUGUEST"u8.ToArray();

    private readonly int _skipOffset;

    private BuiltinGuest(byte[] image, uint loadAddress, GuestRange result, IReadOnlyList<GuestRange> timeDependent, int skipOffset)
    {
        Image = image;
        LoadAddress = loadAddress;
        Result = result;
        TimeDependent = timeDependent;
        _skipOffset = skipOffset;
    }

    /// <summary>The image; it starts in real mode at its first byte, as <see cref="FlatLoadSpec"/> says.</summary>
    public ReadOnlyMemory<byte> Image { get; }

    /// <summary>Where the image goes.</summary>
    public uint LoadAddress { get; }

    /// <summary>The block of results in RAM: magic 'EMUR', checks passed, timer interrupts, CRC-32, status 1 passed or 2 failed, number of the failed check.</summary>
    public GuestRange Result { get; }

    /// <summary>Where in RAM the guest leaves the number of the check that failed.</summary>
    public uint FailedCheckAddress => Result.Start + FailedCheckOffset;

    /// <summary>RAM that may differ from run to run.</summary>
    public IReadOnlyList<GuestRange> TimeDependent { get; }

    /// <summary>Where in RAM the guest keeps the number of the part in progress, 0 between parts.</summary>
    public uint CurrentPartAddress { get; private init; }

    /// <summary>Names of the parts that can be left out; part n is at index n - 1.</summary>
    public IReadOnlyList<string> Parts { get; private init; } = [];

    /// <summary>The same guest, which leaves out the parts whose bit is set in <paramref name="mask"/> (bit n for part n).</summary>
    public BuiltinGuest Without(uint mask)
    {
        byte[] image = Image.ToArray();
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(_skipOffset), mask);
        return new BuiltinGuest(image, LoadAddress, Result, TimeDependent, _skipOffset) { CurrentPartAddress = CurrentPartAddress, Parts = Parts };
    }

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
        if (image.Length < fields + 28 || !image.AsSpan(HeaderOffset, Magic.Length).SequenceEqual(Magic))
        {
            throw new InvalidDataException("The image has no guest header.");
        }

        uint Field(int index) => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(fields + (index * 4)));
        int count = checked((int)Field(3));
        if (count > (image.Length - fields - 28) / 8)
        {
            throw new InvalidDataException("The guest header names more ranges than the image has.");
        }

        GuestRange[] ranges = [.. Enumerable.Range(0, count).Select(i => new GuestRange(Field(4 + (2 * i)), Field(5 + (2 * i))))];
        int parts = 4 + (2 * count);
        int skipOffset = fields + ((parts + 1) * 4);
        return new BuiltinGuest(image, Field(0), new GuestRange(Field(1), Field(2)), ranges, skipOffset)
        {
            CurrentPartAddress = Field(parts),
            Parts = ReadNames(image.AsSpan(skipOffset + 8), Field(parts + 2)),
        };
    }

    private static List<string> ReadNames(ReadOnlySpan<byte> bytes, uint count)
    {
        var names = new List<string>();
        for (uint i = 0; i < count && i < 32; i++)
        {
            int end = bytes.IndexOf((byte)0);
            if (end < 0)
            {
                throw new InvalidDataException("The guest header names fewer parts than it counts.");
            }

            names.Add(Encoding.ASCII.GetString(bytes[..end]));
            bytes = bytes[(end + 1)..];
        }

        return names;
    }
}
