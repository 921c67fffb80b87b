using System.Buffers.Binary;
using System.Text;
using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Legacy;

/// <summary>Saved state of a <see cref="FwCfg"/>. The read-only items are configuration, rebuilt by the board.</summary>
public sealed record FwCfgState : DeviceState
{
    /// <summary>Selected key.</summary>
    public ushort Key { get; init; }

    /// <summary>Offset of the next byte in the selected item.</summary>
    public uint Offset { get; init; }

    /// <summary>High half of the DMA address, as written.</summary>
    public uint DmaAddressHigh { get; init; }

    /// <summary>Bytes of the items that the guest may write, by key.</summary>
    public SortedDictionary<ushort, byte[]> Writable { get; init; } = [];
}

/// <summary>
/// QEMU's firmware configuration device as its specification (docs/specs/fw_cfg) describes it: a selector at port 510H, a data
/// port at 511H, and a DMA address register at 514H. Items have 16-bit keys; named files have keys from 20H on and a directory.
/// DMA reaches RAM and ROM only, never device registers, and never more than the guest's own memory.
/// </summary>
public sealed partial class FwCfg : Device, IIoHandler
{
    /// <summary>Port at which guests look for <see cref="Registers"/>.</summary>
    public const ushort DefaultPort = 0x510;

    /// <summary>Longest file name in bytes, without the final NUL.</summary>
    public const int MaxNameLength = 55;

    private const ulong SelectorOffset = 0;
    private const ulong DataOffset = 1;
    private const ulong DmaHighOffset = 4;
    private const ulong DmaLowOffset = 8;
    private const ulong RegisterBytes = 12;

    // Keys keep bit 15 (architecture-specific) and 13:0; bit 14 was the write channel (specification, "Selector Register").
    private const ushort KeyMask = 0xbfff;
    private const ushort LastFile = 0x3fff;
    private const ushort WriteChannel = 0x4000;
    private const uint IdTraditionalAndDma = 3;
    private const int DirectoryEntrySize = 64;

    private readonly AddressSpace _memory;
    private readonly Dictionary<ushort, FwCfgItem> _items = [];
    private readonly List<FwCfgFile> _files = [];

    private ushort _key;
    private uint _offset;
    private uint _dmaAddressHigh;

