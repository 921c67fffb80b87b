using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Emu.Core.Block;
using Emu.Machine;
using Emu.Machine.Drives;

namespace Emu.Tests.Debian;

/// <summary>The images that guests/disk/build.sh makes.</summary>
internal static class DiskImages
{
    public static string Disk { get; } = Repository.PathOf("guests", "disk", "image", "disk.img");

    public static string Disc { get; } = Repository.PathOf("guests", "disk", "image", "cd.iso");

    /// <summary>Why tests that need them are skipped, or null.</summary>
    public static string? WhySkip { get; } = Repository.IsCi ? null
        : !File.Exists("/usr/share/seabios/bios-256k.bin") ? "install the package seabios"
        : File.Exists(Disk) && File.Exists(Disc) ? null : "run guests/disk/build.sh";
}

/// <summary>A theory that needs the images and SeaBIOS.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class DiskBootTheoryAttribute : TheoryAttribute
{
    /// <summary>Decides on the skip.</summary>
    public DiskBootTheoryAttribute() => Skip = DiskImages.WhySkip;
}

/// <summary>From the reset vector to a shell: SeaBIOS, then GRUB from an IDE or virtio disk or ISOLINUX from a CD, then Linux with its own drivers.</summary>
[Collection(AloneCollection.Name)]
public sealed partial class DiskBootTests
{
    private const int CompareMegabytes = 16;

    [DiskBootTheory]
    [InlineData("ide-hd", "GRUB-LOADS", "ata_piix sd_mod", "sda", 1)]
    [InlineData("ide-cd", "ISOLINUX", "ata_piix sr_mod", "sr0", 1)]
    [InlineData("virtio-blk-pci", "GRUB-LOADS", "virtio_pci virtio_blk", "vda", 2)]
    public void Disk_BootsToAShell_AndLinuxReadsIt(string driver, string loader, string modules, string device, int cpus)
    {
        string path = driver == "ide-cd" ? DiskImages.Disc : DiskImages.Disk;
        using IBlockBackend disk = DriveFactory.Open(new DriveSpec("d0", path) { IsSnapshot = driver != "ide-cd", IsReadOnly = driver == "ide-cd" });
        DeviceSpec[] devices = [new(driver) { Properties = new Dictionary<string, string> { ["drive"] = "d0" } }];
        using var debian = new DebianMachine(new MachineConfig().CpuModel, cpus, "", devices, disk, new BootSpec());
        debian.WaitForShell();
        Assert.Contains("SeaBIOS", debian.Text, StringComparison.Ordinal);
        Assert.Contains(loader, debian.Text, StringComparison.Ordinal);

        _ = debian.Run("dmesg -n 1");
        Assert.Equal(0, debian.Run($"for m in {modules}; do modprobe $m || exit 1; done; for i in 1 2 3 4 5 6 7 8 9 10; do [ -b /dev/{device} ] && break; sleep 1; done; [ -b /dev/{device} ]").Status);
        byte[] start = new byte[CompareMegabytes << 20];
        int length = 0;
        using (FileStream file = File.OpenRead(path))
        {
            length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        }

        length &= ~0xfffff;
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(start.AsSpan(0, length))), debian.Run($"dd if=/dev/{device} bs=1M count={length >> 20} 2>/dev/null | sha256sum | cut -d' ' -f1").Output);
        if (driver == "ide-hd")
        {
            UseDisk(debian);
        }

        string log = debian.Run("dmesg").Output;
        Assert.Equal([], log.Split('\n').Where(line => Complaint().IsMatch(line)).ToArray());
        Assert.Equal(0, debian.RunToEnd("poweroff -f"));
    }

    // The file system that mke2fs made is written to, and is whole when read again past the cache.
    private static void UseDisk(DebianMachine debian)
    {
        Assert.Equal(0, debian.Run("mkdir /mnt && mount -t ext4 /dev/sda1 /mnt && cp known.txt /mnt/copy && umount /mnt").Status);
        Assert.Equal(0, debian.Run("echo 3 >/proc/sys/vm/drop_caches; mount -t ext4 /dev/sda1 /mnt && cmp known.txt /mnt/copy && umount /mnt").Status);
        Assert.Contains("EMU HARDDISK", debian.Run("dmesg | grep 'ata1.00'").Output, StringComparison.Ordinal);
        Assert.Equal("XFER_MW_DMA_2", debian.Run("cat /sys/class/ata_device/dev1.0/dma_mode").Output);
    }

    [GeneratedRegex(@"ACPI (Error|Warning|BIOS Error)|firmware bug|FW_BUG|WARNING|Bug:|Call Trace|conflict|can't (claim|assign|derive)|nobody cared|failed command|exception Emask|qc timeout|SRST failed|I/O error|soft resetting|lost interrupt", RegexOptions.IgnoreCase)]
    private static partial Regex Complaint();
}
