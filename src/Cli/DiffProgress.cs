using System.Diagnostics;
using System.Globalization;
using Emu.Diff;

namespace Emu.Cli;

/// <summary>How far a comparison is: a line that is overwritten on a terminal, else a new one now and then. On standard error.</summary>
internal sealed class DiffProgress(DiffOptions options)
{
    private const int LineSeconds = 30;

    private readonly bool _terminal = !Console.IsErrorRedirected;
    private long _last = Stopwatch.GetTimestamp();
    private int _width;

    /// <summary>Shows <paramref name="summary"/>.</summary>
    public void Show(DiffSummary summary)
    {
        string total = options.Count > 0 ? string.Create(CultureInfo.InvariantCulture, $" of {options.Count:N0}") : "";
        string line = string.Create(CultureInfo.InvariantCulture,
            $"{summary.Cases:N0}{total} cases, {summary.Rate:N0}/s, {summary.Mismatches} mismatches, {summary.Elapsed:hh\\:mm\\:ss}");
        if (_terminal)
        {
            Console.Error.Write("\r" + line.PadRight(_width));
            _width = line.Length;
        }
        else if (Stopwatch.GetElapsedTime(_last).TotalSeconds >= LineSeconds)
        {
            _last = Stopwatch.GetTimestamp();
            Console.Error.WriteLine(line);
        }
    }

    /// <summary>Takes the line off the terminal.</summary>
    public void Clear()
    {
        if (_terminal)
        {
            Console.Error.Write("\r" + new string(' ', _width) + "\r");
        }
    }
}
