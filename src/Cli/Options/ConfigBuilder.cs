using System.Globalization;
using Emu.Machine;
using Emu.Net;

namespace Emu.Cli.Options;

/// <summary>Turns the values of a command line into a <see cref="MachineConfig"/>.</summary>
internal static class ConfigBuilder
{
    private const int MaxCpus = 255;
    private const int MaxSerials = 4;

    private static readonly AcceleratorSpec[] DefaultAccelerators = [new("kvm"), AcceleratorSpec.Tcg];

    /// <summary>Builds the configuration.</summary>
    /// <exception cref="OptionException">A value is wrong, or two options contradict each other.</exception>
    public static MachineConfig Build(OptionValues options)
    {
        CheckOnlyNone(options, "net", "parallel");
        FrontEndSpec frontEnds = DisplayOptions.Read(options);
        PropertyList machine = ReadMachine(options);
        string virtioSuffix = machine.First == MachineCatalog.Microvm ? "device" : "pci";
        (List<DriveSpec> drives, List<DeviceSpec> devices) = DriveOptions.Read(options, virtioSuffix);
        if (DisplayOptions.ReadAdapter(options, frontEnds, devices.Exists(device => device.Driver is "VGA" or "bochs-display")) is DeviceSpec adapter)
        {
            devices.Insert(0, adapter);
        }

        (IReadOnlyList<NetworkSpec> networks, IReadOnlyList<DeviceSpec> cards, IReadOnlyList<FilterDumpSpec> dumps) = NetworkOptions.Read(options, virtioSuffix);
        MachineConfig config = new()
        {
            Accelerators = ReadAccelerators(options, machine.Get("accel")) is { Count: > 0 } chosen ? chosen : DefaultAccelerators,
            FallsBackSilently = !options.Has("accel") && !options.Has("enable-kvm") && machine.Get("accel") is null,
            Machine = new MachineSpec(machine.First) { Properties = machine.Properties },
            CpuModel = options.Last("cpu") is string cpu ? OptionValues.Read("cpu", cpu, CheckCpu) : "qemu64",
            MemoryBytes = options.Last("m") is string size ? OptionValues.Read("m", size, ReadMemory) : MachineConfig.DefaultMemoryBytes,
            MemPath = options.Last("mem-path"),
            Smp = options.Last("smp") is string smp ? OptionValues.Read("smp", smp, ReadSmp) : new SmpSpec(1),
            Boot = ReadBoot(options),
            Serials = ReadSerials(options),
            DebugConsole = ReadDebugConsole(options),
            DebugExit = ReadDebugExit(options),
            Drives = drives,
            Devices = [.. devices, .. cards],
            Networks = networks,
            NetworkDumps = dumps,
            FrontEnds = frontEnds,
            NoReboot = options.Has("no-reboot"),
            NoShutdown = options.Has("no-shutdown"),
            StartPaused = options.Has("S"),
            Name = options.Last("name") is string name ? PropertyList.Parse(name).First : null,
            DebugLog = new DebugLogSpec(ReadLogItems(options), options.Last("D")),
            DebugLogFilter = [.. options.All("dfilter").SelectMany(text => OptionValues.Read("dfilter", text, AddressRangeParser.Parse))],
            JitOff = [.. options.All("jit-off").SelectMany(text => text.Split(','))],
            Stats = options.Has("stats"),
        };
        CheckStdioOwners(config);
        return config;
    }

    private static PropertyList ReadMachine(OptionValues options)
    {
        return OptionValues.Read("machine", options.Last("machine") ?? "pc", text =>
        {
            PropertyList list = PropertyList.Parse(text, "type");
            if (list.First.Length == 0)
            {
                // "-machine hpet=off" changes the default board.
                list = PropertyList.Parse("pc," + text);
            }

            list.CheckAgainst(MachineCatalog.Machines, "machine");
            Array.ForEach(["acpi", "auto-kernel-cmdline", "hpet", "isa-serial", "pic", "pit", "rtc"], name => CheckSwitch(list, name));
            CheckIrqchip(list);
            return list;
        });
    }

    private static List<AcceleratorSpec> ReadAccelerators(OptionValues options, string? fromMachine)
    {
        // As in QEMU each -accel (or name between colons) is one more choice, tried in order.
        var specs = new List<AcceleratorSpec>();
        foreach (string text in options.All("accel"))
        {
            specs.AddRange(OptionValues.Read("accel", text, ReadAccelerator));
        }

        if (options.Has("enable-kvm"))
        {
            specs.Add(new AcceleratorSpec("kvm"));
        }

        if (fromMachine is not null)
        {
            if (specs.Count > 0)
            {
                throw new OptionException("-machine: accel= and -accel are both given; keep one of them");
            }

            specs.AddRange(OptionValues.Read("machine", fromMachine, ReadAccelerator));
        }

        return specs;
    }

