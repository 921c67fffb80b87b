using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Emu.Bench;

/// <summary>
/// What KVM costs through emu, beside a C program that does nothing else (<c>kvm-exits.c</c>) and beside QEMU's start:
/// <c>dotnet run -c Release --project bench/Emu.Bench -- kvm [runs]</c>. Machines take turns; medians.
/// </summary>
internal static class KvmCosts
{
    private const int Exits = 20_000;

    /// <summary>Measures and prints; the exit code of the program.</summary>
    public static int Run(int runs)
    {
        string? compiled = CompileYardstick();
        Console.WriteLine($"{"exit",-8} {"emu ns",10} {"C ns",10} {"ratio",7}   medians of {runs}");
        foreach (string kind in (string[])["pio0", "pio3", "mmio0", "mmio3"])
        {
            var emu = new List<double>();
            var c = new List<double>();
            for (int i = 0; i < runs; i++)
            {
                using var guest = new KvmGuest(kind);
                emu.Add(guest.MeasureExits(Exits));
                if (compiled is not null)
                {
                    c.Add(double.Parse(Output(compiled, $"{kind} {Exits}"), CultureInfo.InvariantCulture));
                }
            }

            string beside = c.Count == 0 ? $"{"-",10} {"-",7}" : string.Create(CultureInfo.InvariantCulture, $"{Median(c),10:F0} {Median(emu) / Median(c),7:F3}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind,-8} {Median(emu),10:F0} {beside}"));
        }

        Report("kick of a running guest to the end of Run, µs", runs, KvmGuest.MeasureKick);
        Report("virtual machine created to its first exit, ms", runs, KvmGuest.MeasureCreation);
        ReportStarts(runs);
        return 0;
    }

    /// <summary>Whole processes: started, one machine made, its first instructions run (an OUT to isa-debug-exit), ended.</summary>
    private static void ReportStarts(int runs, [CallerFilePath] string here = "")
    {
        string folder = Directory.CreateTempSubdirectory("emu-bench").FullName;
        try
        {
            // mov al, 10h; out f4h, al: as a flat image, and as a ROM of 64 KiB with a jump to it at the reset vector.
            byte[] code = [0xB0, 0x10, 0xE6, 0xF4, 0xF4];
            string flat = Path.Combine(folder, "flat.bin");
            File.WriteAllBytes(flat, code);
            byte[] rom = new byte[0x10000];
            code.CopyTo(rom, 0);
            ((byte[])[0xE9, 0x0D, 0x00]).CopyTo(rom, 0xfff0); // to offset 0, modulo 64 KiB
            string bios = Path.Combine(folder, "rom.bin");
            File.WriteAllBytes(bios, rom);
            string emu = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "emu"));
            (string Name, string Program, string Arguments)[] machines =
            [
                ("emu -accel kvm", emu, $"-accel kvm -display none -device isa-debug-exit,iobase=0xf4,iosize=1 -device loader,file={flat},addr=0x7c00,cpu-num=0"),
                ("QEMU -accel kvm -M microvm", "qemu-system-x86_64",
                    $"-accel kvm -M microvm -display none -nodefaults -device isa-debug-exit,iobase=0xf4,iosize=1 -bios {bios}"),
            ];
            var times = machines.ToDictionary(machine => machine.Name, _ => new List<double>());
            for (int i = -1; i < runs; i++)
            {
                foreach ((string name, string program, string arguments) in machines)
                {
                    double time = WallOf(program, arguments);
                    if (i >= 0)
                    {
                        times[name].Add(time);
                    }
                }
            }

            foreach ((string name, List<double> values) in times)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"process, {name}, ms: {Median(values):F0}"));
            }
        }
        catch (System.ComponentModel.Win32Exception exception)
        {
            Console.WriteLine($"processes not compared: {exception.Message}");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double WallOf(string program, string arguments)
    {
        const int Passed = (0x10 << 1) | 1;
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true })!;
        process.WaitForExit();
        double time = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return process.ExitCode == Passed ? time : throw new InvalidOperationException($"{program} {arguments} ended with exit code {process.ExitCode}");
    }

    private static void Report(string what, int runs, Func<double> measure) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what}: {Median([.. Enumerable.Range(0, runs).Select(_ => measure())]):F1}"));

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    // The C program lies beside this file.
    private static string? CompileYardstick([CallerFilePath] string here = "")
    {
        string source = Path.Combine(Path.GetDirectoryName(here)!, "kvm-exits.c");
        string target = Path.Combine(AppContext.BaseDirectory, "kvm-exits");
        try
        {
            _ = Output("gcc", $"-O2 -o \"{target}\" \"{source}\"");
            return target;
        }
        catch (Exception exception) when (exception is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            Console.WriteLine($"without the C program: {exception.Message}");
            return null;
        }
    }

    private static string Output(string program, string arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? text : throw new InvalidOperationException($"{program} ended with exit code {process.ExitCode}");
    }
}
