using System.Diagnostics;

namespace Emu.Compare;

/// <summary>
/// Rows in which each run is a process of its own: <c>startup</c> until a firmware of two instructions has ended the emulator,
/// <c>boot</c> until Debian's first line of user space, <c>rss</c> for the peak resident memory at that moment, <c>microvm</c> the
/// boot without PCI. And <see cref="WorkerRow"/>.
/// </summary>
internal static class MachineRows
{
    private const string Marker = "EMU-GUEST-READY";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    /// <summary>Runs those of the rows that the options name; one warm-up run is left out.</summary>
    public static IReadOnlyList<RowResult> Run(ComparisonOptions options, Checkout checkout)
    {
        var results = new List<RowResult>();
        if (options.Rows.Contains("startup"))
        {
            results.Add(Startup(options, checkout));
        }

        if (options.Rows.Contains("boot") || options.Rows.Contains("rss"))
        {
            results.AddRange(Boot("boot", options, MachineSpec.WithDebian(options, checkout)).Where(row => options.Rows.Contains(row.Name)));
        }

        if (options.Rows.Contains("microvm"))
        {
            results.Add(Boot("microvm", options, MachineSpec.WithMicrovm(options, checkout))[0]);
        }

        results.ForEach(row => row.Judge());
        if (options.Rows.Contains(WorkerRow.Name))
        {
            results.Add(WorkerRow.Run(options, checkout));
        }

        return results;
    }

    private static RowResult Startup(ComparisonOptions options, Checkout checkout)
    {
        string firmware = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(firmware, Firmware());
            var row = new RowResult { Name = "startup", Group = RowGroup.Machine };
            InTurn("startup", options, MachineSpec.WithFirmware(options, checkout, firmware), (spec, warm) =>
            {
                MachineResult result = Of(row, spec);
                var watch = Stopwatch.StartNew();
                using Process process = Children.Start(spec);
                bool ended = process.WaitForExit(Limit);
                double seconds = watch.Elapsed.TotalSeconds;
                Children.End(process);
                // isa-debug-exit makes (v << 1) | 1 of the byte 0.
                Note(result, warm, seconds, !ended ? "does not end" : process.ExitCode == 1 ? null : $"exit code {process.ExitCode} instead of 1");
            });
            return row;
        }
        finally
        {
            File.Delete(firmware);
        }
    }

    private static RowResult[] Boot(string name, ComparisonOptions options, IReadOnlyList<MachineSpec> machines)
    {
        var boot = new RowResult { Name = name, Group = RowGroup.Machine };
        var memory = new RowResult { Name = "rss", Group = RowGroup.Machine, Unit = "MiB" };
        InTurn(name, options, machines, (spec, warm) =>
        {
            (double seconds, double mebibytes, string? failure) = BootOnce(spec);
            Note(Of(boot, spec), warm, seconds, failure);
            Note(Of(memory, spec), warm, mebibytes, failure);
        });
        return [boot, memory];
    }

    private static (double Seconds, double Mebibytes, string? Failure) BootOnce(MachineSpec spec)
    {
        var watch = Stopwatch.StartNew();
        using Process process = Children.Start(spec);
        using var limit = new Timer(_ => process.Kill(), null, Limit, Timeout.InfiniteTimeSpan);
        while (process.StandardOutput.ReadLine() is string line)
        {
            if (line.Contains(Marker, StringComparison.Ordinal))
            {
                double seconds = watch.Elapsed.TotalSeconds;
                process.Refresh();
                double mebibytes = process.PeakWorkingSet64 / (double)(1 << 20);
                Children.End(process);
                return (seconds, mebibytes, null);
            }
        }

        Children.End(process);
        return (0, 0, watch.Elapsed >= Limit ? $"not up within {Limit.TotalSeconds:F0} s" : $"ended with exit code {process.ExitCode} before the guest was up");
    }

    private static void InTurn(string name, ComparisonOptions options, IReadOnlyList<MachineSpec> specs, Action<MachineSpec, bool> once)
    {
        for (int run = 0; run <= options.Runs; run++)
        {
            foreach (MachineSpec spec in specs)
            {
                Progress.Show(run == 0 ? $"{name}: warm-up, {spec.Name}" : $"{name}: run {run} of {options.Runs}, {spec.Name}");
                once(spec, run == 0);
            }
        }
    }

    private static MachineResult Of(RowResult row, MachineSpec spec)
    {
        if (!row.Machines.TryGetValue(spec.Name, out MachineResult? result))
        {
            result = new MachineResult();
            row.Machines.Add(spec.Name, result);
        }

        return result;
    }

    private static void Note(MachineResult result, bool warm, double value, string? failure)
    {
        result.Failure ??= failure;
        if (!warm && failure is null)
        {
            result.Values.Add(value);
        }
    }

    // MOV AL, 0; OUT F4h, AL; HLT; JMP back to HLT, at the reset vector of a 64 KiB image.
    private static byte[] Firmware()
    {
        byte[] image = new byte[64 << 10];
        byte[] code = [0xB0, 0x00, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD];
        code.CopyTo(image, 0xFFF0);
        return image;
    }
}
