using Emu.Net;

namespace Emu.Machine;

/// <summary>
/// Everything a user may choose about a machine, as plain immutable values: what the command line (or an embedding
/// program) hands to a board. It is already well-formed, but not checked against the host: files may be missing.
/// </summary>
public sealed record MachineConfig
{
    /// <summary>RAM when <c>-m</c> is not given, in bytes.</summary>
    public const ulong DefaultMemoryBytes = 128UL << 20;

    /// <summary>Accelerators in order of preference; the first that works on this host is taken. Never empty.</summary>
    public IReadOnlyList<AcceleratorSpec> Accelerators { get; init; } = [AcceleratorSpec.Tcg];

    /// <summary>True when nobody asked for the first of <see cref="Accelerators"/>: that it is passed over is not told.</summary>
    public bool FallsBackSilently { get; init; }

    /// <summary>The board and its properties.</summary>
    public MachineSpec Machine { get; init; } = new("pc");

    /// <summary>CPU model with features, as given to <c>-cpu</c> (<c>max,-avx2</c>).</summary>
    public string CpuModel { get; init; } = "qemu64";

    /// <summary>RAM in bytes, a multiple of the page size.</summary>
    public ulong MemoryBytes { get; init; } = DefaultMemoryBytes;

    /// <summary>Folder (hugetlbfs or other) that RAM is mapped from, or null for anonymous memory.</summary>
    public string? MemPath { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public SmpSpec Smp { get; init; } = new(1);

    /// <summary>What the machine starts with.</summary>
    public BootSpec Boot { get; init; } = new();

    /// <summary>One entry per serial port, COM1 first; at most four.</summary>
    public IReadOnlyList<CharSpec> Serials { get; init; } = [];

    /// <summary>Where bytes written to the debug console port go, or null without that device.</summary>
    public DebugConsoleSpec? DebugConsole { get; init; }

    /// <summary>Disks for devices to use.</summary>
    public IReadOnlyList<DriveSpec> Drives { get; init; } = [];

    /// <summary>Devices added to the board, in the order given.</summary>
    public IReadOnlyList<DeviceSpec> Devices { get; init; } = [];

    /// <summary>Who shows the screen and runs the monitor.</summary>
    public FrontEndSpec FrontEnds { get; init; } = new();

    /// <summary>The exit device, or null without it.</summary>
    public DebugExitSpec? DebugExit { get; init; }

    /// <summary>Networks by name; a card's <c>netdev</c> refers to one.</summary>
    public IReadOnlyList<NetworkSpec> Networks { get; init; } = [];

    /// <summary>Captures of networks.</summary>
    public IReadOnlyList<FilterDumpSpec> NetworkDumps { get; init; } = [];

    /// <summary>True when a guest reset ends the emulator (<c>-no-reboot</c>).</summary>
    public bool NoReboot { get; init; }

    /// <summary>True when a guest power-off stops the machine but not the emulator (<c>-no-shutdown</c>).</summary>
    public bool NoShutdown { get; init; }

    /// <summary>True when the vCPUs wait for a monitor to start them (<c>-S</c>).</summary>
    public bool StartPaused { get; init; }

    /// <summary>Name of the machine, for messages and the process list.</summary>
    public string? Name { get; init; }

    /// <summary>What is logged, and where to.</summary>
    public DebugLogSpec DebugLog { get; init; } = new();

    /// <summary>Program counters (first, last) that guest code is logged of; empty for all.</summary>
    public IReadOnlyList<(ulong First, ulong Last)> DebugLogFilter { get; init; } = [];

    /// <summary>Families of operations that the software CPU does not compile (<c>--jit-off</c>).</summary>
    public IReadOnlyList<string> JitOff { get; init; } = [];

    /// <summary>True when counters are printed at the end (<c>--stats</c>).</summary>
    public bool Stats { get; init; }
}

/// <summary>An accelerator by name with its properties (<c>kvm,kernel-irqchip=split</c>).</summary>
public sealed record AcceleratorSpec(string Name)
{
    /// <summary>The software CPU.</summary>
    public static readonly AcceleratorSpec Tcg = new("tcg");

    /// <summary>Properties by name.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>A board by name with its properties (<c>pc,hpet=off</c>).</summary>
public sealed record MachineSpec(string Type)
{
    /// <summary>Properties by name.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>Number of vCPUs and how they present themselves; <c>Cpus = Sockets × Cores × Threads</c>.</summary>
public sealed record SmpSpec(int Cpus, int Sockets, int Cores, int Threads)
{
    /// <summary>Creates <paramref name="cpus"/> sockets of one core.</summary>
    public SmpSpec(int cpus)
        : this(cpus, cpus, 1, 1)
    {
    }
}

/// <summary>What the machine starts with. With nothing set there is nothing to run.</summary>
public sealed record BootSpec
{
    /// <summary>Linux bzImage, or ELF file with a PVH note or a multiboot header.</summary>
    public string? Kernel { get; init; }

    /// <summary>Initial RAM disk; with multiboot a comma-separated list of modules.</summary>
    public string? Initrd { get; init; }

    /// <summary>Kernel command line.</summary>
    public string? Append { get; init; }

    /// <summary>Firmware image mapped below 4 GiB and below 1 MiB.</summary>
    public string? Bios { get; init; }

