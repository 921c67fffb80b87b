using Emu.Block;
using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-drive</c>, <c>-hda</c> to <c>-hdd</c> and <c>-cdrom</c>, and the <c>-device</c>s that have properties of their own.</summary>
internal static class DriveOptions
{
    private const int IdeDrives = 4;
    private const int DrivesOfBus = 2;
    private const int CdromIndex = 2;

    private static readonly string[] DriveProperties =
        ["file", "if", "id", "format", "readonly", "snapshot", "cache", "serial", "media", "index", "bus", "unit", "bootindex"];

    private static readonly (string Option, int Index)[] DiskOptions = [("hda", 0), ("hdb", 1), ("hdc", 2), ("hdd", 3)];

    /// <summary>
    /// The disks, and the devices: those named, then those of drives with an interface. Virtio disks of the machine end in
    /// <paramref name="virtioSuffix"/>.
    /// </summary>
    public static (List<DriveSpec> Drives, List<DeviceSpec> Devices) Read(OptionValues options, string virtioSuffix)
    {
        List<DriveLine> lines = ReadLines(options);
        string? twice = lines.GroupBy(line => line.Id).FirstOrDefault(group => group.Count() > 1)?.Key;
        if (twice is not null)
        {
            throw new OptionException($"-drive: id '{twice}' is given twice");
        }

        var devices = new List<DeviceSpec>();
        foreach (PropertyList list in ConfigBuilder.DeviceLists(options).Where(list => IsOnBus(list.First)))
        {
            devices.Add(new DeviceSpec(list.First) { Properties = list.Properties });
        }

        devices.AddRange(IdeDevices(lines));
        devices.AddRange(lines.Where(line => line.Interface == "virtio").Select(line => line.ToDevice($"virtio-blk-{virtioSuffix}")));
        return ([.. lines.Where(line => line.File is not null).Select(line => line.ToDrive())], devices);
    }

    private static bool IsOnBus(string driver) =>
        driver is "VGA" or "bochs-display" || driver.StartsWith("ide-", StringComparison.Ordinal) || driver.StartsWith("virtio-", StringComparison.Ordinal);

    private static List<DriveLine> ReadLines(OptionValues options)
    {
        var lines = new List<DriveLine>();
        foreach ((string option, int index) in DiskOptions)
        {
            if (options.Last(option) is string file)
            {
                lines.Add(new DriveLine(option, option, file) { Index = index });
            }
        }

        if (options.Last("cdrom") is string disc)
        {
            lines.Add(new DriveLine("cdrom", "cdrom", disc) { Index = CdromIndex, IsDisc = true });
        }

        IReadOnlyList<string> drives = options.All("drive");
        for (int i = 0; i < drives.Count; i++)
        {
            int number = i;
            lines.Add(OptionValues.Read("drive", drives[i], text => ReadDrive(PropertyList.Parse("," + text), number)));
        }

        return lines;
    }

    private static DriveLine ReadDrive(PropertyList list, int number)
    {
        foreach (string key in list.Properties.Keys)
        {
            if (!DriveProperties.Contains(key))
            {
                throw new OptionException($"unknown property '{key}'; there is {string.Join(", ", DriveProperties)}");
            }
        }

        string kind = list.Get("if") ?? "ide";
        bool isDisc = (list.Get("media") ?? "disk") switch
        {
            "disk" => false,
            "cdrom" => true,
            string media => throw new OptionException($"media='{media}' is neither disk nor cdrom"),
        };
        string? file = list.Get("file") is { Length: > 0 } path ? path
            : isDisc && kind == "ide" ? null : throw new OptionException("needs file=PATH");
        CheckInterface(list, kind, isDisc);
        return new DriveLine("drive", list.Get("id") ?? $"drive{number}", file)
        {
            Interface = kind,
            Index = ReadPlace(list),
            IsDisc = isDisc,
            Serial = list.Get("serial"),
            BootIndex = list.Get("bootindex"),
            Format = ReadFormat(list.Get("format")),
            IsReadOnly = Switch(list, "readonly"),
            IsSnapshot = Switch(list, "snapshot"),
            Cache = ReadCache(list.Get("cache")),
        };
    }

