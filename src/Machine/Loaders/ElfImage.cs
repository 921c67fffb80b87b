using System.Text;

namespace Emu.Machine.Loaders;

/// <summary>One PT_LOAD segment of an ELF image, its file bytes already checked.</summary>
internal readonly record struct ElfSegment(ulong Physical, ulong Virtual, ReadOnlyMemory<byte> Bytes, ulong MemorySize);

/// <summary>What the loaders need of an x86 ELF executable (System V ABI, ch. 4 and 5), 32- or 64-bit.</summary>
internal sealed class ElfImage
{
    private const uint Magic = 0x464C_457F;
    private const int IdentClass = 4;
    private const int IdentData = 5;
    private const byte Class32 = 1;
    private const byte Class64 = 2;
    private const byte LittleEndian = 1;
    private const ulong OffsetType = 16;
    private const ulong OffsetMachine = 18;
    private const ulong OffsetEntry = 24;
    private const ushort TypeExecutable = 2;
    private const ushort TypeShared = 3;
    private const ushort Machine386 = 3;
    private const ushort MachineX86_64 = 62;
    private const uint SegmentLoad = 1;
    private const uint SegmentNote = 4;

    // Kernels have a handful; checking each segment against all others must stay cheap.
    private const int MostSegments = 256;

    // Xen's note for the 32-bit physical entry point of a PVH guest.
    private const uint NotePhys32Entry = 18;
    private const string NoteOwner = "Xen";

    private readonly ImageBytes _image;
    private readonly List<ElfSegment> _segments = [];

    private ElfImage(ImageBytes image) => _image = image;

    /// <summary>True for a 64-bit image.</summary>
    public bool Is64Bit { get; private init; }

    /// <summary>Entry point, as the header gives it.</summary>
    public ulong Entry { get; private init; }

    /// <summary>Physical entry point of the PVH note, or null.</summary>
    public ulong? PvhEntry { get; private set; }

    public static bool Matches(ReadOnlyMemory<byte> image)
    {
        var bytes = new ImageBytes("", image);
        return bytes.Has(0, 4) && bytes.U32(0, "") == Magic;
    }

    /// <summary>Parses and checks all headers.</summary>
    public static ElfImage Parse(string name, ReadOnlyMemory<byte> bytes)
    {
        var image = new ImageBytes(name, bytes);
        byte elfClass = image.U8(IdentClass, "ELF identification");
        ushort machine = image.U16(OffsetMachine, "ELF header");
        if (image.U8(IdentData, "ELF identification") != LittleEndian || elfClass is not (Class32 or Class64)
            || machine is not (Machine386 or MachineX86_64))
        {
            throw image.Error($"wrong architecture: an ELF image for machine {machine}, not x86");
        }

        if (image.U16(OffsetType, "ELF header") is not (TypeExecutable or TypeShared))
        {
            throw image.Error("an ELF file, but not an executable");
        }

        bool is64Bit = elfClass == Class64;
        var elf = new ElfImage(image)
        {
            Is64Bit = is64Bit,
            Entry = is64Bit ? image.U64(OffsetEntry, "ELF header") : image.U32(OffsetEntry, "ELF header"),
        };
        elf.ReadProgramHeaders();
        return elf;
    }

    /// <summary>Puts every segment where its physical address says.</summary>
    public void PlaceIn(LoadMap map)
    {
        if (_segments.Count == 0)
        {
            throw _image.Error("the ELF image has nothing to load");
        }

        foreach (ElfSegment segment in _segments)
        {
            map.Place(segment.Physical, segment.Bytes, "a segment", segment.MemorySize - (ulong)segment.Bytes.Length);
        }
    }

    /// <summary>The physical address of a virtual one, where a segment holds it; else the address itself.</summary>
    public ulong ToPhysical(ulong address)
    {
        foreach (ElfSegment segment in _segments)
        {
            if (address >= segment.Virtual && address - segment.Virtual < segment.MemorySize)
            {
                return segment.Physical + (address - segment.Virtual);
            }
        }

        return address;
    }

    /// <summary>An entry point below 4 GiB inside a segment, checked.</summary>
    public uint CheckEntry(ulong physical) =>
        physical <= uint.MaxValue && _segments.Any(segment => physical >= segment.Physical && physical - segment.Physical < segment.MemorySize)
            ? (uint)physical
            : throw _image.Error($"the entry point 0x{physical:x} lies outside the loaded image");

    private void ReadProgramHeaders()
    {
        const string what = "ELF program headers";
        ulong table = Is64Bit ? _image.U64(32, what) : _image.U32(28, what);
        ushort size = _image.U16(Is64Bit ? 54u : 42u, what);
        ushort count = _image.U16(Is64Bit ? 56u : 44u, what);
        if (count > MostSegments || (count > 0 && size < (Is64Bit ? 56 : 32)))
        {
            throw _image.Error($"bad ELF header: {count} program headers of {size} bytes");
        }

        ReadOnlyMemory<byte> headers = _image.Slice(table, (ulong)count * size, what);
        for (int i = 0; i < count; i++)
        {
            ReadSegment(new ImageBytes(_image.Name, headers.Slice(i * size, size)));
        }
    }

    private void ReadSegment(ImageBytes header)
    {
        uint type = header.U32(0, "type");
        if (type is not (SegmentLoad or SegmentNote))
        {
            return;
        }

        ulong offset = Field(header, 4, 8);
        ulong virtualAddress = Field(header, 8, 16);
        ulong physical = Field(header, 12, 24);
        ulong fileSize = Field(header, 16, 32);
        ulong memorySize = Field(header, 20, 40);
        if (type == SegmentNote)
        {
            ReadNotes(new ImageBytes(_image.Name, _image.Slice(offset, fileSize, "ELF notes")));
        }
        else if (fileSize > memorySize)
        {
            throw _image.Error($"bad ELF header: segment at 0x{physical:x} is larger in the file than in memory");
        }
        else if (memorySize > 0)
        {
            _segments.Add(new ElfSegment(physical, virtualAddress, _image.Slice(offset, fileSize, "ELF segment"), memorySize));
        }
    }

    private ulong Field(ImageBytes header, ulong offset32, ulong offset64) =>
        Is64Bit ? header.U64(offset64, "program header") : header.U32(offset32, "program header");

    private void ReadNotes(ImageBytes notes)
    {
        const ulong headerSize = 12;
        ulong at = 0;
        while (notes.Has(at, headerSize))
        {
            uint nameSize = notes.U32(at, "note");
            uint descriptorSize = notes.U32(at + 4, "note");
            uint type = notes.U32(at + 8, "note");
            ulong descriptor = at + headerSize + AlignUp(nameSize);
            if (type == NotePhys32Entry && descriptorSize is (4 or 8) && nameSize == NoteOwner.Length + 1
                && notes.Slice(at + headerSize, (ulong)NoteOwner.Length, "note").Span.SequenceEqual(Encoding.ASCII.GetBytes(NoteOwner)))
            {
                PvhEntry = descriptorSize == 8 ? notes.U64(descriptor, "PVH note") : notes.U32(descriptor, "PVH note");
            }

            at = descriptor + AlignUp(descriptorSize);
        }
    }

    private static ulong AlignUp(uint size) => ((ulong)size + 3) & ~3UL;
}
