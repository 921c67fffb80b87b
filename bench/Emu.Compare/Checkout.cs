using System.ComponentModel;
using System.Diagnostics;

namespace Emu.Compare;

/// <summary>The files of this checkout that a comparison uses, and what it needs from the host.</summary>
internal sealed class Checkout
{
    /// <summary>The peer.</summary>
    public const string QemuProgram = "qemu-system-x86_64";

    private readonly string _root = FindRoot();

    /// <summary>emu as a user starts it.</summary>
    public string Launcher => Path.Combine(_root, OperatingSystem.IsWindows() ? "emu.cmd" : "emu");

    /// <summary>Debian's cloud kernel.</summary>
    public string Kernel => Path.Combine(_root, "guests", "debian", "image", "vmlinuz");

    /// <summary>The guest of the boot row.</summary>
    public string DebianInitrd => Path.Combine(_root, "guests", "debian", "image", "initrd.img");

    /// <summary>The guest with the benchmark programs.</summary>
    public string BenchInitrd => Path.Combine(_root, "guests", "bench", "image", "initrd.img");

    /// <summary>The same programs as a folder, for the native runs.</summary>
    public string BenchRoot => Path.Combine(_root, "guests", "bench", "image", "root");

    /// <summary>Folder of the programs that must do the same everywhere, a script each.</summary>
    public string ProgramsCases => Path.Combine(_root, "guests", "programs", "cases");

    /// <summary>The guest of these programs: its initramfs.</summary>
    public string ProgramsInitrd => Path.Combine(_root, "guests", "programs", "image", "initrd.img");

    /// <summary>The guest of these programs: its disk.</summary>
    public string ProgramsDisk => Path.Combine(_root, "guests", "programs", "image", "root.img");

    /// <summary>Starts the agent on this processor, in the files of that disk.</summary>
    public string ProgramsNative => Path.Combine(_root, "guests", "programs", "native");

    /// <summary>What the programs printed where they did not do the same.</summary>
    public string ProgramsDifferences => Path.Combine(_root, "guests", "programs", "image", "differences");

    /// <summary>Folder of saved results.</summary>
    public string Results => Path.Combine(_root, "bench", "results");

    /// <summary>The picture.</summary>
    public string Picture => Path.Combine(_root, "docs", "comparison.svg");

    /// <summary>Builds the benchmark guest and emu, and looks for the programs of the host.</summary>
    /// <exception cref="CompareException">Something is missing; the message says what to install.</exception>
    public void Prepare(ComparisonOptions options)
    {
        PrepareHost(options);
        PrepareGuest(options, "bench");
    }

    /// <summary>Builds the guest of <c>guests/programs</c> and emu, and looks for the programs of the host.</summary>
    /// <exception cref="CompareException">Something is missing; the message says what to install.</exception>
    public void PreparePrograms(ComparisonOptions options)
    {
        PrepareHost(options);
        Need("unshare", "--version", "util-linux");
        PrepareGuest(options, "programs");
    }

    private static void PrepareHost(ComparisonOptions options)
    {
        if (options.Qemu)
        {
            Need(QemuProgram, "--version", "qemu-system-x86 (or use --no-qemu)");
        }

        if (options.Pin is not null)
        {
            Need("taskset", "--version", "util-linux (or do not use --pin)");
        }

        if (options.Native && !Environment.IsPrivilegedProcess)
        {
            Need("unshare", "--version", "util-linux (or use --no-native)");
        }
    }

    private void PrepareGuest(ComparisonOptions options, string guest)
    {
        if (Run("sh", [Path.Combine(_root, "guests", guest, "build.sh")]) != 0)
        {
            throw new CompareException($"the guest of guests/{guest} could not be built; the reason is above");
        }

        if (options.EmuProgram is null && Run(Launcher, ["-version"]) != 0)
        {
            throw new CompareException("emu could not be built; the reason is above");
        }
    }

    /// <summary>Removes what the native runs wrote.</summary>
    public void CleanUp()
    {
        foreach (string file in Directory.EnumerateFiles(Path.Combine(BenchRoot, "tmp")))
        {
            File.Delete(file);
        }
    }

    /// <summary>First line that <paramref name="program"/> prints for <paramref name="argument"/>.</summary>
    /// <exception cref="CompareException">It is not installed.</exception>
    public static string Need(string program, string argument, string package)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, argument) { RedirectStandardOutput = true })!;
            string text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return text.Split('\n')[0].Trim();
        }
        catch (Win32Exception)
        {
            throw new CompareException($"there is no {program}; install the package {package}");
        }
    }

    private static int Run(string program, string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Emu.sln")))
            {
                return folder.FullName;
            }
        }

        throw new CompareException("this runs from a checkout only");
    }
}
