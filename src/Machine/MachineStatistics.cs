using System.Globalization;
using System.Text;
using Emu.Core.Cpu;

namespace Emu.Machine;

/// <summary>Counters of a machine at one moment, for <c>--stats</c>.</summary>
/// <param name="Accelerator">The accelerator in use.</param>
/// <param name="WallTime">Host time since the machine started to run.</param>
/// <param name="Vcpus">Counters of each vCPU, not changing any more.</param>
public sealed record MachineStatistics(string Accelerator, TimeSpan WallTime, IReadOnlyList<VcpuStatistics> Vcpus)
{
    private static readonly (string Name, Func<VcpuStatistics, ulong> Value)[] Counters =
    [
        ("instructions", counters => counters.Instructions),
        ("TLB misses", counters => counters.TlbMisses),
        ("TLB flushes", counters => counters.TlbFlushes),
        ("interrupts", counters => counters.Interrupts),
        ("exceptions", counters => counters.Exceptions),
        ("halts", counters => counters.Halts),
        ("MMIO accesses", counters => counters.MmioAccesses),
        ("port accesses", counters => counters.PortAccesses),
        ("unimplemented", counters => counters.Unimplemented),
        ("blocks translated", counters => counters.BlocksTranslated),
        ("blocks invalidated", counters => counters.BlocksInvalidated),
        ("regions compiled", counters => counters.RegionsCompiled),
        ("their instructions", counters => counters.RegionInstructions),
        ("regions dropped", counters => counters.RegionsDropped),
        ("regions refused", counters => counters.RegionsRefused),
        ("compile time (µs)", counters => counters.CompileMicroseconds),
    ];

    /// <summary>The names of the counters, in the order of <see cref="Rows"/>.</summary>
    public static IReadOnlyList<string> CounterNames { get; } = [.. Counters.Select(counter => counter.Name)];

    /// <summary>For each counter its name and its value per vCPU.</summary>
    public IEnumerable<(string Name, IReadOnlyList<ulong> Values)> Rows =>
        Counters.Select(counter => (counter.Name, (IReadOnlyList<ulong>)[.. Vcpus.Select(counter.Value)]));

    /// <summary>All vCPUs' instructions.</summary>
    public ulong Instructions => Vcpus.Aggregate(0UL, (sum, counters) => sum + counters.Instructions);

    /// <summary>Millions of guest instructions per second of wall time, halts included.</summary>
    public double Mips => WallTime > TimeSpan.Zero ? Instructions / WallTime.TotalMicroseconds : 0;

    /// <summary>A table of aligned columns, one per vCPU, and a total when there are several.</summary>
    public string Format()
    {
        var text = new StringBuilder();
        string rate = Instructions > 0 ? string.Create(CultureInfo.InvariantCulture, $", {Mips:0.0} MIPS") : "";
        text.Append(CultureInfo.InvariantCulture, $"accelerator {Accelerator}, wall time {WallTime.TotalSeconds:0.000} s{rate}\n");
        List<string[]> table = [["", .. Vcpus.Select((_, index) => $"vcpu{index}"), .. Total("total")]];
        table.AddRange(Rows.Select(row => (string[])
            [row.Name, .. row.Values.Select(Number), .. Total(Number(row.Values.Aggregate(0UL, (sum, value) => sum + value)))]));
        table.AddRange(ExitRows());
        table.AddRange(TimeRows());
        int[] widths = [.. Enumerable.Range(0, table[0].Length).Select(column => table.Max(row => row[column].Length))];
        foreach (string[] row in table)
        {
            text.AppendJoin("  ", row.Select((cell, column) => column == 0 ? cell.PadRight(widths[0]) : cell.PadLeft(widths[column])));
            text.Append('\n');
        }

        return text.ToString();
    }

    internal static MachineStatistics Collect(string accelerator, TimeSpan wallTime, IEnumerable<IVcpu> vcpus) =>
        new(accelerator, wallTime, [.. vcpus.Select(vcpu => Copy(vcpu.Statistics))]);

    private static string Number(ulong value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static VcpuStatistics Copy(VcpuStatistics source) => new()
    {
        Instructions = source.Instructions,
        TlbMisses = source.TlbMisses,
        TlbFlushes = source.TlbFlushes,
        Interrupts = source.Interrupts,
        Exceptions = source.Exceptions,
        Halts = source.Halts,
        BlocksTranslated = source.BlocksTranslated,
        BlocksInvalidated = source.BlocksInvalidated,
        RegionsCompiled = source.RegionsCompiled,
        RegionInstructions = source.RegionInstructions,
        RegionsDropped = source.RegionsDropped,
        RegionsRefused = source.RegionsRefused,
        CompileMicroseconds = source.CompileMicroseconds,
        MmioAccesses = source.MmioAccesses,
        PortAccesses = source.PortAccesses,
        Unimplemented = source.Unimplemented,
        Exits = new SortedDictionary<string, ulong>(source.Exits),
        Times = source.Times,
    };

    // What a hypervisor's exits were for; none under tcg.
    private IEnumerable<string[]> ExitRows() =>
        from reason in Vcpus.SelectMany(counters => counters.Exits.Keys).Distinct().Order(StringComparer.Ordinal)
        let values = Vcpus.Select(counters => counters.Exits.GetValueOrDefault(reason)).ToArray()
        select (string[])[$"exits: {reason}", .. values.Select(Number), .. Total(Number(values.Aggregate(0UL, (sum, value) => sum + value)))];

    // Processor time in the guest, in the host's kernel on its behalf, and in the emulator, in seconds.
    private IEnumerable<string[]> TimeRows()
    {
        if (Vcpus.Any(counters => counters.Times is null))
        {
            yield break;
        }

        foreach ((string name, Func<VcpuTimes, TimeSpan> part) in
            ((string, Func<VcpuTimes, TimeSpan>)[])[("guest time", times => times.Guest), ("sys time", times => times.Kernel), ("user time", times => times.User)])
        {
            TimeSpan[] values = [.. Vcpus.Select(counters => part(counters.Times!))];
            yield return [name, .. values.Select(Seconds), .. Total(Seconds(values.Aggregate(TimeSpan.Zero, (sum, value) => sum + value)))];
        }
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.000 's'", CultureInfo.InvariantCulture);

    private string[] Total(string text) => Vcpus.Count > 1 ? [text] : [];
}
