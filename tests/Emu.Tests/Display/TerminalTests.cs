using System.Text;
using Emu.Devices.Display;
using Emu.Devices.Legacy;
using Emu.Machine.Display;

namespace Emu.Tests.Display;

public sealed class TerminalTests
{
    [Theory]
    [InlineData("a", "A+ A-")]
    [InlineData("A", "LeftShift+ A+ A- LeftShift-")]
    [InlineData("\u0003", "LeftCtrl+ C+ C- LeftCtrl-")]
    [InlineData("\r\u007f", "Enter+ Enter- Backspace+ Backspace-")]
    [InlineData("\u001b[A\u001bOP\u001b[24~x", "Up+ Up- F1+ F1- F12+ F12- X+ X-")]
    [InlineData("\u001bx", "LeftAlt+ X+ X- LeftAlt-")]
    [InlineData("\u001b", "Escape+ Escape-")]
    [InlineData("\u001b[999", "")]
    public void Keys_BecomePresses(string typed, string presses)
    {
        var input = new FakeInput();
        new TerminalKeys(input).Type(Encoding.Latin1.GetBytes(typed));

        Assert.Equal(presses, input.Log);
    }

    [Fact]
    public void Difference_DrawsOnlyCellsThatChanged()
    {
        var before = new TextScreen(4, 2, [0x0741, 0x0742, 0x0743, 0x0744, 0x0720, 0x0720, 0x0720, 0x0720], 0, 16);
        var now = before with { Cells = [0x0741, 0x0742, 0x0743, 0x0744, 0x0720, 0x1cdb, 0x0720, 0x0720], Cursor = 6 };

        Assert.Equal("\u001b[?25l\u001b[2;2H\u001b[0;91;44m█\u001b[2;3H\u001b[?25h", TextTerminal.Difference(before, now));
        Assert.Contains("ABCD", TextTerminal.Difference(null, now), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a", Ps2Key.A)]
    [InlineData("f12", Ps2Key.F12)]
    [InlineData("ret", Ps2Key.Enter)]
    [InlineData("kp_5", Ps2Key.Keypad5)]
    [InlineData("f13", null)]
    [InlineData("A", null)]
    [InlineData("", null)]
    public void SendkeyNames_AreKnown(string name, Ps2Key? key) => Assert.Equal(key, KeySymbols.OfName(name));

    [Fact]
    public void Characters_EveryPrintableOneHasAKey()
    {
        for (char c = ' '; c <= '~'; c++)
        {
            Assert.NotNull(KeySymbols.OfCharacter(c));
        }

        Assert.Equal((Ps2Key.Digit2, true), KeySymbols.OfCharacter('@'));
        Assert.Equal(Ps2Key.F5, KeySymbols.OfSymbol(0xffc2));
        Assert.Null(KeySymbols.OfSymbol(0x12345678));
    }
}
