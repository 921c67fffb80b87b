using System.Text.Json;
using Emu.Tests.Block;

namespace Emu.Tests.Cli;

/// <summary><c>emu image</c> as a user runs it: exit codes, one-line errors, JSON.</summary>
public sealed class ImageCommandTests : IDisposable
{
    private readonly BlockBench _bench = new();

    public void Dispose() => _bench.Dispose();

    [Fact]
    public void CreateInfoConvertCompareCheck_WorkTogether()
    {
        File.WriteAllBytes(_bench["raw"], BlockBench.Bytes(1, 300_000));
        Ok("image", "convert", "-c", "-f", "raw", "-O", "qcow2", "-o", "cluster_size=4k", _bench["raw"], _bench["a"]);
        Ok("image", "check", _bench["a"]);
        Assert.Contains("identical", Ok("image", "compare", _bench["raw"], _bench["a"]), StringComparison.Ordinal);
        Ok("image", "create", "-f", "qcow2", "-b", "a", "-F", "qcow2", _bench["top"]);
        using JsonDocument info = JsonDocument.Parse(Ok("image", "info", "--output=json", _bench["top"]));
        Assert.Equal(300_032, info.RootElement.GetProperty("virtual-size").GetInt64());
        Assert.Equal("a", info.RootElement.GetProperty("backing-filename").GetString());
        Ok("image", "resize", _bench["top"], "+1M");
        Assert.Equal(1, EmuProcess.Run("image", "compare", "--strict", "-q", _bench["raw"], _bench["top"]).ExitCode);
    }

    [Theory]
    [InlineData(1, "is not known", "image", "frobnicate")]
    [InlineData(1, "operands", "image", "info")]
    [InlineData(1, "no such file", "image", "info", "{missing}")]
    [InlineData(2, "no such file", "image", "compare", "{missing}", "{missing}")]
    [InlineData(63, "nothing to check", "image", "check", "-f", "raw", "{raw}")]
    [InlineData(1, "is not a size", "image", "create", "{new}", "ten")]
    [InlineData(1, "not supported", "image", "create", "-f", "vmdk", "{new}", "1M")]
    [InlineData(1, "-F raw", "image", "create", "-f", "qcow2", "-b", "raw", "{new}")]
    [InlineData(1, "cluster_size", "image", "create", "-f", "qcow2", "-o", "cluster_size=3", "{new}", "1M")]
    [InlineData(1, "--shrink", "image", "resize", "-f", "raw", "{raw}", "512")]
    [InlineData(1, "zstd", "image", "create", "-f", "qcow2", "-o", "compression_type=zstd", "{new}", "1M")]
    public void WrongUse_IsOneLine_AndAnExitCode(int exitCode, string text, params string[] arguments)
    {
        File.WriteAllBytes(_bench["raw"], new byte[1024]);
        EmuOutcome outcome = EmuProcess.Run(arguments.Select(argument => argument.StartsWith('{') ? _bench[argument.Trim('{', '}')] : argument));

        Assert.Equal(exitCode, outcome.ExitCode);
        Assert.Contains(text, outcome.Errors, StringComparison.Ordinal);
        Assert.Single(outcome.Errors.TrimEnd().Split('\n'));
        Assert.False(File.Exists(_bench["new"]));
    }

    private static string Ok(params string[] arguments)
    {
        EmuOutcome outcome = EmuProcess.Run(arguments);
        Assert.True(outcome.ExitCode == 0 && outcome.Errors.Length == 0, $"{string.Join(' ', arguments)}: {outcome.ExitCode} {outcome.Errors}");
        return outcome.Output;
    }
}