    /// <summary>Creates the device; <paramref name="memory"/> is the guest-physical space that DMA uses.</summary>
    public FwCfg(string name, AddressSpace memory)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(memory);
        _memory = memory;
        Registers = MemoryRegion.OfIo(name, RegisterBytes, this, IoAccess.UpToDword);
        AddBytes(FwCfgKeys.Signature, "QEMU"u8.ToArray());
        AddInt32(FwCfgKeys.Id, IdTraditionalAndDma);
        RebuildDirectory();
    }

    /// <summary>Twelve ports: selector, data, and from offset 4 the DMA address.</summary>
    public MemoryRegion Registers { get; }

    /// <summary>The named files in the order of their keys.</summary>
    public IReadOnlyList<FwCfgFile> Files => _files;

    /// <summary>Adds or replaces the item <paramref name="key"/>.</summary>
    public void AddBytes(ushort key, byte[] data)
    {
        ArgumentNullException.ThrowIfNull(data);
        _items[(ushort)(key & KeyMask)] = new FwCfgItem(data);
    }

    /// <summary>Adds a 16-bit little-endian item.</summary>
    public void AddInt16(ushort key, ushort value) => AddInteger(key, value, sizeof(ushort));

    /// <summary>Adds a 32-bit little-endian item.</summary>
    public void AddInt32(ushort key, uint value) => AddInteger(key, value, sizeof(uint));

    /// <summary>Adds a 64-bit little-endian item.</summary>
    public void AddInt64(ushort key, ulong value) => AddInteger(key, value, sizeof(ulong));

    /// <summary>Adds a NUL-terminated string item.</summary>
    public void AddString(ushort key, string value) => AddBytes(key, [.. Encoding.UTF8.GetBytes(value), 0]);

    /// <summary>Adds a named file, or replaces the content of one that exists, and returns its key.</summary>
    /// <param name="name">Path of ASCII characters, at most 55.</param>
    /// <param name="data">Content; of a writable file the guest changes this very array.</param>
    /// <param name="selected">Called when the guest selects the file.</param>
    /// <param name="written">Called after the guest wrote, with offset and length; null makes the file read-only.</param>
    public ushort AddFile(string name, byte[] data, Action? selected = null, Action<int, int>? written = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(data);
        if (name.Length > MaxNameLength || !Ascii.IsValid(name))
        {
            throw new ArgumentException($"fw_cfg file name '{name}' is not at most {MaxNameLength} ASCII characters.", nameof(name));
        }

        int index = _files.FindIndex(file => file.Name == name);
        int key = FwCfgKeys.FirstFile + (index < 0 ? _files.Count : index);
        if (key > LastFile)
        {
            throw new InvalidOperationException($"{Name}: too many files.");
        }

        var entry = new FwCfgFile(name, (ushort)key, data.Length);
        if (index < 0)
        {
            _files.Add(entry);
        }
        else
        {
            _files[index] = entry;
        }

        _items[(ushort)key] = new FwCfgItem(data, selected, written);
        RebuildDirectory();
        return (ushort)key;
    }

    /// <inheritdoc/>
    public override void Reset()
    {
        _key = 0;
        _offset = 0;
        _dmaAddressHigh = 0;
    }

    /// <inheritdoc/>
    public override DeviceState Save() => new FwCfgState
    {
        Key = _key,
        Offset = _offset,
        DmaAddressHigh = _dmaAddressHigh,
        Writable = new SortedDictionary<ushort, byte[]>(
            _items.Where(item => item.Value.Written is not null).ToDictionary(item => item.Key, item => (byte[])[.. item.Value.Data])),
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        FwCfgState s = this.Expect<FwCfgState>(state);
        this.Require((s.Key & ~KeyMask) == 0);
        this.Require(s.Writable is not null);
        this.Require(s.Writable.All(item =>
            _items.TryGetValue(item.Key, out FwCfgItem? mine) && mine.Written is not null && item.Value?.Length == mine.Data.Length));
        foreach ((ushort key, byte[] data) in s.Writable)
        {
            data.CopyTo(_items[key].Data, 0);
        }

        _key = s.Key;
        _offset = s.Offset;
        _dmaAddressHigh = s.DmaAddressHigh;
    }

    /// <inheritdoc/>
    public ulong Read(ulong offset, int size)
    {
        if (offset >= DmaHighOffset)
        {
            return ReadDmaSignature((int)(offset - DmaHighOffset), size);
        }

        return offset <= DataOffset && size == 1 ? ReadByte() : 0UL;
    }

    /// <inheritdoc/>
    public int ReadBlock(ulong offset, Span<byte> data, int size)
    {
        ReadOnlySpan<byte> rest = offset == DataOffset && size == 1 ? Remaining() : [];
        rest = rest[..Math.Min(rest.Length, data.Length)];
        rest.CopyTo(data);
        _offset += (uint)rest.Length;
        return rest.Length;
    }

    /// <inheritdoc/>
    public void Write(ulong offset, ulong value, int size)
    {
        switch (offset)
        {
            case SelectorOffset when size == 2:
                Select((ushort)value);
                break;
            case DmaHighOffset when size == 4:
                _dmaAddressHigh = BinaryPrimitives.ReverseEndianness((uint)value);
                break;
            case DmaLowOffset when size == 4:
                ulong descriptor = ((ulong)_dmaAddressHigh << 32) | BinaryPrimitives.ReverseEndianness((uint)value);
                _dmaAddressHigh = 0;
                RunDma(descriptor);
                break;
            default:
                break; // data writes are no longer possible (specification, "Data Register")
        }
    }

    private void AddInteger(ushort key, ulong value, int size)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        AddBytes(key, bytes[..size]);
    }

    private void Select(ushort key)
    {
        _offset = 0;
        _key = (ushort)(key & KeyMask);
        if ((key & WriteChannel) == 0 && _items.TryGetValue(_key, out FwCfgItem? item))
        {
            item.Selected?.Invoke();
        }
    }

    private byte ReadByte()
    {
        ReadOnlySpan<byte> rest = Remaining();
        if (rest.IsEmpty)
        {
            return 0;
        }

        _offset++;
        return rest[0];
    }

    /// <summary>What is left of the selected item; empty when there is no such item.</summary>
    private Span<byte> Remaining() =>
        _items.TryGetValue(_key, out FwCfgItem? item) && _offset < (uint)item.Data.Length ? item.Data.AsSpan((int)_offset) : [];

    // Big-endian count, then per file: size, key, two reserved bytes and the name (specification, "File Directory").
    private void RebuildDirectory()
    {
        byte[] directory = new byte[sizeof(uint) + (_files.Count * DirectoryEntrySize)];
        BinaryPrimitives.WriteInt32BigEndian(directory, _files.Count);
        for (int i = 0; i < _files.Count; i++)
        {
            Span<byte> entry = directory.AsSpan(sizeof(uint) + (i * DirectoryEntrySize), DirectoryEntrySize);
            BinaryPrimitives.WriteInt32BigEndian(entry, _files[i].Size);
            BinaryPrimitives.WriteUInt16BigEndian(entry[4..], _files[i].Key);
            Encoding.ASCII.GetBytes(_files[i].Name, entry[8..]);
        }

        _items[FwCfgKeys.FileDirectory] = new FwCfgItem(directory);
    }
}
