using System.Buffers.Binary;
using System.Text;
using Emu.Core.Block;
using Emu.Machine;
using Emu.Tests.Devices.Virtio;

namespace Emu.Tests.MachineTests;

/// <summary>What a PC with firmware shows it: ROM, shadow RAM, fw_cfg files and CMOS.</summary>
public sealed class PcFirmwareTests : IDisposable
{
    private const int RomSize = 256 << 10;
    private const ulong Low = 0xE_0000;

    private readonly string _rom = Path.GetTempFileName();
    private readonly byte[] _content = new byte[RomSize];

    public PcFirmwareTests()
    {
        new Random(5).NextBytes(_content);
        File.WriteAllBytes(_rom, _content);
    }

    public void Dispose() => File.Delete(_rom);

    [Fact]
    public void Rom_LiesBelow4GiB_AndItsEndBelow1MiB()
    {
        using MachineRig rig = Rig();
        byte[] high = new byte[RomSize];
        byte[] low = new byte[128 << 10];
        rig.Machine.Memory.Read((1UL << 32) - RomSize, high);
        rig.Machine.Memory.Read(Low, low);

        Assert.Equal(_content, high);
        Assert.Equal(_content[(RomSize - low.Length)..], low);
        Assert.Equal(0xffffUL, rig.Machine.Memory.Read(0xc_8000, 2));
    }

    [Theory]
    [InlineData(0x59, 4, 0xf_1000)]
    [InlineData(0x5a, 0, 0xc_0000)]
    [InlineData(0x5a, 4, 0xc_7fff)]
    [InlineData(0x5d, 4, 0xd_c000)]
    [InlineData(0x5f, 4, 0xe_c123)]
    public void Pam_SendsReadsAndWritesToRamOrTheBus(int register, int shift, ulong address)
    {
        using MachineRig rig = Rig();
        ulong bus = rig.Machine.Memory.Read(address, 1);
        Assert.Equal(address < Low ? 0xffUL : _content[RomSize - (int)(0x10_0000 - address)], bus);
        byte first = (byte)~bus;

        // Written but not read, read and written, read only, neither.
        Set(rig, register, 2 << shift);
        rig.Machine.Memory.Write(address, first, 1);
        Assert.Equal(bus, rig.Machine.Memory.Read(address, 1));
        Set(rig, register, 3 << shift);
        Assert.Equal(first, (byte)rig.Machine.Memory.Read(address, 1));
        rig.Machine.Memory.Write(address, 0x5a, 1);
        Set(rig, register, 1 << shift);
        rig.Machine.Memory.Write(address, 0xa5, 1);
        Assert.Equal(0x5aUL, rig.Machine.Memory.Read(address, 1));
        Set(rig, register, 0);
        rig.Machine.Memory.Write(address, 0xa5, 1);
        Assert.Equal(bus, rig.Machine.Memory.Read(address, 1));
    }

    [Fact]
    public void Smram_ShowsWhileOpen_UntilItIsLocked()
    {
        using MachineRig rig = Rig();
        Assert.Equal(0xffUL, rig.Machine.Memory.Read(0xa_8000, 1));
        Set(rig, 0x72, 0x4a);
        rig.Machine.Memory.Write(0xa_8000, 0x77, 1);
        Assert.Equal(0x77UL, rig.Machine.Memory.Read(0xa_8000, 1));
        Set(rig, 0x72, 0x0a);
        Assert.Equal(0xffUL, rig.Machine.Memory.Read(0xa_8000, 1));

        Set(rig, 0x72, 0x5a);
        Assert.Equal(0x1aUL, Get(rig, 0x72));
        Set(rig, 0x72, 0x4a);
        Assert.Equal(0x1aUL, Get(rig, 0x72));
        Assert.Equal(0xffUL, rig.Machine.Memory.Read(0xa_8000, 1));
    }

