namespace Emu.Cli.Options;

/// <summary>One option as users write it.</summary>
/// <param name="Name">Canonical name without dashes.</param>
/// <param name="ValueName">Placeholder of its value, or null for a switch.</param>
/// <param name="Summary">One line for <c>-help</c>.</param>
/// <param name="Aliases">Other spellings without dashes.</param>
internal sealed record OptionInfo(string Name, string? ValueName, string Summary, params string[] Aliases);

/// <summary>The options that emu has, and those of QEMU that it knows but does not have.</summary>
internal static class OptionTable
{
    /// <summary>Every option, in the order that <c>-help</c> shows.</summary>
    public static IReadOnlyList<OptionInfo> All { get; } =
    [
        new("accel", "NAME[,PROP=VALUE]", "accelerator; again, or kvm:tcg (default), for a second choice ('help' lists them)"),
        new("enable-kvm", null, "the same as -accel kvm"),
        new("machine", "TYPE[,PROP=VALUE]", "board ('help' lists them)", "M"),
        new("cpu", "MODEL[,+FEATURE][,-FEATURE]", "CPU model ('help' lists them)"),
        new("smp", "N|cpus=N[,sockets=S][,cores=C][,threads=T]", "number of virtual CPUs"),
        new("m", "SIZE", "RAM: MiB, or with a suffix K, M, G, T (default 128M)", "memory"),
        new("mem-path", "FOLDER", "map RAM from a hugetlbfs (or other) folder"),
        new("kernel", "FILE", "Linux bzImage, or ELF by PVH or multiboot"),
        new("initrd", "FILE", "initial RAM disk"),
        new("append", "TEXT", "kernel command line"),
        new("bios", "FILE", "firmware image (when a disk is given and no kernel: bios-256k.bin of the package seabios)"),
        new("L", "FOLDER", "look for firmware there first"),
        new("boot", "ORDER|order=ORDER[,once=ORDER][,menu=on][,strict=on]", "what firmware starts: letters a (floppy), c (disk), d (CD-ROM), n (network)"),
        new("hda", "FILE", "IDE disk 0; -hdb, -hdc and -hdd are 1 to 3, and a plain FILE is -hda FILE"),
        new("hdb", "FILE", "IDE disk 1"),
        new("hdc", "FILE", "IDE disk 2"),
        new("hdd", "FILE", "IDE disk 3"),
        new("cdrom", "FILE", "disc in a CD-ROM drive, IDE drive 2"),
        new("device", "NAME[,PROP=VALUE]", "add a device ('help' lists them)"),
        new("drive", "file=PATH[,if=ide|virtio|none][,id=ID][,PROP=VALUE]", "a disk: format=, readonly=, snapshot=, cache=, serial=, bootindex=; media=disk|cdrom and index= or bus=,unit= with if=ide"),
        new("netdev", "TYPE,id=NAME[,PROP=VALUE]", "a network for a card's netdev=NAME: user, socket, tap ('help' lists them)"),
        new("nic", "TYPE[,model=CARD][,mac=ADDRESS][,PROP=VALUE]", "a network card with its network as for -netdev; or none"),
        new("object", "filter-dump,id=NAME,netdev=NAME,file=PATH", "write what passes a network to a pcap file"),
        new("serial", "DEV", "next serial port: stdio, mon:stdio, file:PATH, null, unix:PATH[,server][,nowait]"),
        new("debugcon", "DEV", "debug console on port 0xE9; DEV as for -serial"),
        new("global", "isa-debugcon.iobase=PORT", "port of -debugcon; firmware writes its log to 0x402"),
        new("nographic", null, "serial port and Ctrl-A commands on this terminal (the same as -serial mon:stdio)"),
        new("vga", "std|none", "display adapter (default: std with -vnc and -display curses, else none)"),
        new("display", "none|curses|vnc=WHERE", "who shows the screen: nobody, this terminal (text only), a VNC server"),
        new("vnc", "WHERE[,password=TEXT]", "VNC server: :N (this host only), HOST:N, unix:PATH; N is the port less 5900"),
        new("monitor", "DEV", "monitor: stdio, unix:PATH,server,nowait or none; Ctrl-A c reaches it in any case"),
        new("no-reboot", null, "a guest reset ends the emulator"),
        new("no-shutdown", null, "a guest power-off stops the machine but not the emulator"),
        new("S", null, "do not start the CPUs"),
        new("name", "TEXT", "name of the machine"),
        new("d", "ITEM,...", "log items ('help' lists them)"),
        new("D", "FILE", "write the log there instead of to standard error"),
        new("dfilter", "RANGE,...", "log guest code only at START..END, START+LENGTH or START-LENGTH"),
        new("jit-off", "FAMILY,...", "interpret these kinds of operations: memory, alu, shift, mul, flags, branch, indirect, call, vector, atomic, float"),
        new("stats", null, "print counters at the end"),
        new("nodefaults", null, "accepted for compatibility: there are no default devices to leave out"),
        new("no-user-config", null, "accepted for compatibility: no configuration file is read"),
        new("net", "none", "accepted for compatibility: without -nic and -netdev there is no network", "nic"),
        new("parallel", "none", "accepted for compatibility: there is no parallel port"),
        new("version", null, "print the version"),
        new("help", null, "print this list", "h", "?"),
    ];

    /// <summary>Options of QEMU that are known, so that the message can say more than "unknown".</summary>
    public static IReadOnlySet<string> NotYet { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "add-fd", "audio", "audiodev", "blockdev", "chardev", "chroot", "daemonize", "dtb", "fda", "fdb", "fsdev",
        "full-screen", "fw_cfg", "g", "gdb", "icount", "incoming", "iscsi", "k", "loadvm", "mem-prealloc",
        "mon", "mtdblock", "numa", "pflash", "pidfile", "plugin", "preconfig", "qmp", "qmp-pretty", "readconfig", "rtc",
        "runas", "s", "sandbox", "sd", "semihosting", "set", "smbios", "snapshot", "spice", "tpmdev", "trace", "usb", "usbdevice", "uuid",
        "virtfs", "watchdog", "watchdog-action", "win2k-hack", "xen-domid", "acpitable", "action", "msg", "overcommit", "dump-vmstate",
        "no-acpi", "no-hpet", "no-fd-bootchk", "singlestep", "one-insn-per-tb", "tb-size", "run-with", "compat", "cpu-throttle", "only-migratable",
    };

    /// <summary>First words kept for commands, so that no file or machine name given as a plain argument takes their place.</summary>
    public static IReadOnlyList<string> ReservedCommands { get; } = ["doctor", "diff", "image"];

    /// <summary>Finds an option by any of its spellings.</summary>
    public static OptionInfo? Find(string name)
    {
        foreach (OptionInfo option in All)
        {
            if (option.Name == name || Array.IndexOf(option.Aliases, name) >= 0)
            {
                return option;
            }
        }

        return null;
    }

    /// <summary>The option whose name is nearest to <paramref name="name"/>, when it is near enough to be a slip.</summary>
    public static string? Nearest(string name)
    {
        string? best = All.SelectMany(option => option.Aliases.Prepend(option.Name)).Where(known => known.Length > 2)
            .MinBy(known => Distance(name, known));
        return best is not null && Distance(name, best) <= Math.Max(1, best.Length / 3) ? best : null;
    }

    // Levenshtein distance with two rows; case is a slip too.
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[b.Length];
    }
}