    private static List<AcceleratorSpec> ReadAccelerator(string text)
    {
        PropertyList list = PropertyList.Parse(text, "accel");
        string[] names = list.First.Split(':');
        if (names.Length > 1 && list.Properties.Count > 0)
        {
            throw new OptionException("properties and kvm:tcg do not go together; give one -accel each");
        }

        foreach (string name in names)
        {
            PropertyList.Parse(list.Properties.Count == 0 ? name : text, "accel").CheckAgainst(MachineCatalog.Accelerators, "accelerator");
        }

        if (list.Get("thread") is string thread and not ("single" or "multi"))
        {
            throw new OptionException($"thread='{thread}' is neither single nor multi");
        }

        CheckIrqchip(list);
        return [.. names.Select(name => new AcceleratorSpec(name) { Properties = list.Properties })];
    }

    private static void CheckSwitch(PropertyList list, string name)
    {
        if (list.Get(name) is string value)
        {
            ValueParsers.Switch(name, value);
        }
    }

    private static void CheckIrqchip(PropertyList list)
    {
        if (list.Get("kernel-irqchip") is string irqchip and not ("on" or "off" or "split"))
        {
            throw new OptionException($"kernel-irqchip='{irqchip}' is none of on, off, split");
        }
    }

    // Features are the CPU model's business (it knows them all); here only their shape and the model's name.
    private static string CheckCpu(string text)
    {
        string[] parts = text.Split(',');
        if (!MachineCatalog.Cpus.Any(known => known.Name == parts[0]))
        {
            throw new OptionException($"unknown CPU model '{parts[0]}'; there is {string.Join(", ", MachineCatalog.Cpus.Select(known => known.Name))}");
        }

        foreach (string feature in parts.Skip(1))
        {
            bool signed = feature.Length > 1 && feature[0] is '+' or '-';
            if (!signed && !(feature.IndexOf('=', StringComparison.Ordinal) > 0))
            {
                throw new OptionException($"'{feature}' is not a feature; write +{feature.TrimStart('+', '-')} or -{feature.TrimStart('+', '-')}");
            }
        }

        return text;
    }

    private static ulong ReadMemory(string text)
    {
        PropertyList list = PropertyList.Parse(text, "size");
        return list.Properties.Count == 0
            ? ValueParsers.MemorySize(list.First)
            : throw new OptionException($"'{list.Properties.Keys.First()}' is not supported; write just the size, for example 512M");
    }

    private static SmpSpec ReadSmp(string text)
    {
        PropertyList list = PropertyList.Parse(text, "cpus");
        foreach (string key in list.Properties.Keys)
        {
            if (key is not ("sockets" or "cores" or "threads" or "maxcpus"))
            {
                throw new OptionException($"unknown property '{key}'; there is cpus, sockets, cores, threads");
            }
        }

        int Part(string key) => list.Get(key) is string value ? Positive(key, value) : 0;
        int cores = Math.Max(1, Part("cores"));
        int threads = Math.Max(1, Part("threads"));
        int sockets = Part("sockets");
        int cpus = list.First.Length > 0 ? Positive("cpus", list.First) : Math.Max(1, sockets) * cores * threads;
        sockets = sockets > 0 ? sockets : Math.Max(1, cpus / (cores * threads));
        if (cpus > MaxCpus || sockets * cores * threads != cpus)
        {
            throw new OptionException(cpus > MaxCpus
                ? $"{cpus} CPUs are too many; at most {MaxCpus}"
                : $"sockets {sockets} × cores {cores} × threads {threads} is not cpus {cpus}");
        }

        return Part("maxcpus") is var max && max != 0 && max != cpus
            ? throw new OptionException("CPUs cannot be added later: maxcpus must be the same as cpus")
            : new SmpSpec(cpus, sockets, cores, threads);
    }