    /// <summary>Raw images placed in RAM before start (<c>-device loader</c>), in the order given.</summary>
    public IReadOnlyList<FlatLoadSpec> FlatLoads { get; init; } = [];

    /// <summary>Folders searched for firmware before the usual ones (<c>-L</c>).</summary>
    public IReadOnlyList<string> FirmwareFolders { get; init; } = [];

    /// <summary>How firmware chooses what it starts.</summary>
    public BootOrderSpec Order { get; init; } = new();

    /// <summary>True when nothing to run was named.</summary>
    public bool IsEmpty => Kernel is null && Bios is null && FlatLoads.Count == 0;
}

/// <summary>How firmware chooses what it starts (<c>-boot</c>). Letters: a floppy, c hard disk, d CD-ROM, n network.</summary>
public sealed record BootOrderSpec
{
    /// <summary>Kinds of devices in order; used where no device has a <c>bootindex</c>.</summary>
    public string Order { get; init; } = "cad";

    /// <summary>The same for the first start only, or null.</summary>
    public string? Once { get; init; }

    /// <summary>True to offer a menu.</summary>
    public bool Menu { get; init; }

    /// <summary>True to try nothing but devices with a <c>bootindex</c>.</summary>
    public bool Strict { get; init; }

    /// <summary>How long the menu is offered in milliseconds, or null for the firmware's own choice.</summary>
    public int? SplashMilliseconds { get; init; }

    /// <summary>After how many milliseconds the machine starts over when nothing could be started; null for never.</summary>
    public int? RebootMilliseconds { get; init; }
}

/// <summary>
/// A raw image placed in RAM at <paramref name="Address"/>. With <paramref name="StartsCpu"/> the boot processor starts at
/// its first byte in real mode: CS base 0, IP the address, all other segments and registers zero, interrupts off.
/// </summary>
public sealed record FlatLoadSpec(string Path, ulong Address, bool StartsCpu)
{
    /// <summary>The image itself, for programs that have it in memory; null to read <see cref="Path"/>, which is otherwise only its name.</summary>
    public ReadOnlyMemory<byte>? Content { get; init; }
}

/// <summary>Where the bytes of a character device go.</summary>
public enum CharKind
{
    /// <summary>Nowhere; nothing arrives.</summary>
    Null,

    /// <summary>Standard input and output of the process.</summary>
    Stdio,

    /// <summary>Output to a file; nothing arrives.</summary>
    File,

    /// <summary>A Unix stream socket.</summary>
    Unix,
}

/// <summary>A character back end as named on the command line.</summary>
public sealed record CharSpec(CharKind Kind)
{
    /// <summary>File or socket path.</summary>
    public string? Path { get; init; }

    /// <summary>For <see cref="CharKind.Stdio"/>: Ctrl-A commands are taken out of the input, and Ctrl-C goes to the guest.</summary>
    public bool Mux { get; init; }

    /// <summary>For <see cref="CharKind.Unix"/>: listen instead of connecting.</summary>
    public bool Server { get; init; }

    /// <summary>For a server: the machine starts only when a client has connected.</summary>
    public bool Wait { get; init; }
}

/// <summary>The debug console: one byte port, 0xE9 as in Bochs.</summary>
public sealed record DebugConsoleSpec(CharSpec Backend, ushort IoBase = 0xe9);

/// <summary>The exit device: a write of v ends the emulator with exit code (v &lt;&lt; 1) | 1.</summary>
public sealed record DebugExitSpec(ushort IoBase = 0x501, ushort IoSize = 2);

/// <summary>What <c>-d</c> can log.</summary>
[Flags]
public enum DebugLogItems
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Instructions and device registers that are not implemented.</summary>
    Unimp = 1 << 0,

    /// <summary>Interrupts and exceptions.</summary>
    Int = 1 << 1,

    /// <summary>Guest code as it is translated.</summary>
    InAsm = 1 << 2,

    /// <summary>Intermediate code of each block.</summary>
    Op = 1 << 3,

    /// <summary>Every block that is executed.</summary>
    Exec = 1 << 4,

    /// <summary>Intermediate code of each compiled region.</summary>
    OpOpt = 1 << 5,

    /// <summary>What the .NET compiler is given for each compiled region.</summary>
    Il = 1 << 6,

    /// <summary>Host code of each compiled region.</summary>
    OutAsm = 1 << 7,
}

/// <summary>Debug log: <paramref name="Items"/> to <paramref name="File"/>, or to standard error when that is null.</summary>
public sealed record DebugLogSpec(DebugLogItems Items = DebugLogItems.None, string? File = null);

/// <summary>A configuration that cannot work, in one line that names the option and what to do.</summary>
public sealed class MachineConfigException : Exception
{
    /// <summary>Creates the exception; the message reads <c>OPTION: PROBLEM</c>.</summary>
    /// <param name="option">The option as the user knows it (<c>-cpu</c>).</param>
    /// <param name="problem">What is wrong, and the fix.</param>
    public MachineConfigException(string option, string problem)
        : base($"{option}: {problem}")
    {
    }

    /// <summary>Creates an empty exception.</summary>
    public MachineConfigException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public MachineConfigException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public MachineConfigException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
