using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Emu.Block;
using Emu.Block.Tools;
using Emu.Cli.Options;

namespace Emu.Cli.Image;

/// <summary>What the verbs of <c>emu image</c> do and print. Each returns an exit code.</summary>
internal static class ImageVerbs
{
    private const int DamagedExit = 2;
    private const int LeaksExit = 3;
    private const int NothingToCheckExit = 63;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary><c>create</c>.</summary>
    public static int Create(ImageArguments arguments)
    {
        Dictionary<string, string> values = arguments.Values();
        values.Remove("backing_file", out string? backing);
        values.Remove("backing_fmt", out string? backingFormat);
        var options = new CreateOptions
        {
            Path = arguments.Operands[0],
            Format = arguments.Format("-f") ?? ImageFormat.Raw,
            Size = arguments.Operands.Count > 1 ? Size(arguments.Operands[1]) : null,
            Backing = arguments.Text("-b") ?? backing,
            BackingFormat = arguments.Format("-F") ?? (backingFormat is null ? null : ImageFormats.Parse(backingFormat)),
            Values = values,
        };
        long size = ImageCreator.Create(options);
        Say(arguments, $"created {options.Path}, {ImageFormats.NameOf(options.Format)}, a disk of {size} bytes");
        return 0;
    }

    /// <summary><c>info</c>.</summary>
    public static int Info(ImageArguments arguments)
    {
        ImageInfo info = ImageInfo.Read(arguments.Operands[0], arguments.Format("-f"));
        Console.Out.Write(arguments.IsJson ? JsonSerializer.Serialize(info, Json) + "\n" : Format(info));
        return 0;
    }

    /// <summary><c>convert</c>.</summary>
    public static int Convert(ImageArguments arguments)
    {
        var source = new ImageOptions { Path = arguments.Operands[0], Format = arguments.Format("-f"), InternalSnapshot = arguments.Text("-l") };
        var target = new CreateOptions { Path = arguments.Operands[1], Format = arguments.Format("-O") ?? ImageFormat.Raw, Values = arguments.Values() };
        ImageConverter.Convert(source, target, arguments.Has("-c"));
        return 0;
    }

