using System.Globalization;
using System.Net;
using System.Text;

namespace Emu.Compare;

/// <summary>
/// The picture of a comparison: a bar per row for emu's time by QEMU's, on a logarithmic scale around 1, shorter times to the left.
/// </summary>
internal sealed class SvgChart
{
    private const int RowHeight = 18;
    private const int Top = 64;
    private const int LabelWidth = 120;
    private const int PlotWidth = 620;
    private const int ValueWidth = 70;
    private static readonly double[] Ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];

    private readonly StringBuilder _svg = new();
    private readonly ComparisonResult _result;
    private readonly (string Label, double? Ratio, bool Mean)[] _bars;
    private readonly double _low;
    private readonly double _high;

    private SvgChart(ComparisonResult result)
    {
        _result = result;
        _bars =
        [
            .. result.Means.Select(mean => (mean.Name, mean.EmuToQemu, true)),
            .. result.Rows.Select(row => (row.Name, row.Ratio(MachineSpec.Emu, MachineSpec.Qemu), false)),
        ];
        double[] ratios = [.. _bars.Select(bar => bar.Ratio).OfType<double>(), 1];
        _low = Ticks.LastOrDefault(tick => tick <= ratios.Min(), Ticks[0]);
        _high = Ticks.FirstOrDefault(tick => tick >= Math.Max(ratios.Max(), 2), Ticks[^1]);
    }

    /// <summary>The text of the SVG file.</summary>
    public static string Draw(ComparisonResult result)
    {
        var chart = new SvgChart(result);
        chart.DrawAll();
        return chart._svg.ToString();
    }

    private void DrawAll()
    {
        int width = LabelWidth + PlotWidth + ValueWidth;
        int height = Top + (_bars.Length * RowHeight) + 12;
        Add($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">");
        Add($"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        Add($"<text x=\"10\" y=\"20\" font-size=\"15\" font-weight=\"bold\">Time in emu by time in QEMU tcg (left of 1: emu is faster)</text>");
        string where = string.Create(CultureInfo.InvariantCulture, $"{_result.Host.Cpu}, {_result.Host.Cpus} CPUs, {_result.Date}, medians of {_result.Runs}");
        Add($"<text x=\"10\" y=\"38\" fill=\"#555555\">{WebUtility.HtmlEncode(where)}</text>");
        foreach (double tick in Ticks.Where(tick => tick >= _low && tick <= _high))
        {
            double x = X(tick);
            Add($"<line x1=\"{x:F1}\" y1=\"{Top - 6}\" x2=\"{x:F1}\" y2=\"{height - 8}\" stroke=\"{(tick == 1 ? "#333333" : "#dddddd")}\"/>");
            Add($"<text x=\"{x:F1}\" y=\"{Top - 10}\" text-anchor=\"middle\" fill=\"#555555\">{tick}</text>");
        }

        for (int i = 0; i < _bars.Length; i++)
        {
            DrawBar(_bars[i], Top + (i * RowHeight));
        }

        Add($"</svg>");
    }

    private void DrawBar((string Label, double? Ratio, bool Mean) bar, int y)
    {
        string weight = bar.Mean ? " font-weight=\"bold\"" : "";
        Add($"<text x=\"{LabelWidth - 6}\" y=\"{y + 13}\" text-anchor=\"end\"{weight} font-size=\"{(bar.Label.Length > 18 ? 9 : 12)}\">{WebUtility.HtmlEncode(bar.Label)}</text>");
        if (bar.Ratio is not double ratio)
        {
            Add($"<text x=\"{X(1) + 4:F1}\" y=\"{y + 13}\" fill=\"#b03030\">no result</text>");
            return;
        }

        double x = X(Math.Clamp(ratio, _low, _high));
        double left = Math.Min(x, X(1));
        string colour = ratio <= 1 ? bar.Mean ? "#1f6f43" : "#4aa574" : bar.Mean ? "#9c3d10" : "#d9824f";
        Add($"<rect x=\"{left:F1}\" y=\"{y + 3}\" width=\"{Math.Abs(x - X(1)):F1}\" height=\"{RowHeight - 5}\" fill=\"{colour}\"/>");
        Add($"<text x=\"{LabelWidth + PlotWidth + 8}\" y=\"{y + 13}\"{weight}>{ratio:F2}</text>");
    }

    private double X(double ratio) => LabelWidth + (PlotWidth * (Math.Log(ratio) - Math.Log(_low)) / (Math.Log(_high) - Math.Log(_low)));

    private void Add(FormattableString line) => _svg.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
