using System.Globalization;
using Emu.Machine;
using Emu.Net;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-netdev</c>, <c>-nic</c> and <c>-object</c> together: they refer to each other by name.</summary>
internal static class NetworkOptions
{
    private static readonly string[] Models = ["virtio-net-pci", "virtio-net-device"];

    private static readonly string[] CardProperties = ["model", "mac", "macaddr"];

    /// <summary>Reads all networks, the cards of <c>-nic</c> (the machine's own end in <paramref name="virtioSuffix"/>), and the captures.</summary>
    /// <exception cref="OptionException">A value is wrong, a name is given twice, or is nobody's.</exception>
    public static (IReadOnlyList<NetworkSpec> Networks, IReadOnlyList<DeviceSpec> Cards, IReadOnlyList<FilterDumpSpec> Dumps) Read(OptionValues options, string virtioSuffix)
    {
        List<NetworkSpec> networks = [.. options.All("netdev").Select(text => OptionValues.Read("netdev", text, NetworkSpecParser.Parse))];
        var cards = new List<DeviceSpec>();
        foreach (string text in options.All("nic").Where(text => text != "none"))
        {
            OptionValues.Read("nic", text, value =>
            {
                (NetworkSpec network, DeviceSpec card) = ReadNic(value, cards.Count, $"virtio-net-{virtioSuffix}");
                networks.Add(network);
                cards.Add(card);
                return card;
            });
        }

        if (networks.GroupBy(network => network.Id).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new OptionException($"-netdev: two networks are called '{twice.Key}'; give each an id of its own");
        }

        return (networks, cards, [.. options.All("object").Select(text => OptionValues.Read("object", text, value => ReadDump(value, networks)))]);
    }

    private static (NetworkSpec Network, DeviceSpec Card) ReadNic(string text, int number, string standard)
    {
        PropertyList list = PropertyList.Parse(text, "type");
        string id = list.Get("id") ?? string.Create(CultureInfo.InvariantCulture, $"nic{number}");
        string model = list.Get("model") is string given and not "virtio" ? given : standard;
        if (!Models.Contains(model))
        {
            throw new OptionException($"there is no card '{model}'; there is {string.Join(", ", Models)}");
        }

        var properties = new Dictionary<string, string> { ["netdev"] = id };
        if ((list.Get("mac") ?? list.Get("macaddr")) is string mac)
        {
            properties["mac"] = mac;
        }

        return (NetworkSpecParser.Parse(list.Without(CardProperties), id), new DeviceSpec(model) { Option = "-nic", Properties = properties });
    }

    private static FilterDumpSpec ReadDump(string text, List<NetworkSpec> networks)
    {
        PropertyList list = PropertyList.Parse(text, "qom-type");
        list.CheckAgainst(MachineCatalog.Objects, "object");
        foreach (string name in new[] { "id", "netdev", "file" })
        {
            if (string.IsNullOrEmpty(list.Get(name)))
            {
                throw new OptionException($"filter-dump needs {name}=; write filter-dump,id=NAME,netdev=NETWORK,file=PATH");
            }
        }

        string network = list.Get("netdev")!;
        if (!networks.Exists(known => known.Id == network))
        {
            throw new OptionException($"filter-dump: there is no network '{network}'; add -netdev TYPE,id={network}");
        }

        int most = (int)ValueParsers.Number("maxlen", list.Get("maxlen") ?? "65536", 1 << 20);
        return most > 0 ? new FilterDumpSpec(list.Get("id")!, network, list.Get("file")!, most)
            : throw new OptionException("maxlen=0 would keep nothing; leave it out");
    }
}
