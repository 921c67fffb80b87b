using System.Text;
using Emu.Cli.Terminal;

namespace Emu.Tests.Cli;

public sealed class MuxFilterTests
{
    [Theory]
    [InlineData("plain\u0003text", "plain\u0003text", "")]
    [InlineData("a\u0001\u0001b", "a\u0001b", "")]
    [InlineData("a\u0001xb", "ab", "quit ")]
    [InlineData("\u0001b", "", "break ")]
    [InlineData("\u0001h", "", "show:Ctrl-A x ")]
    [InlineData("a\u0001cq\u0001cb", "ab", "monitor key:q guest ")]
    [InlineData("\u0001cx\u0001x", "", "monitor key:x quit ")]
    [InlineData("\u0001z!", "!", "show:Ctrl-A z is no command ")]
    public void Filter_CommandsLeaveTheStream(string input, string guest, string commands)
    {
        var recorder = new Recorder(commands);
        var filter = new MuxFilter(recorder);

        Assert.Equal(guest, Feed(filter, input));
        Assert.Equal(commands, recorder.Log);
    }

    [Fact]
    public void Filter_CommandSplitOverTwoReads_IsSeen()
    {
        var recorder = new Recorder("quit ");
        var filter = new MuxFilter(recorder);

        Assert.Equal("a", Feed(filter, "a\u0001"));
        Assert.Equal("b", Feed(filter, "xb"));
        Assert.Equal("quit ", recorder.Log);
    }

    private static string Feed(MuxFilter filter, string input)
    {
        byte[] output = new byte[input.Length];
        int length = filter.Filter(Encoding.Latin1.GetBytes(input), output);
        return Encoding.Latin1.GetString(output, 0, length);
    }

    /// <summary>Logs commands; of a text only the part that the expectation names.</summary>
    private sealed class Recorder(string expected) : IMuxCommands
    {
        public string Log { get; private set; } = "";

        public void Quit() => Log += "quit ";

        public void SendBreak() => Log += "break ";

        public void SetMonitor(bool on) => Log += on ? "monitor " : "guest ";

        public void TypeIntoMonitor(byte key) => Log += $"key:{(char)key} ";

        public void Show(string text)
        {
            string wanted = expected.Replace("show:", "", StringComparison.Ordinal).Trim();
            Log += text.Contains(wanted, StringComparison.Ordinal) ? $"show:{wanted} " : text;
        }
    }
}
