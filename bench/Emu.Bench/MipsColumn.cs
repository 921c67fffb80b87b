using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;

namespace Emu.Bench;

/// <summary>Millions of guest instructions a second, from the mean time of one instruction.</summary>
internal sealed class MipsColumn : IColumn
{
    public string Id => nameof(MipsColumn);

    public string ColumnName => "MIPS";

    public bool AlwaysShow => true;

    public ColumnCategory Category => ColumnCategory.Custom;

    public int PriorityInCategory => 0;

    public bool IsNumeric => true;

    public UnitType UnitType => UnitType.Dimensionless;

    public string Legend => "Millions of guest instructions a second (1000 / median in ns)";

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase)
    {
        if (benchmarkCase.Descriptor.Type != typeof(InterpreterBenchmarks) && benchmarkCase.Descriptor.Type != typeof(CompiledBenchmarks))
        {
            return "-";
        }

        double? median = summary[benchmarkCase]?.ResultStatistics?.Median;
        return median is > 0 ? (1000 / median.Value).ToString("F0", CultureInfo.InvariantCulture) : "-";
    }

    public string GetValue(Summary summary, BenchmarkCase benchmarkCase, SummaryStyle style) => GetValue(summary, benchmarkCase);

    public bool IsDefault(Summary summary, BenchmarkCase benchmarkCase) => false;

    public bool IsAvailable(Summary summary) => true;
}
