using System.Diagnostics;
using System.Text;
using Emu.Tests.Cli;

namespace Emu.Tests.Debian;

/// <summary>The Debian guest through the program, with the options that the README shows.</summary>
[Collection(AloneCollection.Name)]
public sealed class DebianProcessTests
{
    private const string Prompt = "emu-guest# ";

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(120);

    [DebianFact]
    public void ReadmeLine_GivesAShell_AndPowerOffEndsWithZero()
    {
        using Process process = EmuProcess.Start(ReadmeArguments());
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using var watchdog = new Timer(_ => process.Kill(), null, BootLimit, Timeout.InfiniteTimeSpan);
        var output = new StringBuilder();
        try
        {
            ReadUntil(process.StandardOutput, output, Prompt);
            process.StandardInput.Write("echo $((6*7))-a\n");
            process.StandardInput.Flush();
            ReadUntil(process.StandardOutput, output, "\n42-a");
            ReadUntil(process.StandardOutput, output, Prompt);
            process.StandardInput.Write("poweroff -f\n");
            process.StandardInput.Flush();
            process.StandardOutput.ReadToEnd();

            process.WaitForExit();
            Assert.Equal((0, ""), (process.ExitCode, errors.Result));
            Assert.Contains($"\n{DebianImage.ReadyMarker}", output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            process.Kill();
        }
    }

    private static List<string> ReadmeArguments()
    {
        // The line is broken by a backslash; quotes hold words with spaces together.
        string readme = File.ReadAllText(Repository.PathOf("README.md")).Replace("\\\n", " ", StringComparison.Ordinal);
        string line = readme.Split('\n').First(line => line.StartsWith("./emu", StringComparison.Ordinal) && line.Contains("-initrd", StringComparison.Ordinal));
        string[] parts = line.Split('"');
        var words = new List<string>();
        for (int i = 0; i < parts.Length; i++)
        {
            words.AddRange(i % 2 == 1 ? [parts[i]] : parts[i].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        Assert.Equal("./emu", words[0]);
        return words[1..];
    }

    private static void ReadUntil(StreamReader reader, StringBuilder output, string text)
    {
        int from = output.Length;
        while (output.ToString(from, output.Length - from).IndexOf(text, StringComparison.Ordinal) < 0)
        {
            int next = reader.Read();
            Assert.True(next >= 0, $"'{text}' does not come; the guest printed:\n{output}");
            output.Append((char)next);
            from = next == '\n' ? output.Length - 1 : from;
        }
    }
}
