using System.Diagnostics;
using System.Globalization;

namespace Emu.Bench;

/// <summary>
/// Boots the Debian guest in emu and in QEMU in turn, from process start to the first line of user space, and prints medians, their
/// ratio and the peak resident memory. Only the ratio means anything on a shared machine.
/// </summary>
internal static class BootComparison
{
    private const string Marker = "EMU-GUEST-READY";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Runs <paramref name="runs"/> pairs; returns the exit code.</summary>
    public static int Run(int runs)
    {
        string root = FindRoot();
        string kernel = Path.Combine(root, "guests", "debian", "image", "vmlinuz");
        string initrd = Path.Combine(root, "guests", "debian", "image", "initrd.img");
        if (!File.Exists(kernel))
        {
            Console.Error.WriteLine("There is no Debian guest; run guests/debian/fetch.sh first.");
            return 1;
        }

        string[] guest = ["-m", "512", "-nographic", "-no-reboot", "-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 panic=-1"];
        (string Name, string File, string[] Arguments)[] emulators =
        [
            ("emu", Path.Combine(root, OperatingSystem.IsWindows() ? "emu.cmd" : "emu"), ["-accel", "tcg", .. guest]),
            ("qemu", "qemu-system-x86_64", ["-accel", "tcg,thread=single", "-M", "pc", "-nic", "none", "-vga", "none", .. guest]),
        ];
        var results = emulators.ToDictionary(emulator => emulator.Name, _ => new List<(double Seconds, long Rss)>());
        for (int i = 0; i <= runs; i++)
        {
            foreach ((string name, string file, string[] arguments) in emulators)
            {
                (double Seconds, long Rss) result = Boot(file, arguments);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{(i == 0 ? "warm-up" : $"run {i}")}: {name} {result.Seconds:F2} s, {result.Rss} MiB"));
                if (i > 0)
                {
                    results[name].Add(result);
                }
            }
        }

        double emu = Median(results["emu"].Select(result => result.Seconds));
        double qemu = Median(results["qemu"].Select(result => result.Seconds));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"median of {runs}: emu {emu:F2} s, qemu {qemu:F2} s, emu/qemu {emu / qemu:F2}"));
        Console.WriteLine($"peak RSS: emu {results["emu"].Max(result => result.Rss)} MiB, qemu {results["qemu"].Max(result => result.Rss)} MiB");
        return 0;
    }

    private static (double Seconds, long RssMiB) Boot(string file, string[] arguments)
    {
        var watch = Stopwatch.StartNew();
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })
            ?? throw new InvalidOperationException($"{file} does not start.");
        using var limit = new Timer(_ => process.Kill(), null, Limit, Timeout.InfiniteTimeSpan);
        while (process.StandardOutput.ReadLine() is string line)
        {
            if (line.Contains(Marker, StringComparison.Ordinal))
            {
                double seconds = watch.Elapsed.TotalSeconds;
                process.Refresh();
                long rss = process.PeakWorkingSet64 >> 20;
                process.Kill();
                process.WaitForExit();
                return (seconds, rss);
            }
        }

        throw new InvalidOperationException($"{file} ended before the guest was up.");
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
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

        throw new InvalidOperationException("This runs from a checkout only.");
    }
}
