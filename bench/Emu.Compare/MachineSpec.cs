namespace Emu.Compare;

/// <summary>How to start a machine that ends in the agent.</summary>
/// <param name="Name"><c>native</c>, <c>qemu</c> or <c>emu</c>.</param>
/// <param name="Command">Program and arguments.</param>
internal sealed record MachineSpec(string Name, IReadOnlyList<string> Command)
{
    /// <summary>Name of the machine without emulation.</summary>
    public const string Native = "native";

    /// <summary>Name of QEMU's tcg.</summary>
    public const string Qemu = "qemu";

    /// <summary>Name of emu.</summary>
    public const string Emu = "emu";

    // Same kernel, RAM, command line and CPU model. QEMU is told to leave out the devices that emu's board lacks anyway.
    private static readonly string[] QemuBoard = ["-M", "pc", "-accel", "tcg,thread=single", "-nic", "none", "-vga", "none", "-monitor", "none"];
    private static readonly string[] EmuBoard = ["-M", "pc", "-accel", "tcg"];
    private static readonly string[] Microvm = ["-M", "microvm"];

    /// <summary>The machines of <paramref name="options"/> with the benchmark guest, in the order in which they take turns.</summary>
    public static IReadOnlyList<MachineSpec> WithAgent(ComparisonOptions options, Checkout checkout) => WithAgent(options, checkout, [], []);

    /// <summary>The same with two CPUs; QEMU with a thread for each.</summary>
    public static IReadOnlyList<MachineSpec> WithTwoCpus(ComparisonOptions options, Checkout checkout) =>
        WithAgent(options with { Pin = null }, checkout, ["-smp", "2"], ["-accel", "tcg,thread=multi"]);

    /// <summary>emu alone with a Linux guest.</summary>
    public static MachineSpec OfEmu(ComparisonOptions options, Checkout checkout, string initrd, string accelerator, int cpus) =>
        new(Emu, [options.EmuProgram ?? checkout.Launcher, "-M", "pc", "-accel", accelerator, "-smp", $"{cpus}", "-serial", "stdio", "-display", "none", .. Linux(checkout, initrd, "256")]);

    private static IReadOnlyList<MachineSpec> WithAgent(ComparisonOptions options, Checkout checkout, string[] more, string[] moreOfQemu)
    {
        var machines = new List<MachineSpec>();
        if (options.Native)
        {
            // Only root may chroot; for others a user namespace makes them root.
            string root = checkout.BenchRoot;
            string[] enter = Environment.IsPrivilegedProcess ? ["chroot", root] : ["unshare", "--map-root-user", "--root", root];
            const string Agent = "cd /root && PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root exec agent";
            machines.Add(new MachineSpec(Native, [.. Pinned(options), .. enter, "/bin/sh", "-c", Agent]));
        }

        string[] guest = ["-serial", "stdio", "-display", "none", .. Linux(checkout, checkout.BenchInitrd), .. more];
        options = options with { QemuArguments = [.. moreOfQemu, .. options.QemuArguments] };
        return [.. machines, .. Emulators(options, checkout, guest)];
    }

    /// <summary>The machines of <paramref name="options"/> with the guest of <c>guests/programs</c>, the processor first.</summary>
    public static IReadOnlyList<MachineSpec> WithPrograms(ComparisonOptions options, Checkout checkout)
    {
        string drive = $"file={checkout.ProgramsDisk},if=virtio,format=raw,snapshot=on";
        string[] guest = ["-serial", "stdio", "-display", "none", .. Linux(checkout, checkout.ProgramsInitrd, "1024"), "-drive", drive];
        return [new MachineSpec(Native, [checkout.ProgramsNative, options.CpuModel]), .. Emulators(options, checkout, guest)];
    }

    /// <summary>The emulators of <paramref name="options"/> with the Debian guest, on a console as a user would have it.</summary>
    public static IReadOnlyList<MachineSpec> WithDebian(ComparisonOptions options, Checkout checkout) =>
        Emulators(options, checkout, ["-serial", "stdio", "-display", "none", .. Linux(checkout, checkout.DebianInitrd)]);

    /// <summary>The same without PCI.</summary>
    public static IReadOnlyList<MachineSpec> WithMicrovm(ComparisonOptions options, Checkout checkout) =>
        Emulators(options, checkout, [.. Microvm, "-serial", "stdio", "-display", "none", .. Linux(checkout, checkout.DebianInitrd)]);

    /// <summary>The emulators of <paramref name="options"/> with a firmware image and nothing else.</summary>
    public static IReadOnlyList<MachineSpec> WithFirmware(ComparisonOptions options, Checkout checkout, string file) =>
        Emulators(options, checkout, ["-display", "none", "-bios", file, "-device", "isa-debug-exit,iobase=0xf4,iosize=4"]);

    private static string[] Linux(Checkout checkout, string initrd, string mebibytes = "512") =>
        ["-m", mebibytes, "-no-reboot", "-kernel", checkout.Kernel, "-initrd", initrd, "-append", "console=ttyS0 panic=-1"];

    private static IReadOnlyList<MachineSpec> Emulators(ComparisonOptions options, Checkout checkout, string[] guest)
    {
        string[] prefix = Pinned(options);
        var emu = new MachineSpec(Emu, [.. prefix, options.EmuProgram ?? checkout.Launcher, .. EmuBoard, "-cpu", options.CpuModel, .. guest, .. options.EmuArguments]);
        return options.Qemu
            ? [new MachineSpec(Qemu, [.. prefix, Checkout.QemuProgram, .. QemuBoard, "-cpu", options.CpuModel, .. guest, .. options.QemuArguments]), emu]
            : [emu];
    }

    private static string[] Pinned(ComparisonOptions options) => options.Pin is int cpu ? ["taskset", "-c", $"{cpu}"] : [];
}
