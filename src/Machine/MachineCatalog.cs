namespace Emu.Machine;

/// <summary>A name a user may write, with one line about it and the properties that may follow.</summary>
public sealed record CatalogEntry(string Name, string Summary, IReadOnlyList<string> Properties);

/// <summary>The names that command lines may use; what <c>help</c> lists and what unknown names are checked against.</summary>
public static class MachineCatalog
{
    private static readonly string[] NoProperties = [];
    private static readonly string[] IdeProperties = ["id", "bus", "unit", "bootindex"];
    private static readonly string[] VirtioProperties = ["id", "packed", "event_idx", "indirect_desc"];
    private static readonly string[] VirtioPciProperties = ["addr", .. VirtioProperties];
    private static readonly string[] BlkProperties = ["drive", "serial", "num-queues", "queue-size"];

    private static readonly string[] DisplayProperties = ["id", "addr", "vgamem_mb", "romfile"];

    /// <summary>Accelerators for <c>-accel</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Accelerators { get; } =
    [
        new("tcg", "software CPU, on every host", ["thread", "tb-threshold", "region-size", "jit"]),
        new("kvm", "the host's virtualisation (/dev/kvm)", ["kernel-irqchip"]),
    ];

    /// <summary>Name of the board without PCI.</summary>
    public const string Microvm = "microvm";

    /// <summary>Boards for <c>-machine</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Machines { get; } =
    [
        new("pc", "PC with an i440FX, a PIIX and PCI (default)", ["accel", "acpi", "hpet", "kernel-irqchip"]),
        new(Microvm, "no PCI, virtio devices by memory-mapped registers; starts a kernel directly",
            ["accel", "acpi", "auto-kernel-cmdline", "isa-serial", "kernel-irqchip", "pic", "pit", "rtc"]),
    ];

    /// <summary>CPU models for <c>-cpu</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Cpus { get; } =
    [
        new("qemu64", "64-bit CPU with the features every x86-64 system needs (default)", NoProperties),
        new("max", "every feature that the accelerator can offer", NoProperties),
        new("host", "the host's own CPU (kvm), the same as max elsewhere", NoProperties),
    ];

    /// <summary>Devices for <c>-device</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Devices { get; } =
    [
        new("isa-debug-exit", "a port whose write ends the emulator with (value << 1) | 1", ["iobase", "iosize"]),
        new("loader", "a raw image in RAM; with cpu-num=0 the CPU starts there in real mode", ["file", "addr", "cpu-num", "force-raw"]),
        new("VGA", "display adapter: VGA with Bochs' display interface", DisplayProperties),
        new("bochs-display", "display adapter without the VGA part", DisplayProperties),
        new("ide-cd", "CD-ROM drive on an IDE channel, over a -drive or empty", ["drive", "serial", .. IdeProperties]),
        new("ide-hd", "disk on an IDE channel, over a -drive", ["drive", "serial", "model", .. IdeProperties]),
        new("virtio-blk-device", "disk over a -drive, for microvm", [.. BlkProperties, .. VirtioProperties]),
        new("virtio-blk-pci", "disk over a -drive", [.. BlkProperties, "bootindex", .. VirtioPciProperties]),
        new("virtio-net-device", "network card, for microvm", ["netdev", "mac", .. VirtioProperties]),
        new("virtio-net-pci", "network card", ["netdev", "mac", "bootindex", .. VirtioPciProperties]),
        new("virtio-rng-device", "entropy from the host, for microvm", VirtioProperties),
        new("virtio-rng-pci", "entropy from the host", VirtioPciProperties),
    ];

    /// <summary>Networks for <c>-netdev</c> and <c>-nic</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Networks { get; } =
    [
        new("user", "router, DHCP, name server and NAT in the emulator itself; needs no privilege",
            ["id", "net", "host", "dns", "dhcpstart", "hostname", "domainname", "dnssearch", "restrict", "hostfwd", "guestfwd", "ipv4"]),
        new("socket", "a wire to other emulators, in QEMU's format", ["id", "listen", "connect", "udp", "mcast", "localaddr"]),
        new("tap", "a TAP interface of a Linux host", ["id", "ifname", "script", "downscript"]),
    ];

    /// <summary>Objects for <c>-object</c>.</summary>
    public static IReadOnlyList<CatalogEntry> Objects { get; } =
    [
        new("filter-dump", "writes what passes a network to a pcap file", ["id", "netdev", "file", "maxlen"]),
    ];

    /// <summary>Items for <c>-d</c>.</summary>
    public static IReadOnlyList<(string Name, DebugLogItems Item, string Summary)> LogItems { get; } =
    [
        ("unimp", DebugLogItems.Unimp, "instructions and device registers that are not implemented"),
        ("int", DebugLogItems.Int, "interrupts and exceptions"),
        ("in_asm", DebugLogItems.InAsm, "guest code as it is translated"),
        ("op", DebugLogItems.Op, "intermediate code of each block"),
        ("op_opt", DebugLogItems.OpOpt, "intermediate code of each compiled region"),
        ("il", DebugLogItems.Il, "what the .NET compiler is given for each compiled region"),
        ("out_asm", DebugLogItems.OutAsm, "host code of each compiled region"),
        ("exec", DebugLogItems.Exec, "every block that is executed"),
    ];
}
