namespace Emu.Tests.Devices.Display;

/// <summary>The planes against a model that works bit by bit, as the reference describes it.</summary>
public sealed class VgaWindowTests : IDisposable
{
    private const ulong Window = 0xa_0000;
    private const int Cells = 64;

    private readonly VgaBench _bench = new();
    private readonly byte[,] _planes = new byte[4, Cells];
    private readonly byte[] _latches = new byte[4];
    private readonly int[] _graphics = new int[9];
    private int _mapMask;

    public void Dispose() => _bench.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RandomAccesses_AllReadAndWriteModes_AgreeWithTheModel(int seed)
    {
        var random = new Random(seed);
        _bench.Sequencer(4, 0x06);
        SetGraphics(6, 0x05);
        for (int step = 0; step < 20_000; step++)
        {
            switch (random.Next(6))
            {
                case 0:
                    int index = (int[])[0, 1, 2, 3, 4, 5, 7, 8] is var list ? list[random.Next(8)] : 0;
                    SetGraphics(index, index == 5 ? random.Next(4) | (random.Next(2) << 3) : random.Next(256));
                    break;
                case 1:
                    _bench.Sequencer(2, _mapMask = random.Next(16));
                    break;
                case 2 or 3:
                    int at = random.Next(Cells);
                    Assert.Equal(Read(at), (byte)_bench.Pci.Memory.Read(Window + (ulong)at, 1));
                    break;
                default:
                    int place = random.Next(Cells);
                    byte value = (byte)random.Next(256);
                    _bench.Pci.Memory.Write(Window + (ulong)place, value, 1);
                    Write(place, value);
                    break;
            }
        }

        for (int i = 0; i < Cells * 4; i++)
        {
            Assert.Equal(_planes[i % 4, i / 4], (byte)_bench.VideoMemory.ReadValue((ulong)i, 1));
        }
    }

    [Fact]
    public void OddEven_CharactersAndAttributes_GoToPlanes0And1()
    {
        _bench.Card.SetUpTextMode();
        _bench.Pci.Memory.Write(0xb_8000 + 6, 0x1f41, 2);

        Assert.Equal(0x1f41UL, _bench.VideoMemory.ReadValue(12, 2));
        Assert.Equal(0x1f41UL, _bench.Pci.Memory.Read(0xb_8006, 2));
        Assert.Equal(0xffUL, _bench.Pci.Memory.Read(0xa_0000, 1));
        Assert.Equal(0xffUL, _bench.Pci.Memory.Read(0xb_0000, 1));
    }

    [Fact]
    public void Chain4_IsMappedAsMemory_AndBanksMove()
    {
        _bench.SetMode13();
        Assert.True(_bench.Pci.Memory.View.TryFind(0xa_0000, out var range) && range.IsMemory);
        _bench.Pci.Memory.Write(0xa_1235, 0x99, 1);
        Assert.Equal(0x99UL, _bench.VideoMemory.ReadValue(0x1235, 1));

        _bench.Sequencer(2, 0x01);
        Assert.False(_bench.Pci.Memory.View.TryFind(0xa_0000, out range) && range.IsMemory);
        _bench.Pci.Memory.Write(0xa_0000, 0x2211, 2);

        // Plane 1 keeps the attribute of the text mode before.
        Assert.Equal(0x0711UL, _bench.VideoMemory.ReadValue(0, 2));

        _bench.SetMode(800, 600, 8);
        _bench.Dispi(5, 3);
        _bench.Pci.Memory.Write(0xa_0000, 0x42, 1);
        Assert.Equal(0x42UL, _bench.VideoMemory.ReadValue(0x3_0000, 1));
    }

    private void SetGraphics(int index, int value)
    {
        _bench.Graphics(index, value);
        int[] mask = [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff];
        _graphics[index] = value & mask[index];
    }

    private byte Read(int at)
    {
        for (int plane = 0; plane < 4; plane++)
        {
            _latches[plane] = _planes[plane, at];
        }

        if ((_graphics[5] & 8) == 0)
        {
            return _latches[_graphics[4]];
        }

        int result = 0;
        for (int bit = 0; bit < 8; bit++)
        {
            bool same = true;
            for (int plane = 0; plane < 4; plane++)
            {
                bool counts = ((_graphics[7] >> plane) & 1) != 0;
                same &= !counts || ((_latches[plane] >> bit) & 1) == ((_graphics[2] >> plane) & 1);
            }

            result |= same ? 1 << bit : 0;
        }

        return (byte)result;
    }

    private void Write(int at, byte value)
    {
        int rotate = _graphics[3] & 7;
        int rotated = ((value >> rotate) | (value << (8 - rotate))) & 0xff;
        int mode = _graphics[5] & 3;
        for (int plane = 0; plane < 4; plane++)
        {
            int result = 0;
            for (int bit = 0; bit < 8; bit++)
            {
                int latch = (_latches[plane] >> bit) & 1;
                int setReset = (_graphics[0] >> plane) & 1;
                int enabled = (_graphics[1] >> plane) & 1;
                int data = mode switch { 2 => (value >> plane) & 1, 3 => setReset, _ => enabled != 0 ? setReset : (rotated >> bit) & 1 };
                int mask = mode == 3 ? (_graphics[8] & rotated) >> bit : _graphics[8] >> bit;
                int combined = mode == 3 ? data : (_graphics[3] >> 3) switch { 1 => data & latch, 2 => data | latch, 3 => data ^ latch, _ => data };
                int chosen = mode == 1 ? latch : (mask & 1) != 0 ? combined : latch;
                result |= chosen << bit;
            }

            if (((_mapMask >> plane) & 1) != 0)
            {
                _planes[plane, at] = (byte)result;
            }
        }
    }
}
