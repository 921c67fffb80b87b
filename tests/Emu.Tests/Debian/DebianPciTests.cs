using Emu.Core.Block;
using Emu.Block;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Emu.Machine;
using Emu.Machine.Drives;

namespace Emu.Tests.Debian;

/// <summary>Linux's own drivers on the PCI bus and a virtio disk: what the guest reads and writes is what the image file holds.</summary>
[Collection(AloneCollection.Name)]
public sealed class DebianPciTests : IDisposable
{
    private const int DiskSize = 8 << 20;

    private readonly string _folder = Directory.CreateTempSubdirectory("emu-disk-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    public static TheoryData<string, string, int> Variants => new()
    {
        { "", "", 1 },
        { "packed", "", 2 },
        { "", "pci=nomsi", 1 },
    };

    [DebianTheory]
    [MemberData(nameof(Variants))]
    public void Disk_IsReadAndWritten_AndTheBusHasNoConflict(string switchedOn, string append, int cpus)
    {
        string path = Path.Combine(_folder, "disk.img");
        byte[] content = RandomNumberGenerator.GetBytes(DiskSize);
        File.WriteAllBytes(path, content);
        using (IBlockBackend disk = DriveFactory.Open(new DriveSpec("d0", path) { Format = ImageFormat.Raw }))
        {
            var properties = new Dictionary<string, string> { ["drive"] = "d0", ["serial"] = "EMU-1" };
            if (switchedOn.Length > 0)
            {
                properties[switchedOn] = "on";
            }

            DeviceSpec[] devices = [new("virtio-blk-pci") { Properties = properties }, new("virtio-rng-pci"), new("virtio-net-pci")];
            using var debian = new DebianMachine(new MachineConfig().CpuModel, cpus, append, devices, disk);
            UseDisk(debian, content);
            CheckBus(debian, usesMsi: append.Length == 0);
            Assert.Equal(0, debian.RunToEnd("poweroff -f"));
        }

        // What the guest wrote, and nothing else.
        Array.Clear(content, 1 << 20, 1 << 20);
        "written by the guest"u8.CopyTo(content.AsSpan(5 << 20));
        Assert.Equal(Convert.ToHexString(SHA256.HashData(content)), Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))));
    }

    private static void UseDisk(DebianMachine debian, byte[] content)
    {
        debian.WaitForShell();
        _ = debian.Run("dmesg -n 1");
        Assert.Equal(0, debian.Run("modprobe virtio_pci && modprobe virtio_blk && modprobe virtio-rng && modprobe virtio_net").Status);
        Assert.Equal("EMU-1", debian.Run("cat /sys/block/vda/serial; echo").Output);
        Assert.Equal($"{Convert.ToHexStringLower(SHA256.HashData(content))}  /dev/vda", debian.Run("sha256sum /dev/vda").Output);
        Assert.Equal(0, debian.Run("dd if=/dev/zero of=/dev/vda bs=64k count=16 seek=16 oflag=direct").Status);
        Assert.Equal(0, debian.Run("printf 'written by the guest' | dd of=/dev/vda bs=1M seek=5 conv=notrunc,fsync").Status);
        Assert.Equal("64", debian.Run("dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c").Output);
        Assert.Equal("52:54:00:12:34:58", debian.Run("cat /sys/class/net/eth0/address").Output);
    }

    private static void CheckBus(DebianMachine debian, bool usesMsi)
    {
        string listed = debian.Run("cd /sys/bus/pci/devices; for d in *; do echo $d $(cat $d/class $d/vendor $d/device); done; cd").Output;
        Assert.Equal(
            """
            0000:00:00.0 0x060000 0x8086 0x1237
            0000:00:01.0 0x060100 0x8086 0x7000
            0000:00:01.1 0x010180 0x8086 0x7010
            0000:00:01.3 0x068000 0x8086 0x7113
            0000:00:02.0 0x010000 0x1af4 0x1042
            0000:00:03.0 0x00ff00 0x1af4 0x1044
            0000:00:04.0 0x020000 0x1af4 0x1041
            """,
            listed);
        string interrupts = debian.Run("grep virtio /proc/interrupts").Output;
        Assert.Equal(usesMsi, interrupts.Contains("PCI-MSI", StringComparison.Ordinal));
        Assert.Equal(!usesMsi, interrupts.Contains("10-fasteoi", StringComparison.Ordinal));
        string log = debian.Run("dmesg").Output;
        Assert.DoesNotMatch(new Regex("conflict|can't (claim|assign|derive)|no compatible bridge|failed to assign|nobody cared|not claimed", RegexOptions.IgnoreCase), log);
    }
}
