using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Pci;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// What the 82441FX decides of the first megabyte (Intel 290549, 3.2.14 and 3.2.18): for each of thirteen areas from C0000H on
/// whether reads and writes go to RAM or to the bus, where the ROM is; and whether RAM shows at A0000H–BFFFFH.
/// </summary>
internal sealed class PcShadow
{
    // Above the ROM's alias and video memory.
    private const int Priority = 2;

    private const ulong FirstArea = 0xC_0000;
    private const ulong SmallArea = 16 << 10;
    private const ulong SystemArea = 64 << 10;
    private const ulong SmramStart = 0xA_0000;
    private const ulong SmramSize = 128 << 10;
    private const int ReadEnable = 1;
    private const int WriteEnable = 2;
    private const byte SmramOpen = 1 << 6;

    private readonly AddressSpace _memory;
    private readonly I440FxHost _host;
    private readonly List<Area> _areas = [];
    private readonly MemoryRegion? _smram;
    private bool _smramOpen;

    /// <summary>Follows <paramref name="host"/> from now on. RAM that does not reach 1 MiB is left as it is.</summary>
    public PcShadow(AddressSpace memory, PcMemory board, I440FxHost host)
    {
        _memory = memory;
        _host = host;
        if (board.Ram.Size >= MemoryLayout.OneMiB)
        {
            _smram = MemoryRegion.OfRam("smram", board.Ram, SmramStart, SmramSize);
            for (int i = 0; i < 12; i++)
            {
                _areas.Add(new Area(board, FirstArea + ((ulong)i * SmallArea), SmallArea, I440FxHost.PamOffset + 1 + (i / 2), 4 * (i % 2)));
            }

            _areas.Add(new Area(board, MemoryLayout.BiosStart, SystemArea, I440FxHost.PamOffset, 4));
        }

        host.ConfigWritten = (offset, size) =>
        {
            if (offset <= I440FxHost.SmramOffset && offset + size > I440FxHost.PamOffset)
            {
                Update();
            }
        };
        Update();
    }

    /// <summary>All areas readable and writable RAM, as a kernel that is started without firmware expects them.</summary>
    public void OpenAll()
    {
        using (_memory.BeginChange())
        {
            for (int i = 0; i < I440FxHost.PamCount; i++)
            {
                _host.WriteConfig(I440FxHost.PamOffset + i, 0x33, 1);
            }
        }
    }

    private void Update()
    {
        using AddressSpace.Transaction change = _memory.BeginChange();
        foreach (Area area in _areas)
        {
            area.Show(_memory.Root, (_host.Config[area.Register] >> area.Shift) & (ReadEnable | WriteEnable));
        }

        bool open = (_host.Config[I440FxHost.SmramOffset] & SmramOpen) != 0;
        if (_smram is not null && open != _smramOpen)
        {
            _smramOpen = open;
            if (open)
            {
                _memory.Root.Add(SmramStart, _smram, Priority);
            }
            else
            {
                _memory.Root.Remove(_smram);
            }
        }
    }

    /// <summary>One area, with what shows there for each setting; null where that is what lies below anyway.</summary>
    private sealed class Area
    {
        private readonly ulong _start;
        private readonly MemoryRegion?[] _views = new MemoryRegion?[4];
        private MemoryRegion? _shown;

        public Area(PcMemory board, ulong start, ulong size, int register, int shift)
        {
            _start = start;
            Register = register;
            Shift = shift;
            string name = $"{start:x5}";
            var writes = new RamWrites(board.Ram, start);
            _views[ReadEnable] = MemoryRegion.OfRom($"shadow-ro-{name}", board.Ram, start, size);
            if (board.RomOffset(start) is ulong offset)
            {
                _views[WriteEnable] = MemoryRegion.OfRom($"shadow-wo-{name}", board.Rom!.Ram, offset, size, writes);
                _views[ReadEnable | WriteEnable] = MemoryRegion.OfRam($"shadow-{name}", board.Ram, start, size);
            }
            else
            {
                _views[0] = MemoryRegion.OfIo($"hole-{name}", size, new RamWrites(null, start), IoAccess.Bytes);
                _views[WriteEnable] = MemoryRegion.OfIo($"shadow-wo-{name}", size, writes, IoAccess.Bytes);
            }
        }

        public int Register { get; }

        public int Shift { get; }

        public void Show(MemoryRegion root, int setting)
        {
            MemoryRegion? view = _views[setting];
            if (view == _shown)
            {
                return;
            }

            if (_shown is not null)
            {
                root.Remove(_shown);
            }

            if (view is not null)
            {
                root.Add(_start, view, Priority);
            }

            _shown = view;
        }
    }

    // Reads find an empty bus.
    private sealed class RamWrites(GuestRam? ram, ulong start) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => ulong.MaxValue;

        public void Write(ulong offset, ulong value, int size) => ram?.WriteValue(start + offset, value, size);
    }
}
