using System.Diagnostics;

namespace Emu.Tests.Cli;

/// <summary>What a run of the program left behind.</summary>
internal sealed record EmuOutcome(int ExitCode, string Output, string Errors);

/// <summary>The program itself, in a process of its own, as a user starts it.</summary>
internal static class EmuProcess
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The words that start the program: .NET and the assembly beside that of the tests.</summary>
    public static IReadOnlyList<string> Command { get; } = [DotNet(), Path.Combine(AppContext.BaseDirectory, "emu.dll")];

    /// <summary>Starts it with all streams redirected.</summary>
    public static Process Start(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Command[0], [.. Command.Skip(1), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Repository.Root,
        };
        return Process.Start(start)!;
    }

    /// <summary>Runs it to its end with nothing to read.</summary>
    public static EmuOutcome Run(params IEnumerable<string> arguments)
    {
        using Process process = Start(arguments);
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Limit))
        {
            process.Kill();
            Assert.Fail($"emu {string.Join(' ', arguments)} does not end");
        }

        return new EmuOutcome(process.ExitCode, output.Result, errors.Result);
    }

    // The tests run under "dotnet", or under a host of their own that is no help here.
    private static string DotNet() =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";
}
