using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Emu.Compare;

try
{
    return args switch
    {
        ["soak", .. string[] rest] => Soak.Invoke(rest),
        ["boots", .. string[] rest] => Boots.Invoke(rest),
        ["programs", .. string[] rest] => ProgramChecks.Invoke(rest),
        _ => CompareCommandLine.Invoke(args, Compare),
    };
}
catch (CompareException exception)
{
    Console.Error.WriteLine($"compare: {exception.Message}");
    return 1;
}

static int Compare(ComparisonOptions options)
{
    var checkout = new Checkout();
    checkout.Prepare(options);
    using IDisposable signals = Children.EndOnSignals();
    var result = new ComparisonResult
    {
        Date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Host = HostDescription.Here(options),
        Runs = options.Runs,
        Percent = options.Percent,
        Options = $"-cpu {options.CpuModel}, {(options.Pin is null ? "not pinned" : "all on one CPU")}, "
            + $"emu: {Words(options.EmuArguments)}, QEMU: {Words(options.QemuArguments)}",
    };

    var watch = Stopwatch.StartNew();
    Console.WriteLine(MarkdownReport.TableHead);
    foreach (RowResult row in MachineRows.Run(options, checkout))
    {
        Show(result, row);
    }

    Row[] programs = [.. RowCatalog.All.Where(row => options.Rows.Contains(row.Name))];
    using (var runner = new ProgramRows(options, MachineSpec.WithAgent(options, checkout)))
    {
        foreach (Row row in programs)
        {
            Show(result, runner.Run(row));
        }
    }

    checkout.CleanUp();

    Console.WriteLine();
    Console.WriteLine(MarkdownReport.MeanTable(result.Means));
    Console.Error.WriteLine($"compare: {watch.Elapsed.TotalMinutes:F1} minutes");
    if (options.Save)
    {
        Save(result, checkout);
    }

    return result.EmuFailed ? 1 : 0;
}

static string Words(IReadOnlyList<string> arguments) => arguments.Count == 0 ? "defaults" : string.Join(' ', arguments);

static void Show(ComparisonResult result, RowResult row)
{
    result.Rows.Add(row);
    Progress.Clear();
    Console.WriteLine(MarkdownReport.Line(row));
}

static void Save(ComparisonResult result, Checkout checkout)
{
    Directory.CreateDirectory(checkout.Results);
    Directory.CreateDirectory(Path.GetDirectoryName(checkout.Picture)!);
    string name = Path.Combine(checkout.Results, $"{result.Date}-{result.Host.FileName}");
    var json = new JsonSerializerOptions { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };
    File.WriteAllText(name + ".json", JsonSerializer.Serialize(result, json) + "\n");
    File.WriteAllText(name + ".md", MarkdownReport.Write(result));
    File.WriteAllText(checkout.Picture, SvgChart.Draw(result));
    Console.Error.WriteLine($"compare: saved {name}.md, {name}.json and {checkout.Picture}");
}
