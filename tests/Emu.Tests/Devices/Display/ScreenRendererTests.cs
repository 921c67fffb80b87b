using System.Security.Cryptography;
using Emu.Devices.Display;

namespace Emu.Tests.Devices.Display;

public sealed class ScreenRendererTests : IDisposable
{
    private readonly VgaBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void Text_CellHasTheFontsDots_AndTheAttributesColours()
    {
        _bench.Card.SetUpTextMode();
        _bench.Crtc(0x0a, 0x20);
        Put(3, 1, 'A', 0x1e);
        _bench.Render();

        Assert.Equal((720, 400), (_bench.Surface.Width, _bench.Surface.Height));
        string[] rows = ["..###....", ".#...#...", ".#...#...", ".#...#...", ".#####...", ".#...#...", ".#...#...", "........."];
        Assert.Equal(string.Join('/', rows.SelectMany(row => new[] { row, row })), Dots(3, 1, 0xffff55, 0x0000aa));
    }

    [Fact]
    public void Text_AllCharacters_HaveTheChecksumOfTheBuiltInFont()
    {
        _bench.Card.SetUpTextMode();
        _bench.Crtc(0x0a, 0x20);
        for (int i = 0; i < 256; i++)
        {
            Put(i % 80, i / 80, (char)i, 0x07);
        }

        _bench.Render();
        byte[] pixels = [.. _bench.Surface.Pixels.Select(pixel => (byte)(pixel == 0 ? 0 : 1))];
        Assert.Equal(GoldenFont, Convert.ToHexStringLower(SHA256.HashData(pixels))[..16]);
    }

    private const string GoldenFont = "d8c9d598d4061de5";

    [Fact]
    public void Text_LineCharacters_FillTheNinthDot()
    {
        _bench.Card.SetUpTextMode();
        Put(0, 0, (char)0xc4, 0x07);
        Put(0, 1, (char)0xb3, 0x07);
        _bench.Render();

        Assert.Equal(_bench.Surface.Row(7)[7], _bench.Surface.Row(7)[8]);
        Assert.NotEqual(0u, _bench.Surface.Row(7)[8]);
        Assert.Equal(0u, _bench.Surface.Row(16 + 7)[8]);
    }

    [Fact]
    public void Text_NothingChanged_NothingDirty_OneCellChanged_ItsBandOnly()
    {
        _bench.Card.SetUpTextMode();
        _bench.Crtc(0x0a, 0x20);
        _bench.Render();
        _bench.Dirty.Clear();
        _bench.Clock.Advance(2_000_000_000);
        _bench.Render();
        Assert.True(_bench.Dirty.IsEmpty);

        Put(5, 3, 'x', 0x07);
        _bench.Render();
        Assert.Equal((45, 54), _bench.Dirty[3]);
        Assert.Equal((0, 0), _bench.Dirty[2]);
    }

    [Fact]
    public void Text_CursorAndBlinkingCharacters_ComeAndGoWithTheClock()
    {
        _bench.Card.SetUpTextMode();
        Put(1, 0, 'X', 0x87);
        _bench.Render();
        uint[] first = [.. _bench.Surface.Pixels];
        _bench.Clock.Advance(16_683_350L * 16);
        _bench.Render();
        Assert.NotEqual(first[(13 * 720) + 2], _bench.Surface.Pixels[(13 * 720) + 2]);
        _bench.Clock.Advance(16_683_350L * 16);
        _bench.Render();
        Assert.All(Enumerable.Range(0, 16), y => Assert.Equal(0u, _bench.Surface.Row(y)[13]));
        Assert.Contains(Enumerable.Range(0, 16), y => first[(y * 720) + 13] != 0);
    }

    [Fact]
    public void TextScreen_ReadsCellsAndCursor()
    {
        _bench.Card.SetUpTextMode();
        foreach ((int i, char c) in "Hello".Index())
        {
            Put(i, 2, c, 0x07);
        }

        _bench.Crtc(0x0f, 165);
        TextScreen text = TextScreen.Read(_bench.Card.Capture(), _bench.VideoMemory)!;

        Assert.Equal("Hello", text.Line(2));
        Assert.Equal((80, 25, 165), (text.Columns, text.Rows, text.Cursor));
        _bench.SetMode(640, 480, 32);
        Assert.Null(TextScreen.Read(_bench.Card.Capture(), _bench.VideoMemory));
    }

    [Fact]
    public void Mode13_PixelsAreDoubled_AndColouredByTheDac()
    {
        _bench.SetMode13();
        _bench.Pci.Memory.Write(0xa_0000 + 320 + 2, 0xfc, 1);
        _bench.Render();

        Assert.Equal((640, 400), (_bench.Surface.Width, _bench.Surface.Height));
        foreach ((int x, int y) in (ReadOnlySpan<(int, int)>)[(4, 2), (5, 2), (4, 3), (5, 3)])
        {
            Assert.Equal(0xffffffu, _bench.Surface.Row(y)[x]);
        }

        Assert.Equal(0u, _bench.Surface.Row(1)[4]);
        Assert.Equal(0u, _bench.Surface.Row(2)[6]);
    }

