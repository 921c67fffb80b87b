using System.Globalization;
using Emu.Diff;

namespace Emu.Bench;

/// <summary>Cases a second of <c>emu diff</c> with one job, end to end: generating, running on both engines, comparing.</summary>
internal static class DiffRate
{
    private const ulong WarmUp = 200_000;
    private const ulong Cases = 1_000_000;
    private const string Classic = "base,x87,mmx,sse,sse2,sse3,ssse3,sse4.1,sse4.2,aes,pclmulqdq,sha,popcnt,lzcnt,movbe,adx,bmi1,bmi2";

    private static readonly (string Title, string Engines, string Isa)[] Rows =
    [
        ("all forms, tier0 against kvm", "tier0,kvm", ""),
        ("forms without VEX, tier0 against kvm", "tier0,kvm", Classic),
        ("base, tier0 against kvm", "tier0,kvm", "base"),
        ("sse2, tier0 against kvm", "tier0,kvm", "sse2"),
        ("x87, tier0 against kvm", "tier0,kvm", "x87"),
        ("avx and avx2, tier0 against kvm", "tier0,kvm", "avx,avx2"),
    ];

    /// <summary>Measures and prints. Returns the exit code: 3 when the engines differ.</summary>
    public static int Run()
    {
        Console.WriteLine("| case | cases/s | of them: engine, cases/s |\n|---|---|---|");
        ulong mismatches = 0;
        foreach ((string title, string engines, string isa) in Rows)
        {
            var options = new DiffOptions { Engines = engines.Split(','), Isa = isa.Split(',', StringSplitOptions.RemoveEmptyEntries), Count = WarmUp };
            _ = Measure(options);
            DiffSummary summary = Measure(options with { First = WarmUp, Count = Cases });
            mismatches += summary.Mismatches;
            string each = string.Join(", ", summary.Engines.Select(engine =>
                string.Create(CultureInfo.InvariantCulture, $"{engine.Key} {engine.Value.Cases / engine.Value.Time.TotalSeconds:N0}")));
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {title} | {summary.Rate:N0} | {each} |"));
        }

        return mismatches == 0 ? 0 : 3;
    }

    private static DiffSummary Measure(DiffOptions options)
    {
        using var runner = new DiffRunner(options);
        runner.Run();
        return runner.Summary();
    }
}