    /// <summary><c>check</c>.</summary>
    public static int Check(ImageArguments arguments)
    {
        RepairMode repair = arguments.Text("-r") switch
        {
            null => RepairMode.None,
            "leaks" => RepairMode.Leaks,
            "all" => RepairMode.All,
            string other => throw new OptionException($"-r: '{other}' is neither leaks nor all"),
        };
        string path = arguments.Operands[0];
        bool json = arguments.IsJson;
        CheckReport? report = ImageMaintenance.Check(path, arguments.Format("-f"), repair);
        if (report is null)
        {
            Console.Error.WriteLine($"emu: image check: {path}: a raw image has nothing to check");
            return NothingToCheckExit;
        }

        if (json)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(ToJson(path, report), Json));
        }
        else if (arguments.IsTalkative)
        {
            Console.Out.Write(Format(report));
        }

        return report.Corruptions > 0 ? DamagedExit : report.Leaks > 0 ? LeaksExit : 0;
    }

    /// <summary><c>resize</c>.</summary>
    public static int Resize(ImageArguments arguments)
    {
        string text = arguments.Operands[1];
        bool isRelative = text.Length > 0 && text[0] is '+' or '-';
        long size = Size(isRelative ? text[1..] : text);
        long result = ImageMaintenance.Resize(arguments.Operands[0], arguments.Format("-f"), text.StartsWith('-') ? -size : size, isRelative, arguments.Has("--shrink"));
        Say(arguments, $"{arguments.Operands[0]} is a disk of {result} bytes now");
        return 0;
    }

    /// <summary><c>commit</c>.</summary>
    public static int Commit(ImageArguments arguments)
    {
        ImageMaintenance.Commit(arguments.Operands[0], arguments.Format("-f"), empty: !arguments.Has("-d"));
        Say(arguments, "Image committed.");
        return 0;
    }

    /// <summary><c>snapshot -l</c>.</summary>
    public static int Snapshot(ImageArguments arguments)
    {
        if (!arguments.Has("--list"))
        {
            throw new OptionException("snapshots can only be listed; use -l");
        }

        ImageInfo info = ImageInfo.Read(arguments.Operands[0], arguments.Format("-f"));
        Console.Out.Write(Format(info.Snapshots ?? []));
        return 0;
    }

    /// <summary><c>compare</c>.</summary>
    public static int Compare(ImageArguments arguments)
    {
        var first = new ImageOptions { Path = arguments.Operands[0], Format = arguments.Format("-f") };
        var second = new ImageOptions { Path = arguments.Operands[1], Format = arguments.Format("-F") };
        CompareResult result = ImageComparer.Compare(first, second);
        if (result.DifferentAt is long offset)
        {
            Say(arguments, $"Content mismatch at offset {offset}!");
            return 1;
        }

        bool isSame = !result.SizesDiffer || !arguments.Has("--strict");
        Say(arguments, !result.SizesDiffer ? "Images are identical." : isSame ? "Images are identical but for their sizes; the rest is zero." : "Images have different sizes.");
        return isSame ? 0 : 1;
    }

    private static long Size(string text) =>
        SizeText.TryParse(text, out long bytes) && bytes < long.MaxValue >> 1 ? bytes : throw new OptionException($"'{text}' is not a size; write for example 512M or 10G");

    private static void Say(ImageArguments arguments, string text)
    {
        if (arguments.IsTalkative)
        {
            Console.Out.WriteLine(text);
        }
    }

    private static Dictionary<string, object> ToJson(string path, CheckReport report)
    {
        var values = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["image-end-offset"] = report.ImageEndOffset,
            ["total-clusters"] = report.TotalClusters,
            ["check-errors"] = 0,
            ["allocated-clusters"] = report.AllocatedClusters,
            ["fragmented-clusters"] = report.FragmentedClusters,
            ["compressed-clusters"] = report.CompressedClusters,
            ["filename"] = path,
            ["format"] = "qcow2",
        };
        foreach ((string name, int count) in new[]
        {
            ("corruptions", report.Corruptions), ("leaks", report.Leaks), ("corruptions-fixed", report.CorruptionsFixed), ("leaks-fixed", report.LeaksFixed),
        })
        {
            if (count > 0)
            {
                values[name] = count;
            }
        }

        return values;
    }

    private static string Format(CheckReport report)
    {
        var text = new StringBuilder();
        foreach (string message in report.Messages)
        {
            text.Append(message).Append('\n');
        }

        if (report.LeaksFixed + report.CorruptionsFixed > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{report.LeaksFixed} leaked clusters and {report.CorruptionsFixed} errors were repaired.\n");
        }

        text.Append(report.Corruptions > 0 ? string.Create(CultureInfo.InvariantCulture, $"{report.Corruptions} errors were found on the image. Data may be lost by writing to it.\n")
            : report.Leaks > 0 ? string.Create(CultureInfo.InvariantCulture, $"{report.Leaks} leaked clusters were found on the image: space is wasted, data is safe.\n")
            : "No errors were found on the image.\n");
        return text.Append(CultureInfo.InvariantCulture,
            $"{report.AllocatedClusters}/{report.TotalClusters} clusters allocated, {report.FragmentedClusters} not in a row, {report.CompressedClusters} compressed\nImage end offset: {report.ImageEndOffset}\n").ToString();
    }

    private static string Format(ImageInfo info)
    {
        var text = new StringBuilder();
        Line("image", info.FileName);
        Line("file format", info.Format);
        Line("virtual size", $"{SizeText.Format(info.VirtualSize)} ({info.VirtualSize} bytes)");
        Line("disk size", SizeText.Format(info.ActualSize));
        if (info.Specific?.Data is Qcow2Specific data)
        {
            Line("cluster_size", $"{info.ClusterSize}");
            if (info.BackingFile is not null)
            {
                Line("backing file", info.BackingFile == info.FullBackingFile ? info.BackingFile : $"{info.BackingFile} (actual path: {info.FullBackingFile})");
                Line("backing file format", info.BackingFormat ?? "not stated");
            }

            text.Append(info.Snapshots is null ? "" : Format(info.Snapshots));
            Line("compat", data.Compat);
            Line("compression type", data.CompressionType);
            Line("lazy refcounts", data.LazyRefcounts ? "true" : "false");
            Line("refcount bits", $"{data.RefcountBits}");
            Line("corrupt", data.Corrupt ? "true" : "false");
            text.Append(info.IsDirty ? "cleanly shut down: no\n" : "");
        }

        return text.ToString();

        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name}: {value}\n");
    }

    private static string Format(IReadOnlyList<SnapshotInfo> snapshots)
    {
        var text = new StringBuilder(snapshots.Count == 0 ? "" : "Snapshot list:\nID        TAG               VM SIZE                DATE       VM CLOCK\n");
        foreach (SnapshotInfo snapshot in snapshots)
        {
            string date = DateTimeOffset.FromUnixTimeSeconds(snapshot.Seconds).ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            string clock = TimeSpan.FromSeconds(Math.Min(snapshot.VmClockSeconds, int.MaxValue)).ToString("c", CultureInfo.InvariantCulture);
            text.Append(CultureInfo.InvariantCulture, $"{snapshot.Id,-10}{snapshot.Name,-17}{SizeText.Format((long)Math.Min(snapshot.VmStateSize, long.MaxValue)),8} {date,19} {clock,14}\n");
        }

        return text.ToString();
    }
}
