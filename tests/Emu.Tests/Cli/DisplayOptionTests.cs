using Emu.Cli.Options;
using Emu.Machine;

namespace Emu.Tests.Cli;

public sealed class DisplayOptionTests
{
    [Theory]
    [InlineData("-kernel k", "")]
    [InlineData("-kernel k -vga std", "VGA")]
    [InlineData("-kernel k -vnc :1", "VGA")]
    [InlineData("-kernel k -vnc :1 -vga none", "")]
    [InlineData("-kernel k -vnc :1 -device bochs-display", "bochs-display")]
    [InlineData("-kernel k -display curses -serial null", "VGA")]
    public void Adapter_IsThereWhenSomebodyWantsToSeeIt(string line, string drivers) =>
        Assert.Equal(drivers, string.Join(' ', Parse(line).Devices.Select(device => device.Driver)));

    [Theory]
    [InlineData(":0", "", 0, null, null)]
    [InlineData("0.0.0.0:12", "0.0.0.0", 12, null, null)]
    [InlineData("[::1]:3,password=pw", "::1", 3, null, "pw")]
    [InlineData("unix:/x/y", "", 0, "/x/y", null)]
    public void Vnc_Places(string text, string host, int display, string? path, string? password) =>
        Assert.Equal([new VncSpec(path, host, display, password)], Parse($"-kernel k -vnc {text}").FrontEnds.Vnc);

    [Theory]
    [InlineData("-vnc 5", "-vnc: '5' is no place for a server")]
    [InlineData("-vnc :99999", "-vnc: ':99999' is no place for a server")]
    [InlineData("-vnc :1,foo=2", "-vnc: unknown property 'foo'")]
    [InlineData("-vga cirrus", "-vga: 'cirrus' is not there yet; write -vga std or none")]
    [InlineData("-display curses -serial stdio", "-display: curses needs the terminal for itself")]
    [InlineData("-display curses -nographic", "-display: curses and -nographic both want the terminal")]
    [InlineData("-monitor stdio -serial stdio", "-monitor: stdio is taken")]
    [InlineData("-monitor mon:stdio", "-monitor: write stdio")]
    public void Mistakes_AreNamed(string line, string message) =>
        Assert.StartsWith(message, Assert.Throws<OptionException>(() => Parse("-kernel k " + line)).Message, StringComparison.Ordinal);

    [Fact]
    public void Monitor_OnTheTerminal_SilencesTheDefaultSerialPort()
    {
        MachineConfig config = Parse("-kernel k -monitor stdio");

        Assert.Equal(CharKind.Stdio, config.FrontEnds.Monitor!.Kind);
        Assert.Equal(CharKind.Null, Assert.Single(config.Serials).Kind);
    }

    private static MachineConfig Parse(string line) => EmuCommandLine.Parse(line.Split(' ')).Config!;
}
