namespace Emu.Devices.Display;

/// <content>The VGA's own ports (IBM VGA technical reference).</content>
public sealed partial class VgaCard
{
    // What is there of each register; the rest reads as zero.
    private static readonly byte[] SequencerMask = [0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0];
    private static readonly byte[] GraphicsMask = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0, 0, 0, 0, 0, 0, 0];
    private static readonly byte[] AttributeMask =
    [
        0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    private const int LastCrtc = 0x18;
    private const byte CrtcProtect = 0x80;
    private const byte LineCompareBit8 = 0x10;
    private const byte PaletteToScreen = 0x20;

    // The CRTC and status registers are at 3Dx with bit 0 of the miscellaneous register, else at 3Bx.
    private bool IsColour => (_r.Miscellaneous & 1) != 0;

    private byte ReadPort(int port) => port switch
    {
        0x3c0 => (byte)(_r.AttributeExpectsData ? 0 : _r.AttributeIndex),
        0x3c1 => _r.Attribute[_r.AttributeIndex & 0x1f],
        0x3c2 => 0x10, // a colour monitor is there
        0x3c4 => _r.SequencerIndex,
        0x3c5 => _r.Sequencer[_r.SequencerIndex],
        0x3c6 => _r.DacMask,
        0x3c7 => (byte)(_r.DacReads ? 3 : 0),
        0x3c8 => _r.DacWriteIndex,
        0x3c9 => ReadDac(),
        0x3ca => _r.Feature,
        0x3cc => _r.Miscellaneous,
        0x3ce => _r.GraphicsIndex,
        0x3cf => _r.Graphics[_r.GraphicsIndex],
        0x3b4 or 0x3d4 when IsColour == (port == 0x3d4) => _r.CrtcIndex,
        0x3b5 or 0x3d5 when IsColour == (port == 0x3d5) => _r.CrtcIndex <= LastCrtc ? _r.Crtc[_r.CrtcIndex] : (byte)0,
        0x3ba or 0x3da when IsColour == (port == 0x3da) => ReadStatus(),
        _ => 0xff,
    };

    private void WritePort(int port, byte value)
    {
        switch (port)
        {
            case 0x3c0: WriteAttribute(value); break;
            case 0x3c2: _r.Miscellaneous = (byte)(value & ~0x10); break;
            case 0x3c4: _r.SequencerIndex = (byte)(value & 7); break;
            case 0x3c5: _r.Sequencer[_r.SequencerIndex] = (byte)(value & SequencerMask[_r.SequencerIndex]); break;
            case 0x3c6: _r.DacMask = value; break;
            case 0x3c7: (_r.DacReadIndex, _r.DacComponent, _r.DacReads) = (value, 0, true); break;
            case 0x3c8: (_r.DacWriteIndex, _r.DacComponent, _r.DacReads) = (value, 0, false); break;
            case 0x3c9: WriteDac(value); break;
            case 0x3ce: _r.GraphicsIndex = (byte)(value & 0x0f); break;
            case 0x3cf: _r.Graphics[_r.GraphicsIndex] = (byte)(value & GraphicsMask[_r.GraphicsIndex]); break;
            case 0x3b4 or 0x3d4 when IsColour == (port == 0x3d4): _r.CrtcIndex = value; break;
            case 0x3b5 or 0x3d5 when IsColour == (port == 0x3d5): WriteCrtc(value); break;
            case 0x3ba or 0x3da when IsColour == (port == 0x3da): _r.Feature = (byte)(value & 0x10); break;
            default: return;
        }

        if (port is 0x3c5 or 0x3cf)
        {
            FollowDispi();
        }
    }

    // Reading the status makes the next write to 3C0H an index again.
    private byte ReadStatus()
    {
        _r.AttributeExpectsData = false;
        return VgaTiming.Status(_r, _clock.NowNs);
    }

    private void WriteAttribute(byte value)
    {
        _r.AttributeExpectsData = !_r.AttributeExpectsData;
        if (_r.AttributeExpectsData)
        {
            _r.AttributeIndex = (byte)(value & 0x3f);
            return;
        }

        // While the palette is on the screen the CPU does not reach its sixteen registers on an IBM VGA; clones, and this, let it.
        int index = _r.AttributeIndex & ~PaletteToScreen;
        _r.Attribute[index] = (byte)(value & AttributeMask[index]);
    }

    private void WriteCrtc(byte value)
    {
        int index = _r.CrtcIndex;
        if (index > LastCrtc)
        {
            return;
        }

        if (index <= 7 && (_r.Crtc[0x11] & CrtcProtect) != 0)
        {
            if (index == 7)
            {
                _r.Crtc[7] = (byte)((_r.Crtc[7] & ~LineCompareBit8) | (value & LineCompareBit8));
            }

            return;
        }

        _r.Crtc[index] = value;
        FollowDispi();
    }

    private byte ReadDac()
    {
        byte value = _r.Dac[(_r.DacReadIndex * 3) + _r.DacComponent];
        if (++_r.DacComponent == 3)
        {
            _r.DacComponent = 0;
            _r.DacReadIndex++;
        }

        return value;
    }

    private void WriteDac(byte value)
    {
        bool wide = (_r.Dispi[VbeDispi.Enable] & VbeDispi.Dac8Bit) != 0;
        _r.Dac[(_r.DacWriteIndex * 3) + _r.DacComponent] = wide ? value : (byte)(value & 0x3f);
        if (++_r.DacComponent == 3)
        {
            _r.DacComponent = 0;
            _r.DacWriteIndex++;
        }
    }
}