    private static void CheckInterface(PropertyList list, string kind, bool isDisc)
    {
        if (kind is not ("none" or "virtio" or "ide"))
        {
            throw new OptionException($"if={kind} is not there yet; there is ide, virtio and none");
        }

        if (kind == "none" && list.Properties.Keys.FirstOrDefault(key => key is "serial" or "bootindex") is string property)
        {
            throw new OptionException($"{property}= goes with if=ide and if=virtio; with if=none give it to the -device");
        }

        if (kind != "ide" && list.Properties.Keys.FirstOrDefault(key => key is "index" or "bus" or "unit") is string place)
        {
            throw new OptionException($"{place}= goes with if=ide");
        }

        if (kind == "virtio" && isDisc)
        {
            throw new OptionException("media=cdrom goes with if=ide, or if=none and -device ide-cd");
        }
    }

    private static int? ReadPlace(PropertyList list)
    {
        if (list.Get("index") is string index)
        {
            return list.Get("bus") is null && list.Get("unit") is null
                ? (int)ValueParsers.Number("index", index, IdeDrives - 1)
                : throw new OptionException("index= stands for bus= and unit=; give one or the other");
        }

        return list.Get("bus") is null && list.Get("unit") is null ? null
            : (int)((ValueParsers.Number("bus", list.Get("bus") ?? "0", 1) * DrivesOfBus) + ValueParsers.Number("unit", list.Get("unit") ?? "0", DrivesOfBus - 1));
    }

    // Those with a place first; the others take what is left, as in QEMU.
    private static IEnumerable<DeviceSpec> IdeDevices(List<DriveLine> lines)
    {
        var places = new DriveLine?[IdeDrives];
        List<DriveLine> drives = [.. lines.Where(line => line.Interface == "ide").OrderBy(line => line.Index is null)];
        foreach (DriveLine line in drives)
        {
            int place = line.Index ?? Array.IndexOf(places, null);
            if (place < 0 || places[place] is not null)
            {
                throw new OptionException(place < 0 ? $"-{line.Option}: an IDE controller has room for {IdeDrives} drives"
                    : $"-{line.Option}: drive {place} (bus {place / DrivesOfBus}, unit {place % DrivesOfBus}) is given twice, also by -{places[place]!.Option}");
            }

            places[place] = line;
            yield return line.ToDevice(line.IsDisc ? "ide-cd" : "ide-hd", place);
        }
    }

    private static ImageFormat? ReadFormat(string? name)
    {
        try
        {
            return name is null ? null : ImageFormats.Parse(name);
        }
        catch (BlockException exception)
        {
            throw new OptionException(exception.Message);
        }
    }

    private static bool Switch(PropertyList list, string name) => list.Get(name) is string value && ValueParsers.Switch(name, value);

    private static CacheMode ReadCache(string? text) => text switch
    {
        null or "writeback" => CacheMode.WriteBack,
        "writethrough" => CacheMode.WriteThrough,
        "none" => CacheMode.None,
        "unsafe" => CacheMode.Unsafe,
        _ => throw new OptionException($"cache='{text}' is none of writeback, writethrough, none, unsafe"),
    };

    /// <summary>One drive, by whichever option.</summary>
    private sealed record DriveLine(string Option, string Id, string? File)
    {
        public string Interface { get; init; } = "ide";

        public int? Index { get; init; }

        public bool IsDisc { get; init; }

        public string? Serial { get; init; }

        public string? BootIndex { get; init; }

        public ImageFormat? Format { get; init; }

        public bool IsReadOnly { get; init; }

        public bool IsSnapshot { get; init; }

        public CacheMode Cache { get; init; }

        public DriveSpec ToDrive() => new(Id, File!)
        {
            Format = Format,
            IsReadOnly = IsReadOnly || (IsDisc && Interface == "ide"),
            IsSnapshot = IsSnapshot,
            Cache = Cache,
            Option = "-" + Option,
        };

        public DeviceSpec ToDevice(string driver, int? place = null)
        {
            var properties = new Dictionary<string, string>();
            Set("drive", File is null ? null : Id);
            Set("serial", Serial);
            Set("bootindex", BootIndex);
            Set("bus", place is int index ? $"ide.{index / DrivesOfBus}" : null);
            Set("unit", place is int number ? $"{number % DrivesOfBus}" : null);
            return new DeviceSpec(driver) { Properties = properties };

            void Set(string name, string? value)
            {
                if (value is not null)
                {
                    properties[name] = value;
                }
            }
        }
    }
}
