using System.Security.Cryptography;
using Emu.Block;
using Emu.Core.Block;
using Emu.Machine;
using Emu.Machine.Drives;

namespace Emu.Tests.Debian;

/// <summary>Linux on the machine without PCI: its driver finds the devices in the ACPI tables, and reads the disk.</summary>
[Collection(AloneCollection.Name)]
public sealed class DebianMicrovmTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("emu-microvm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [DebianTheory]
    [InlineData("", 1)]
    [InlineData("pic rtc", 2)]
    public void Microvm_BootsToAShell_AndItsDevicesWork(string off, int cpus)
    {
        string path = Path.Combine(_folder, "disk.img");
        byte[] content = RandomNumberGenerator.GetBytes(8 << 20);
        File.WriteAllBytes(path, content);
        var board = new MachineSpec(MachineCatalog.Microvm)
        {
            Properties = off.Split(' ', StringSplitOptions.RemoveEmptyEntries).ToDictionary(name => name, _ => "off"),
        };
        DeviceSpec[] devices =
        [
            new("virtio-blk-device") { Properties = new Dictionary<string, string> { ["drive"] = "d0" } },
            new("virtio-rng-device"), new("virtio-net-device"),
        ];
        using (IBlockBackend disk = DriveFactory.Open(new DriveSpec("d0", path) { Format = ImageFormat.Raw }))
        {
            using var debian = new DebianMachine(new MachineConfig().CpuModel, cpus, "", devices, disk, board: board);
            debian.WaitForShell();
            _ = debian.Run("dmesg -n 1");
            Assert.Equal(0, debian.Run("for m in virtio_mmio virtio_blk virtio-rng virtio_net; do modprobe $m || exit 1; done").Status);

            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(content)), debian.Run("sha256sum /dev/vda | cut -d' ' -f1").Output);
            Assert.Equal(0, debian.Run("echo written >/dev/vda; sync").Status);
            Assert.Equal("virtio_rng.0", debian.Run("cat /sys/class/misc/hw_random/rng_current").Output);
            Assert.Equal("52:54:00:12:34:58", debian.Run("cat /sys/class/net/eth0/address").Output);
            Assert.Equal($"{cpus}", debian.Run("nproc").Output);
            Assert.Equal(off.Contains("rtc", StringComparison.Ordinal) ? "0" : "1", debian.Run("ls /sys/class/rtc | wc -l").Output);
            Assert.Equal(0, debian.RunToEnd("poweroff -f"));
        }

        Assert.Equal("written\n"u8.ToArray(), File.ReadAllBytes(path)[..8]);
    }
}
