using System.Diagnostics;
using Emu.Machine;

namespace Emu.Tests.Guests;

public sealed class GuestTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    // Long enough for a guest to say that it hangs, short enough to wait for.
    private static readonly TimeSpan HangLimit = TimeSpan.FromSeconds(2);

    public static TheoryData<string> Sources() =>
        [.. Directory.GetFiles(Repository.PathOf("guests"), "*.asm", SearchOption.AllDirectories)
            .Where(path => !path.Contains($"{Path.DirectorySeparatorChar}rig{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')).Order(StringComparer.Ordinal)];

    public static TheoryData<string, string> SourcesByAccelerator()
    {
        var data = new TheoryData<string, string>();
        foreach (string accelerator in GuestMachine.Runners.Keys)
        {
            foreach (string source in Directory.GetFiles(Repository.PathOf("guests", "tiny"), "*.asm").Append(Repository.PathOf("guests", "builtin", "builtin.asm")))
            {
                data.Add(accelerator, Path.GetRelativePath(Repository.Root, source).Replace('\\', '/'));
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(SourcesByAccelerator))]
    public void Guest_DoesWhatItsHeaderSays(string accelerator, string source)
    {
        GuestSpec spec = GuestSpec.Load(Repository.PathOf(source));
        bool endless = spec.End is GuestEnd.Hang or GuestEnd.Any;

        GuestResult result = GuestMachine.Runners[accelerator](spec, File.ReadAllBytes(spec.ImagePath), endless ? HangLimit : Limit);

        AssertAsExpected(spec, result);
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void Header_IsReadable_AndTheImageIsThere(string source)
    {
        GuestSpec spec = GuestSpec.Load(Repository.PathOf(source));

        Assert.Equal(Path.GetFileNameWithoutExtension(source), spec.Name);
        byte[] image = File.ReadAllBytes(spec.ImagePath);
        Assert.NotEmpty(image);
        Assert.True(spec.LoadAddress + (ulong)image.Length <= spec.MemoryBytes);
        if (spec.Bytes is not null)
        {
            Assert.Equal(spec.Bytes, image);
        }
    }

    [NasmTheory]
    [MemberData(nameof(Sources))]
    public void Image_RebuiltByNasm_IsTheSame(string source)
    {
        GuestSpec spec = GuestSpec.Load(Repository.PathOf(source));
        string output = Path.GetTempFileName();
        try
        {
            string folder = Path.GetDirectoryName(spec.Source)! + Path.DirectorySeparatorChar;
            using Process nasm = Process.Start(new ProcessStartInfo("nasm", ["-f", "bin", "-i", folder, "-o", output, spec.Source]) { RedirectStandardError = true })!;
            string errors = nasm.StandardError.ReadToEnd();
            nasm.WaitForExit();

            Assert.True(nasm.ExitCode == 0, errors);
            Assert.Equal(File.ReadAllBytes(spec.ImagePath), File.ReadAllBytes(output));
        }
        finally
        {
            File.Delete(output);
        }
    }

    [Fact]
    public void BuiltinGuest_EmbeddedImage_IsTheCheckedInOne()
    {
        GuestSpec spec = GuestSpec.Load(Repository.PathOf("guests", "builtin", "builtin.asm"));

        BuiltinGuest guest = BuiltinGuest.Load();

        Assert.Equal(File.ReadAllBytes(spec.ImagePath), guest.Image.ToArray());
        Assert.Equal(spec.LoadAddress, guest.LoadAddress);
        Assert.Equal(BuiltinGuest.MemoryBytes, spec.MemoryBytes);
        Assert.Equal(BuiltinGuest.PassedExitCode, spec.ExitCode);
        Assert.Equal(new GuestRange(0x600, 0x600), guest.Result);
        Assert.Empty(guest.TimeDependent);
    }

    [Fact]
    public void Parse_BrokenHeader_Throws()
    {
        Assert.Throws<FormatException>(() => GuestSpec.Parse("x.asm", ["; guest: x", "; load: 0x7c00"]));
        Assert.Throws<FormatException>(() => GuestSpec.Parse("x.asm", ["; guest: x", "; load: 0x7c00", "; exit: halt", "; sreial: \"a\""]));
        Assert.Throws<InvalidDataException>(() => BuiltinGuest.Parse(new byte[100]));
    }

    internal static void AssertAsExpected(GuestSpec spec, GuestResult result)
    {
        if (spec.Serial is not null)
        {
            Assert.Equal(spec.Serial, result.Serial);
        }

        int from = 0;
        foreach (string part in spec.SerialHas)
        {
            int found = result.Serial.IndexOf(part, from, StringComparison.Ordinal);
            Assert.True(found >= 0, $"'{part}' is missing in:\n{result.Serial}");
            from = found + part.Length;
        }

        if (spec.End != GuestEnd.Any)
        {
            Assert.Equal((spec.End, spec.End == GuestEnd.ExitCode ? spec.ExitCode : result.ExitCode), (result.End, result.ExitCode));
        }
    }
}

/// <summary>A theory that needs nasm, skipped by name where there is none.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class NasmTheoryAttribute : TheoryAttribute
{
    private static readonly bool HasNasm = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Any(folder => File.Exists(Path.Combine(folder, "nasm")) || File.Exists(Path.Combine(folder, "nasm.exe")));

    /// <summary>Decides on the skip.</summary>
    public NasmTheoryAttribute()
    {
        if (!HasNasm && !Repository.IsCi)
        {
            Skip = "nasm is not installed";
        }
    }
}
