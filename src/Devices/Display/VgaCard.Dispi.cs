using Emu.Core;

namespace Emu.Devices.Display;

/// <content>Bochs' display interface, by ports and in BAR 2.</content>
public sealed partial class VgaCard
{
    private const int VgaRegistersOffset = 0x400;
    private const int DispiOffset = 0x500;
    private const int ExtensionOffset = 0x600;
    private const uint ExtensionBytes = 8;
    private const uint LittleEndian = 0x1e1e1e1e;

    private ushort ReadDispi(int index)
    {
        bool limits = (_r.Dispi[VbeDispi.Enable] & VbeDispi.GetCapabilities) != 0;
        return index switch
        {
            VbeDispi.XResolution when limits => VbeDispi.MaxWidth,
            VbeDispi.YResolution when limits => VbeDispi.MaxHeight,
            VbeDispi.BitsPerPixel when limits => VbeDispi.MaxBitsPerPixel,
            VbeDispi.Memory64K => (ushort)(_memory.Size >> 16),
            < VgaRegisters.DispiCount => _r.Dispi[index],
            _ => 0,
        };
    }

    private void WriteDispi(int index, ushort value)
    {
        ushort[] dispi = _r.Dispi;
        switch (index)
        {
            case VbeDispi.Id:
                dispi[index] = value is >= VbeDispi.OldestId and <= VbeDispi.NewestId ? value : dispi[index];
                break;
            case VbeDispi.XResolution or VbeDispi.YResolution or VbeDispi.VirtualWidth or VbeDispi.XOffset or VbeDispi.YOffset:
                dispi[index] = value;
                break;
            case VbeDispi.BitsPerPixel:
                dispi[index] = value == 0 ? (ushort)8 : value;
                break;
            case VbeDispi.Bank:
                dispi[index] = (ushort)(value & ((_memory.Size >> (dispi[VbeDispi.BitsPerPixel] == 4 ? 18 : 16)) - 1));
                break;
            case VbeDispi.Enable:
                EnableDispi(value);
                break;
            default:
                return; // the virtual height follows from the width
        }

        NoteGeometry();
        FollowDispi();
    }

    private void EnableDispi(ushort value)
    {
        ushort[] dispi = _r.Dispi;
        bool starts = (value & ~dispi[VbeDispi.Enable] & VbeDispi.Enabled) != 0;
        dispi[VbeDispi.Enable] = value;
        if (!starts)
        {
            return;
        }

        dispi[VbeDispi.VirtualWidth] = dispi[VbeDispi.XResolution];
        dispi[VbeDispi.XOffset] = dispi[VbeDispi.YOffset] = dispi[VbeDispi.Bank] = 0;
        if ((value & VbeDispi.KeepMemory) == 0 && VbeDispi.Mode(dispi, _memory.Size) is DispiMode mode)
        {
            int bytes = mode.Height * mode.Pitch;
            _memory.Slice(0, bytes).Clear();
            _memory.NoteWrite(0, bytes);
        }
    }

    // What the guest asked for becomes what it gets, so that it can read that back.
    private void NoteGeometry()
    {
        ushort[] dispi = _r.Dispi;
        if (VbeDispi.Mode(dispi, _memory.Size) is DispiMode mode)
        {
            dispi[VbeDispi.XResolution] = (ushort)mode.Width;
            dispi[VbeDispi.YResolution] = (ushort)mode.Height;
            dispi[VbeDispi.VirtualWidth] = (ushort)Math.Clamp(dispi[VbeDispi.VirtualWidth] & ~7, mode.Width, ushort.MaxValue);
            dispi[VbeDispi.VirtualHeight] = (ushort)Math.Min(_memory.Size / (ulong)mode.Pitch, ushort.MaxValue);
        }
    }

    // While it is on, the interface holds the VGA's registers in a state that fits: the VGA BIOS relies on it.
    private void FollowDispi()
    {
        if (VbeDispi.Mode(_r.Dispi, _memory.Size) is DispiMode mode)
        {
            byte[] crtc = _r.Crtc;
            int last = mode.Height - 1;
            _r.Graphics[6] = (byte)((_r.Graphics[6] & ~0x0c) | 0x05);
            crtc[0x17] |= 3;
            crtc[0x13] = (byte)(mode.Pitch >> 3);
            crtc[1] = (byte)((mode.Width >> 3) - 1);
            crtc[0x12] = (byte)last;
            crtc[7] = (byte)((crtc[7] & ~0x42) | ((last >> 7) & 2) | ((last >> 3) & 0x40));
            crtc[9] &= 0x60;
            if (mode.BitsPerPixel == 4)
            {
                _r.Sequencer[1] &= 0xf7;
                _r.Graphics[5] &= 0x9f;
            }
            else
            {
                _r.Sequencer[4] |= 0x08;
                _r.Sequencer[2] |= 0x0f;
                _r.Graphics[5] = (byte)((_r.Graphics[5] & ~0x60) | 0x40);
            }
        }

        UpdateMapping();
    }

    private static uint ReadExtension(int offset) => offset switch
    {
        0 => ExtensionBytes,
        4 => LittleEndian,
        _ => uint.MaxValue,
    };

    /// <summary>Index at 1CEH, data at 1CFH and 1D0H; 16 bits each.</summary>
    private sealed class DispiPortHandler(VgaCard card) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => size != 2 ? 0xffUL : offset == 0 ? card._r.DispiIndex : card.ReadDispi(card._r.DispiIndex);

        public void Write(ulong offset, ulong value, int size)
        {
            if (size == 2 && offset == 0)
            {
                card._r.DispiIndex = (ushort)value;
            }
            else if (size == 2)
            {
                card.WriteDispi(card._r.DispiIndex, (ushort)value);
            }
        }
    }

    /// <summary>BAR 2: ports 3C0–3DFH as bytes, the display interface as words, and an extension of two double words.</summary>
    private sealed class RegisterBarHandler(VgaCard card) : IIoHandler
    {
        private const int PortBytes = 0x20;
        private const int DispiBytes = 2 * VgaRegisters.DispiCount;
        private const int FirstShownPort = 0x3c0;

        public ulong Read(ulong offset, int size)
        {
            ulong value = 0;
            for (int i = size - 1; i >= 0; i--)
            {
                value = (value << 8) | ReadByte((int)offset + i);
            }

            return value;
        }

        public void Write(ulong offset, ulong value, int size)
        {
            int at = (int)offset;
            for (int i = 0; i < size; i++)
            {
                if (card.HasVga && at + i is >= VgaRegistersOffset and < VgaRegistersOffset + PortBytes)
                {
                    card.WritePort(at + i - VgaRegistersOffset + FirstShownPort, (byte)(value >> (8 * i)));
                }
            }

            for (int i = 0; i + 1 < size; i += 2)
            {
                if ((at & 1) == 0 && at + i is >= DispiOffset and < DispiOffset + DispiBytes)
                {
                    card.WriteDispi((at + i - DispiOffset) >> 1, (ushort)(value >> (8 * i)));
                }
            }
        }

        private byte ReadByte(int at) => at switch
        {
            >= VgaRegistersOffset and < VgaRegistersOffset + PortBytes when card.HasVga => card.ReadPort(at - VgaRegistersOffset + FirstShownPort),
            >= DispiOffset and < DispiOffset + DispiBytes => (byte)(card.ReadDispi((at - DispiOffset) >> 1) >> (8 * (at & 1))),
            >= ExtensionOffset and < ExtensionOffset + (int)ExtensionBytes => (byte)(ReadExtension((at - ExtensionOffset) & ~3) >> (8 * (at & 3))),
            _ => 0,
        };
    }
}
