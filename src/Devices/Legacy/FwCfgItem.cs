namespace Emu.Devices.Legacy;

/// <summary>Well-known selector keys (QEMU fw_cfg specification, "Firmware Configuration Items").</summary>
public static class FwCfgKeys
{
    /// <summary>"QEMU".</summary>
    public const ushort Signature = 0x00;

    /// <summary>Interface revision: bit 0 traditional, bit 1 DMA.</summary>
    public const ushort Id = 0x01;

    /// <summary>Machine UUID, 16 bytes.</summary>
    public const ushort Uuid = 0x02;

    /// <summary>RAM size in bytes, 64 bits.</summary>
    public const ushort RamSize = 0x03;

    /// <summary>1 without graphics, 16 bits.</summary>
    public const ushort NoGraphic = 0x04;

    /// <summary>CPUs present at boot, 16 bits.</summary>
    public const ushort CpuCount = 0x05;

    /// <summary>Kernel load address, 32 bits.</summary>
    public const ushort KernelAddress = 0x07;

    /// <summary>Kernel size, 32 bits.</summary>
    public const ushort KernelSize = 0x08;

    /// <summary>Initial RAM disk load address, 32 bits.</summary>
    public const ushort InitrdAddress = 0x0a;

    /// <summary>Initial RAM disk size, 32 bits.</summary>
    public const ushort InitrdSize = 0x0b;

    /// <summary>NUMA nodes: their number, the node of each CPU, the size of each; 64 bits each.</summary>
    public const ushort NumaNodes = 0x0d;

    /// <summary>1 to show the boot menu, 16 bits.</summary>
    public const ushort BootMenu = 0x0e;

    /// <summary>Highest possible number of CPUs, 16 bits.</summary>
    public const ushort MaxCpuCount = 0x0f;

    /// <summary>Kernel image.</summary>
    public const ushort KernelData = 0x11;

    /// <summary>Initial RAM disk image.</summary>
    public const ushort InitrdData = 0x12;

    /// <summary>Kernel command line load address, 32 bits.</summary>
    public const ushort CommandLineAddress = 0x13;

    /// <summary>Kernel command line size with its NUL, 32 bits.</summary>
    public const ushort CommandLineSize = 0x14;

    /// <summary>Kernel command line.</summary>
    public const ushort CommandLineData = 0x15;

    /// <summary>Real-mode setup load address, 32 bits.</summary>
    public const ushort SetupAddress = 0x16;

    /// <summary>Real-mode setup size, 32 bits.</summary>
    public const ushort SetupSize = 0x17;

    /// <summary>Real-mode setup image.</summary>
    public const ushort SetupData = 0x18;

    /// <summary>Directory of named files.</summary>
    public const ushort FileDirectory = 0x19;

    /// <summary>First key of named files.</summary>
    public const ushort FirstFile = 0x20;

    /// <summary>ACPI tables of the x86 boards, traditional interface.</summary>
    public const ushort X86AcpiTables = 0x8000;

    /// <summary>SMBIOS entries of the x86 boards.</summary>
    public const ushort X86Smbios = 0x8001;

    /// <summary>IRQ 0 override flag of the x86 boards.</summary>
    public const ushort X86Irq0Override = 0x8002;

    /// <summary>E820 reservation table of the x86 boards.</summary>
    public const ushort X86E820Table = 0x8003;
}

/// <summary>One item: its bytes, and what to call when the guest selects or writes it.</summary>
/// <param name="Data">The bytes; the guest changes them when <paramref name="Written"/> is given.</param>
/// <param name="Selected">Called when the guest selects the item, before it reads: the place to fill in late content.</param>
/// <param name="Written">Called after a write of the guest with its offset and length; null makes the item read-only.</param>
internal sealed record FwCfgItem(byte[] Data, Action? Selected = null, Action<int, int>? Written = null);

/// <summary>A named file as it stands in the directory.</summary>
/// <param name="Name">Path such as <c>etc/e820</c>.</param>
/// <param name="Key">Its selector key.</param>
/// <param name="Size">Bytes.</param>
public sealed record FwCfgFile(string Name, ushort Key, int Size);
