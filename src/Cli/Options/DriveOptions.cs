using Emu.Block;
using Emu.Machine;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-drive</c>, and the <c>-device</c>s that are on the PCI bus.</summary>
internal static class DriveOptions
{
    private static readonly string[] DriveProperties = ["file", "if", "id", "format", "readonly", "snapshot", "cache", "serial", "media"];

    /// <summary>The disks.</summary>
    public static List<DriveSpec> ReadDrives(OptionValues options)
    {
        List<DriveSpec> drives = [.. Lists(options).Select((list, index) => OptionValues.Read("drive", "", _ => ReadDrive(list, index)))];
        string? twice = drives.GroupBy(drive => drive.Id).FirstOrDefault(group => group.Count() > 1)?.Key;
        return twice is null ? drives : throw new OptionException($"-drive: id '{twice}' is given twice");
    }

    /// <summary>The devices: those of <c>-drive if=virtio</c>, then those named.</summary>
    public static List<DeviceSpec> ReadDevices(OptionValues options)
    {
        var devices = new List<DeviceSpec>();
        foreach (PropertyList list in ConfigBuilder.DeviceLists(options).Where(list => list.First is "VGA" or "bochs-display" || list.First.EndsWith("-pci", StringComparison.Ordinal)))
        {
            devices.Add(new DeviceSpec(list.First) { Properties = list.Properties });
        }

        List<PropertyList> drives = Lists(options);
        for (int i = 0; i < drives.Count; i++)
        {
            if (drives[i].Get("if") is "virtio")
            {
                var properties = new Dictionary<string, string> { ["drive"] = IdOf(drives[i], i) };
                if (drives[i].Get("serial") is string serial)
                {
                    properties["serial"] = serial;
                }

                devices.Add(new DeviceSpec("virtio-blk-pci") { Properties = properties });
            }
        }

        return devices;
    }

    private static List<PropertyList> Lists(OptionValues options) =>
        [.. options.All("drive").Select(text => OptionValues.Read("drive", text, value => PropertyList.Parse("," + value)))];

    private static string IdOf(PropertyList list, int index) => list.Get("id") ?? $"drive{index}";

    private static DriveSpec ReadDrive(PropertyList list, int index)
    {
        foreach (string key in list.Properties.Keys)
        {
            if (!DriveProperties.Contains(key))
            {
                throw new OptionException($"unknown property '{key}'; there is {string.Join(", ", DriveProperties)}");
            }
        }

        string file = list.Get("file") ?? throw new OptionException("needs file=PATH");
        if (list.Get("if") is not ("none" or "virtio"))
        {
            throw new OptionException($"if={list.Get("if") ?? "ide"} is not there yet; write if=virtio, or if=none with an id and a -device");
        }

        if (list.Get("if") == "none" && list.Get("serial") is not null)
        {
            throw new OptionException("serial= goes with if=virtio; with if=none give it to the -device");
        }

        if (list.Get("media") is string media and not "disk")
        {
            throw new OptionException($"media='{media}' is not there yet; only disk is");
        }

        return new DriveSpec(IdOf(list, index), file)
        {
            Format = ReadFormat(list.Get("format")),
            IsReadOnly = Switch(list, "readonly"),
            IsSnapshot = Switch(list, "snapshot"),
            Cache = ReadCache(list.Get("cache")),
        };
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
}