    [Fact]
    public void FwCfg_HasTheFilesThatFirmwareTakes()
    {
        using MachineRig rig = Rig(
            new DeviceSpec("virtio-net-pci") { Properties = new Dictionary<string, string> { ["bootindex"] = "5", ["addr"] = "1f.1" } },
            new DeviceSpec("ide-hd") { Properties = new Dictionary<string, string> { ["drive"] = "d0", ["bootindex"] = "1", ["bus"] = "ide.1", ["unit"] = "1" } });

        Dictionary<string, byte[]> files = Files(rig);
        Assert.Equal("/pci@i0cf8/ide@1,1/drive@1/disk@1\n/pci@i0cf8/ethernet@1f,1/ethernet-phy@0\nHALT\0", Encoding.ASCII.GetString(files["bootorder"]));
        Assert.Equal(36, files["etc/acpi/rsdp"].Length);
        Assert.Equal("RSD PTR ", Encoding.ASCII.GetString(files["etc/acpi/rsdp"], 0, 8));
        Assert.NotEmpty(files["etc/acpi/tables"]);
        Assert.NotEmpty(files["etc/table-loader"]);
        Assert.Equal("_SM_", Encoding.ASCII.GetString(files["etc/smbios/smbios-anchor"], 0, 4));
        Assert.NotEmpty(files["etc/smbios/smbios-tables"]);
        Assert.Equal(BitConverter.GetBytes(-1), files["etc/boot-fail-wait"]);
        Assert.Equal(64UL << 20, BitConverter.ToUInt64(files["etc/e820"], 8));
    }

    [Fact]
    public void Cmos_TellsMemoryDisksAndOrder_AndOnceOnlyOnce()
    {
        using MachineRig rig = Rig(
            new DeviceSpec("ide-hd") { Properties = new Dictionary<string, string> { ["drive"] = "d0", ["bus"] = "ide.0", ["unit"] = "0" } });

        Assert.Equal([640 & 0xff, 640 >> 8], new[] { Cmos(rig, 0x15), Cmos(rig, 0x16) });
        Assert.Equal(48 << 4, Cmos(rig, 0x34) | (Cmos(rig, 0x35) << 8));
        Assert.Equal([0xf0, 47, 16, 63], new[] { Cmos(rig, 0x12), Cmos(rig, 0x19), Cmos(rig, 0x1d), Cmos(rig, 0x23) });
        Assert.Equal(0x03, Cmos(rig, 0x3d));

        rig.Start();
        rig.WaitFor(() => rig.Machine.Status == MachineStatus.Running);
        rig.Machine.RequestReset();
        rig.WaitFor(() => Cmos(rig, 0x3d) == 0x32);
        rig.Machine.RequestStop();
        rig.WaitForExit();
    }

    private MachineRig Rig(params DeviceSpec[] devices) => new(
        _ => [GuestStep.Hlt],
        MachineRig.Config with
        {
            MemoryBytes = 64UL << 20,
            Boot = new BootSpec { Bios = _rom, Order = new BootOrderSpec { Order = "cd", Once = "d", Strict = true } },
            Devices = devices,
        },
        new MachineHost { Drives = new Dictionary<string, IBlockBackend> { ["d0"] = new MemoryDisk(8 << 20) } });

    private static void Set(MachineRig rig, int register, int value)
    {
        rig.Machine.Ports.Write(0xcf8, 0x8000_0000u | (uint)(register & 0xfc), 4);
        rig.Machine.Ports.Write(0xcfcu + (uint)(register & 3), (ulong)value, 1);
    }

    private static ulong Get(MachineRig rig, int register)
    {
        rig.Machine.Ports.Write(0xcf8, 0x8000_0000u | (uint)(register & 0xfc), 4);
        return rig.Machine.Ports.Read(0xcfcu + (uint)(register & 3), 1);
    }

    private static int Cmos(MachineRig rig, byte index)
    {
        rig.Machine.Ports.Write(0x70, index, 1);
        return (int)rig.Machine.Ports.Read(0x71, 1);
    }

    private static Dictionary<string, byte[]> Files(MachineRig rig)
    {
        byte[] count = Item(rig, 0x19, 4);
        byte[] directory = Item(rig, 0x19, 4 + (64 * BinaryPrimitives.ReadInt32BigEndian(count)));
        return directory[4..].Chunk(64).ToDictionary(
            entry => Encoding.ASCII.GetString(entry, 8, 56).TrimEnd('\0'),
            entry => Item(rig, BinaryPrimitives.ReadUInt16BigEndian(entry.AsSpan(4)), BinaryPrimitives.ReadInt32BigEndian(entry)));
    }

    private static byte[] Item(MachineRig rig, ushort key, int size)
    {
        rig.Machine.Ports.Write(0x510, key, 2);
        return [.. Enumerable.Range(0, size).Select(_ => (byte)rig.Machine.Ports.Read(0x511, 1))];
    }
}