    private static int Positive(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value is > 0 and < 65536
            ? value
            : throw new OptionException($"{name}='{text}' is not a positive number");

    private static BootSpec ReadBoot(OptionValues options)
    {
        var boot = new BootSpec
        {
            Kernel = options.Last("kernel"),
            Initrd = options.Last("initrd"),
            Append = options.Last("append"),
            Bios = options.Last("bios"),
            FirmwareFolders = options.All("L"),
            Order = BootOptions.Read(options),
            FlatLoads = [.. Devices(options, "loader").Select(ReadLoader)],
        };
        if (boot.Kernel is null && (boot.Initrd ?? boot.Append) is not null)
        {
            throw new OptionException($"-{(boot.Initrd is null ? "append" : "initrd")}: needs a kernel; add -kernel FILE");
        }

        return boot.FlatLoads.Count(load => load.StartsCpu) <= 1
            ? boot
            : throw new OptionException("-device: two loaders have cpu-num=0; the CPU can start only at one");
    }

    private static FlatLoadSpec ReadLoader(PropertyList list)
    {
        return OptionValues.Read("device", "", _ =>
        {
            string? file = list.Get("file");
            string? address = list.Get("addr");
            if (file is null || address is null)
            {
                throw new OptionException($"loader needs {(file is null ? "file=PATH" : "addr=ADDRESS")}");
            }

            CheckSwitch(list, "force-raw");
            bool starts = list.Get("cpu-num") is string cpu && ValueParsers.Number("cpu-num", cpu, 0) == 0;
            ulong start = ValueParsers.Number("addr", address, ulong.MaxValue);
            return starts && start > 0xffff
                ? throw new OptionException($"loader: with cpu-num=0 the image starts in real mode, so addr must be below 0x10000, not 0x{start:x}")
                : new FlatLoadSpec(file, start, starts);
        });
    }

    // Firmware writes its log to another port than programs do.
    private static DebugConsoleSpec? ReadDebugConsole(OptionValues options)
    {
        const string name = "isa-debugcon.iobase=";
        const ushort standard = 0xe9;
        ushort port = options.All("global").Aggregate(standard, (_, text) => OptionValues.Read("global", text, value =>
            value.StartsWith(name, StringComparison.Ordinal)
                ? (ushort)ValueParsers.Number("iobase", value[name.Length..], 0xffff)
                : throw new OptionException($"'{value}' is not there; there is {name}PORT")));
        return options.Last("debugcon") is string text ? new DebugConsoleSpec(OptionValues.Read("debugcon", text, CharSpecParser.Parse), port) : null;
    }

    private static DebugExitSpec? ReadDebugExit(OptionValues options)
    {
        List<PropertyList> lists = Devices(options, "isa-debug-exit");
        if (lists.Count > 1)
        {
            throw new OptionException("-device: isa-debug-exit is given twice; keep one");
        }

        return lists.Count == 0 ? null : OptionValues.Read("device", "", _ =>
        {
            ulong size = ValueParsers.Number("iosize", lists[0].Get("iosize") ?? "2", 4);
            ulong port = ValueParsers.Number("iobase", lists[0].Get("iobase") ?? "0x501", 0xffff);
            return size is 1 or 2 or 4 && port + size <= 0x10000
                ? new DebugExitSpec((ushort)port, (ushort)size)
                : throw new OptionException($"isa-debug-exit: iobase 0x{port:x} with iosize {size} is not possible; iosize is 1, 2 or 4, and ports end at 0xffff");
        });
    }

    /// <summary>Every <c>-device</c>, its name and properties known ones.</summary>
    public static IEnumerable<PropertyList> DeviceLists(OptionValues options) => options.All("device").Select(text => OptionValues.Read("device", text, value =>
    {
        PropertyList list = PropertyList.Parse(value, "driver");
        list.CheckAgainst(MachineCatalog.Devices, "device");
        return list;
    }));

    private static List<PropertyList> Devices(OptionValues options, string name) => [.. DeviceLists(options).Where(list => list.First == name)];

    private static List<CharSpec> ReadSerials(OptionValues options)
    {
        List<CharSpec> serials = [.. options.All("serial").Select(text => OptionValues.Read("serial", text, CharSpecParser.Parse))];
        if (serials.Count > MaxSerials)
        {
            throw new OptionException($"-serial: given {serials.Count} times; a PC has at most {MaxSerials} serial ports");
        }

        // QEMU has a window to show the first port in; here the terminal is all there is, unless no display was asked for.
        bool silent = (options.Has("display") || options.All("monitor").Contains("stdio")) && !options.Has("nographic");
        return serials.Count > 0 ? serials : [silent ? new CharSpec(CharKind.Null) : new CharSpec(CharKind.Stdio) { Mux = true }];
    }

    private static DebugLogItems ReadLogItems(OptionValues options)
    {
        DebugLogItems items = DebugLogItems.None;
        foreach (string name in options.All("d").SelectMany(value => value.Split(',')))
        {
            (string known, DebugLogItems item, _) = MachineCatalog.LogItems.FirstOrDefault(entry => entry.Name == name);
            items |= known is not null ? item : throw new OptionException($"-d: unknown log item '{name}'; -d help lists them");
        }

        return items;
    }

    private static void CheckOnlyNone(OptionValues options, params string[] names)
    {
        foreach (string name in names)
        {
            if (options.All(name).FirstOrDefault(value => value != "none") is string value)
            {
                throw new OptionException($"-{name}: '{value}' is not there yet; write -{name} none");
            }
        }
    }

    private static void CheckStdioOwners(MachineConfig config)
    {
        int owners = config.Serials.Count(serial => serial.Kind == CharKind.Stdio);
        bool debugcon = config.DebugConsole?.Backend.Kind == CharKind.Stdio;
        bool monitor = config.FrontEnds.Monitor?.Kind == CharKind.Stdio;
        if ((config.FrontEnds.Curses ? 1 : 0) + (monitor ? 1 : 0) + (owners > 0 || debugcon ? 1 : 0) > 1)
        {
            throw new OptionException(config.FrontEnds.Curses
                ? "-display: curses needs the terminal for itself; give serial ports, debug console and monitor another place"
                : "-monitor: stdio is taken by a serial port or the debug console; Ctrl-A c reaches the monitor there too");
        }

        if (owners > 1 || (debugcon && owners > 0))
        {
            throw new OptionException(debugcon
                ? "-debugcon: stdio is taken by the first serial port; add -serial null, or write -debugcon file:PATH"
                : "-serial: stdio is used twice; give one of the ports file:PATH or null");
        }
    }
}