    [Theory]
    [InlineData(15, 0x7c1fUL, 0xff00ffu)]
    [InlineData(16, 0xf81fUL, 0xff00ffu)]
    [InlineData(16, 0x07e0UL, 0x00ff00u)]
    [InlineData(24, 0x123456UL, 0x123456u)]
    [InlineData(32, 0xff123456UL, 0x123456u)]
    [InlineData(8, 0x04UL, 0x041000u)]
    public void Dispi_PixelInTheFrameBuffer_IsOnTheSurface(int bits, ulong value, uint expected)
    {
        _bench.Out(0x3c8, 4);
        _bench.Out(0x3c9, 1);
        _bench.Out(0x3c9, 4);
        _bench.Out(0x3c9, 0);
        _bench.SetMode(640, 480, bits);
        _bench.Render();
        _bench.Dirty.Clear();
        int bytes = (bits + 7) / 8;
        ulong at = VgaBench.FrameBuffer + (ulong)(((100 * 640) + 200) * bytes);
        _bench.Pci.Memory.Write(at, BitConverter.GetBytes(value).AsSpan(0, bytes));
        _bench.Render();

        Assert.Equal(expected, _bench.Surface.Row(100)[200]);
        Assert.Equal((192, 208), _bench.Dirty[100 / 16]);
        Assert.Equal((0, 0), _bench.Dirty[5]);
    }

    [Fact]
    public void Dispi_Offsets_Pan()
    {
        _bench.SetMode(640, 480, 32);
        _bench.Dispi(6, 800);
        _bench.Dispi(8, 16);
        _bench.Dispi(9, 10);
        _bench.VideoMemory.WriteValue(((10 * 800) + 16) * 4, 0x00abcdef, 4);
        _bench.Render();

        Assert.Equal(0xabcdefu, _bench.Surface.Row(0)[0]);
    }

    [Fact]
    public void Planar16_CombinesPlanes_ThroughThePalette()
    {
        _bench.Card.SetUpTextMode();
        _bench.SetMode(640, 480, 4);
        _bench.VideoMemory.WriteValue(0, 0x80_00_80_40, 4);
        _bench.Render();

        Assert.Equal((640, 480), (_bench.Surface.Width, _bench.Surface.Height));
        uint[] row = _bench.Surface.Row(0)[..3].ToArray();

        // Pixel 0 has planes 1 and 3: light green; pixel 1 plane 0: blue.
        Assert.Equal([0x55ff55u, 0x0000aau, 0u], row);
    }

    [Fact]
    public void ScreenOff_IsBlack_AndComesBack()
    {
        _bench.SetMode(640, 480, 32);
        _bench.VideoMemory.WriteValue(0, 0xffffff, 4);
        _bench.Render();
        _bench.Sequencer(1, 0x21);
        _bench.Render();
        Assert.Equal(0u, _bench.Surface.Row(0)[0]);
        _bench.Sequencer(1, 0x01);
        _bench.Render();
        Assert.Equal(0xffffffu, _bench.Surface.Row(0)[0]);
    }

    [Fact]
    public void BochsDisplay_HasNoVga_ShowsItsModes()
    {
        using var bench = new VgaBench(hasVga: false);
        bench.Render();
        Assert.All(bench.Surface.Pixels, pixel => Assert.Equal(0u, pixel));
        foreach ((int index, int value) in (ReadOnlySpan<(int, int)>)[(1, 640), (2, 480), (3, 32), (4, 0x41)])
        {
            bench.Pci.Memory.Write(VgaBench.Registers + 0x500 + (ulong)(index * 2), (ulong)value, 2);
        }

        bench.Pci.Memory.Write(VgaBench.FrameBuffer + 4, 0xff0000, 4);
        bench.Render();
        Assert.Equal(0xff0000u, bench.Surface.Row(0)[1]);
        Assert.Equal(0x0380u, bench.Pci.ReadConfig(VgaBench.Device, 0x0a, 2));
    }

    private void Put(int column, int row, char character, int attribute) =>
        _bench.Pci.Memory.Write(0xb_8000 + (ulong)(((row * 80) + column) * 2), (ulong)(byte)character | ((ulong)attribute << 8), 2);

    private string Dots(int column, int row, uint fore, uint back) => string.Join('/', Enumerable.Range(0, 16).Select(y => string.Concat(
        _bench.Surface.Row((row * 16) + y).Slice(column * 9, 9).ToArray().Select(pixel => pixel == fore ? '#' : pixel == back ? '.' : '?'))));
}
