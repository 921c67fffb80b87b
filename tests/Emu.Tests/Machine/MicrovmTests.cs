using System.Text;
using Emu.Machine;
using Emu.Tests.Loaders;

namespace Emu.Tests.MachineTests;

public sealed class MicrovmTests : IDisposable
{
    private const ulong Tables = 0xF_0000;
    private const ulong Transports = 0xfeb0_0000;

    private readonly string _folder = Directory.CreateTempSubdirectory("emu-microvm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Board_HasVirtioRegistersAndNoPci()
    {
        using MachineRig rig = Create(new DeviceSpec("virtio-rng-device"), new DeviceSpec("virtio-net-device"));

        Assert.Equal(4UL, rig.Machine.Memory.Read(Transports + 8, 4));
        Assert.Equal(1UL, rig.Machine.Memory.Read(Transports + 0x200 + 8, 4));
        Assert.Equal(0xffff_ffffUL, rig.Machine.Memory.Read(Transports + 0x400, 4));
        Assert.Equal(0xffff_ffffUL, rig.Machine.Ports.Read(0xcf8, 4));
        Assert.Equal("", rig.Machine.DescribePci());
        Assert.Null(rig.Machine.Input);
    }

    [Fact]
    public void Acpi_NamesTheTransports()
    {
        using MachineRig rig = Create(new DeviceSpec("virtio-rng-device"), new DeviceSpec("virtio-rng-device"));
        byte[] tables = new byte[0x2000];
        rig.Machine.Memory.Read(Tables, tables);
        string text = Encoding.Latin1.GetString(tables);

        Assert.Equal(3, text.Split("LNRO0005").Length);
        Assert.DoesNotContain("PCI0", text, StringComparison.Ordinal);
        Assert.True(tables.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x86, 0x09, 0x00, 0x01, 0x00, 0x02, 0xb0, 0xfe, 0x00, 0x02, 0x00, 0x00, 0x89, 0x06, 0x00, 0x01, 0x01, 0x11, 0x00, 0x00, 0x00]) > 0);
    }

    [Theory]
    [InlineData("pit", 0x40)]
    [InlineData("rtc", 0x71)]
    [InlineData("pic", 0x21)]
    [InlineData("isa-serial", 0x3f8)]
    public void Property_Off_TakesThePartAway(string property, ushort port)
    {
        using MachineRig with = Create();
        using MachineRig without = Create(Board((property, "off")), []);

        Assert.NotEqual(0xffUL, with.Machine.Ports.Read(port, 1));
        Assert.Equal(0xffUL, without.Machine.Ports.Read(port, 1));
    }

    [Theory]
    [InlineData("on", "quiet virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=512@0xfeb00200:6")]
    [InlineData("off", "quiet")]
    public void WithoutAcpi_TheCommandLineNamesTheTransports(string automatic, string expected)
    {
        string kernel = Path.Combine(_folder, "kernel");
        File.WriteAllBytes(kernel, ElfBuilder.Elf64(pvhEntry: 0x10_0000));
        MachineConfig config = MachineRig.Config with
        {
            Machine = Board(("acpi", "off"), ("auto-kernel-cmdline", automatic)),
            Boot = new BootSpec { Kernel = kernel, Append = "quiet" },
            Devices = [new DeviceSpec("virtio-rng-device"), new DeviceSpec("virtio-rng-device")],
        };
        using var rig = new MachineRig(_ => [], config);
        byte[] low = new byte[0xA_0000];
        rig.Machine.Memory.Read(0, low);

        Assert.Equal("ELF PVH", rig.Machine.BootKind);
        Assert.Contains($"{expected}\0", Encoding.Latin1.GetString(low), StringComparison.Ordinal);
    }

    [Fact]
    public void Interrupt_OfADevice_ReachesTheIoApic()
    {
        using MachineRig rig = Create(new DeviceSpec("virtio-rng-device"));
        rig.Machine.Memory.Write(0xFEC0_0000, 0x10 + (2 * 16), 4);
        rig.Machine.Memory.Write(0xFEC0_0010, 0x1_8021, 4); // input 16: masked, a level
        rig.Machine.Memory.Write(Transports + 0x70, 3, 4);
        rig.Machine.Memory.Write(Transports + 0x24, 1, 4);
        rig.Machine.Memory.Write(Transports + 0x20, 1, 4);
        rig.Machine.Memory.Write(Transports + 0x70, 15, 4);

        // A queue at the registers themselves: the device needs a reset and says so.
        rig.Machine.Memory.Write(Transports + 0x84, 1, 4);
        rig.Machine.Memory.Write(Transports + 0x44, 1, 4);
        Assert.Equal(2UL, rig.Machine.Memory.Read(Transports + 0x60, 4));
        Assert.Contains("the device needs a reset", Assert.Single(rig.Notices), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("virtio-rng-pci", "machine 'microvm' has no place for it")]
    [InlineData("ide-cd", "machine 'microvm' has no place for it")]
    [InlineData("VGA", "machine 'microvm' has no place for it")]
    public void Device_OfAnotherBus_IsRefused(string driver, string message) =>
        Assert.Contains(message, Refuse(MachineRig.Config with { Machine = Board(), Devices = [new DeviceSpec(driver)] }), StringComparison.Ordinal);

    [Fact]
    public void MmioDevice_OnAPc_IsRefused() =>
        Assert.Contains("machine 'pc' has no place for it", Refuse(MachineRig.Config with { Devices = [new DeviceSpec("virtio-rng-device")] }), StringComparison.Ordinal);

    [Fact]
    public void NineDevices_AreRefused() => Assert.Contains(
        "room for 8 devices, not 9",
        Refuse(MachineRig.Config with { Machine = Board(), Devices = [.. Enumerable.Repeat(new DeviceSpec("virtio-rng-device"), 9)] }),
        StringComparison.Ordinal);

    [Fact]
    public void Firmware_IsRefused() =>
        Assert.Contains("runs no firmware", Refuse(MachineRig.Config with { Machine = Board(), Boot = new BootSpec { Bios = "bios.bin" } }), StringComparison.Ordinal);

    [Theory]
    [InlineData("ide-cd")]
    [InlineData("virtio-rng-pci")]
    public void SameId_TwiceOnAPc_IsRefused(string driver)
    {
        var named = new DeviceSpec(driver) { Properties = new Dictionary<string, string> { ["id"] = "a" } };

        Assert.Contains("there is a device 'a' already", Refuse(MachineRig.Config with { Devices = [named, named] }), StringComparison.Ordinal);
    }

    private static MachineSpec Board(params (string Name, string Value)[] properties) =>
        new(MachineCatalog.Microvm) { Properties = properties.ToDictionary(property => property.Name, property => property.Value) };

    private static MachineRig Create(params DeviceSpec[] devices) => Create(Board(), devices);

    private static MachineRig Create(MachineSpec board, DeviceSpec[] devices) =>
        new(_ => [], MachineRig.Config with { Machine = board, Devices = devices, Serials = [new CharSpec(CharKind.Null)] });

    private static string Refuse(MachineConfig config) => Assert.Throws<MachineConfigException>(() => new MachineRig(_ => [], config)).Message;
}
