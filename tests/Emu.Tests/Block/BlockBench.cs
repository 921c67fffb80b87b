using System.Diagnostics;
using Emu.Block;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>Images for tests: in memory, and in a folder that is gone afterwards.</summary>
internal sealed class BlockBench : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("emu-block-").FullName;

    /// <summary>A path in the folder.</summary>
    public string this[string name] => Path.Combine(_folder, name);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>Options as on the command line: "cluster_size=4k,compat=0.10".</summary>
    public static Qcow2Options Options(string text) => Qcow2Options.Parse(Values(text));

    public static Dictionary<string, string> Values(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);

    /// <summary>An empty qcow2 image in memory.</summary>
    public static MemoryFile NewFile(long size, string options)
    {
        var file = new MemoryFile();
        Qcow2Creator.Create(file, size, Options(options), backing: null);
        return file;
    }

    /// <summary>A raw image in memory with these bytes.</summary>
    public static RawImage Raw(byte[] bytes)
    {
        var file = new MemoryFile();
        file.Apply(0, bytes);
        return new RawImage(file);
    }

    public static byte[] Bytes(int seed, int count)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] ReadAll(IBlockBackend image)
    {
        byte[] bytes = new byte[image.Length];
        Assert.Equal(BlockResult.Ok, image.Read(0, bytes));
        return bytes;
    }

    /// <summary>The image in this file has neither errors nor leaks.</summary>
    public static void AssertSound(MemoryFile file)
    {
        CheckReport report = Qcow2Checker.Check(file.Copy(readOnly: true), RepairMode.None);
        Assert.True(report.Corruptions == 0 && report.Leaks == 0, string.Join("\n", report.Messages));
    }

    /// <summary>Puts the file where qemu-img can look at it.</summary>
    public string Save(MemoryFile file, string name)
    {
        byte[] bytes = new byte[file.Length];
        file.Read(0, bytes);
        File.WriteAllBytes(this[name], bytes);
        return this[name];
    }

    /// <summary>Runs qemu-img. Returns exit code and output.</summary>
    public static (int ExitCode, string Output) QemuImg(params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo("qemu-img", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    /// <summary>Runs qemu-img, which must succeed.</summary>
    public static string MustQemuImg(params string[] arguments)
    {
        (int exitCode, string output) = QemuImg(arguments);
        Assert.True(exitCode == 0, $"qemu-img {string.Join(' ', arguments)}: {output}");
        return output;
    }
}

/// <summary>A fact that needs qemu-img (package qemu-utils).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class QemuImgFactAttribute : FactAttribute
{
    public QemuImgFactAttribute() => Skip = QemuImgTheoryAttribute.Missing;
}

/// <summary>A theory that needs qemu-img (package qemu-utils).</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class QemuImgTheoryAttribute : TheoryAttribute
{
    public QemuImgTheoryAttribute() => Skip = Missing;

    internal static string? Missing { get; } =
        Repository.IsCi || (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(folder => File.Exists(Path.Combine(folder, "qemu-img")))
            ? null : "needs qemu-img (package qemu-utils)";
}
