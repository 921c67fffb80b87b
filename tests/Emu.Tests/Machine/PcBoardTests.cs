using System.Buffers.Binary;
using System.Text;
using Emu.Core;
using Emu.Devices.Serial;
using Emu.Machine;
using Emu.Tests.Loaders;

namespace Emu.Tests.MachineTests;

public sealed class PcBoardTests
{
    private const ushort FwCfgSelector = 0x510;
    private const ushort FwCfgData = 0x511;

    [Fact]
    public void Memory_VideoWindowAndPciHole_AreEmpty()
    {
        using var rig = Idle();

        Assert.Equal(0xFFUL, rig.Machine.Memory.Read(0xA_0000, 1));
        Assert.Equal(0xFFUL, rig.Machine.Memory.Read(0xB_FFFF, 1));
        Assert.Equal(0xFFUL, rig.Machine.Memory.Read(16 << 20, 1));
        foreach (ulong address in (ulong[])[0x9_FFFF, 0xC_0000, (16 << 20) - 1])
        {
            rig.Machine.Memory.Write(address, 0xA5, 1);
            Assert.Equal(0xA5UL, rig.Machine.Memory.Read(address, 1));
        }
    }

    [Fact]
    public void Memory_Above3GiB_ContinuesAt4GiB()
    {
        // Never touched, so it costs the host nothing.
        using var rig = Idle(MachineRig.Config with { MemoryBytes = (3UL << 30) + (1 << 20) });

        rig.Machine.Memory.Write((1UL << 32) + (1 << 20) - 1, 0x5A, 1);
        Assert.Equal(0x5AUL, rig.Machine.Memory.Read((1UL << 32) + (1 << 20) - 1, 1));
        Assert.Equal(0xFFUL, rig.Machine.Memory.Read((1UL << 32) + (1 << 20), 1));
        Assert.Equal(0xFFUL, rig.Machine.Memory.Read(0xC000_0000, 1));
        Assert.Equal(0x10u, ReadCmos(rig, 0x5b));
    }

    [Fact]
    public void Mmio_InterruptControllersAndHpet_AreThere()
    {
        using var rig = Idle();

        Assert.InRange(rig.Machine.Memory.Read(0xFEE0_0030, 4) & 0xFF, 0x10UL, 0x15UL);
        rig.Machine.Memory.Write(0xFEC0_0000, 1, 4);
        Assert.Equal(0x0017_0020UL, rig.Machine.Memory.Read(0xFEC0_0010, 4));
        Assert.Equal(0x8086UL, rig.Machine.Memory.Read(0xFED0_0002, 2));
    }

    [Fact]
    public void Acpi_WithoutFirmware_TablesAreFound()
    {
        using var rig = Idle();
        byte[] rsdp = new byte[8];
        rig.Machine.Memory.Read(0xF_0000, rsdp);
        Assert.Equal("RSD PTR ", Encoding.ASCII.GetString(rsdp));
    }

    [Theory]
    [InlineData("acpi", 0xF_0000UL, 0UL)]
    [InlineData("hpet", 0xFED0_0002UL, 0xFFFFUL)]
    public void Property_Off_TakesThePartAway(string property, ulong address, ulong expected)
    {
        var machine = new MachineSpec("pc") { Properties = new Dictionary<string, string> { [property] = "off" } };
        using var rig = Idle(MachineRig.Config with { Machine = machine });
        Assert.Equal(expected, rig.Machine.Memory.Read(address, 2));
    }

    [Fact]
    public void FwCfg_HasMemoryMapAndCpuCount()
    {
        using var rig = Idle(MachineRig.Config with { Smp = new SmpSpec(3) });

        Assert.Equal(3, BinaryPrimitives.ReadUInt16LittleEndian(ReadFwCfg(rig, 0x05, 2)));
        Assert.Equal(16 << 20, BinaryPrimitives.ReadInt64LittleEndian(ReadFwCfg(rig, 0x03, 8)));
        byte[] directory = ReadFwCfg(rig, 0x19, 68);
        Assert.Equal("etc/e820", Encoding.ASCII.GetString(directory, 12, 8));
        Assert.Equal(20, BinaryPrimitives.ReadInt32BigEndian(directory.AsSpan(4)));
        byte[] map = ReadFwCfg(rig, 0x20, 20);
        Assert.Equal(16 << 20, BinaryPrimitives.ReadInt64LittleEndian(map.AsSpan(8)));
        Assert.Equal(2u, ReadCmos(rig, 0x5f));
    }

    [Fact]
    public void Serial_Ports_ReachTheirBackEnds()
    {
        Recorder[] recorders = [new(), new(), new(), new()];
        using var rig = Idle(MachineRig.Config with { DebugConsole = new DebugConsoleSpec(new CharSpec(CharKind.Null)) },
            new MachineHost { Serials = recorders[..4], DebugConsole = recorders[0] });

        ushort[] ports = [0x3F8, 0x2F8, 0x3E8, 0x2E8];
        for (int i = 0; i < 4; i++)
        {
            rig.Machine.Ports.Write(ports[i], (ulong)('A' + i), 1);
        }

        rig.Machine.Ports.Write(0xE9, '!', 1);
        Assert.Equal(["A!", "B", "C", "D"], recorders.Select(recorder => recorder.Text));
    }

    [Fact]
    public void Serial_Com1AndCom3_ShareOneLine()
    {
        using var rig = Idle(host: new MachineHost { Serials = [new Recorder(), new Recorder(), new Recorder()] });
        var ports = rig.Machine.Ports;

        // THR empty interrupts of both; silencing one leaves the line high.
        ports.Write(0x3F9, 2, 1);
        ports.Write(0x3E9, 2, 1);
        ports.Write(0x3F9, 0, 1);

        Assert.Equal(0x10UL, ports.Read(0x20, 1) & 0x10);
    }

    [Fact]
    public void Pci_WithoutFirmware_IsSetUp_AndAgainAfterAReset()
    {
        using var rig = new MachineRig(_ => [GuestStep.Hlt], MachineRig.Config with { Devices = [new DeviceSpec("virtio-rng-pci"), new DeviceSpec("virtio-net-pci")] });
        const string expected =
            """
            00:00.0 [0600]: 8086:1237 (rev 02)
            00:01.0 [0601]: 8086:7000 (rev 00)
            00:01.1 [0101]: 8086:7010 (rev 00) bar4 io 0xc000 [16]
            00:01.3 [0680]: 8086:7113 (rev 03) irq 9
            00:02.0 [00ff]: 1af4:1044 (rev 01) irq 10 bar1 mem 0xfebf7000 [4 KiB] bar4 mem 0xfebfc000 [16 KiB]
            00:03.0 [0200]: 1af4:1041 (rev 01) irq 11 bar1 mem 0xfebf6000 [4 KiB] bar4 mem 0xfebf8000 [16 KiB]

            """;
        Assert.Equal(expected, rig.Machine.DescribePci());
        Assert.Equal(0x0c00UL, rig.Machine.Ports.Read(0x4d0, 2));
        Assert.NotEqual(0xffff_ffffUL, rig.Machine.Ports.Read(0x608, 4));

        // Moved by the guest, then reset by CF9H.
        rig.Machine.Ports.Write(0xcf8, 0x8000_1014, 4);
        rig.Machine.Ports.Write(0xcfc, 0xe000_0000, 4);
        rig.Start();
        rig.WaitFor(() => rig.Machine.Status == MachineStatus.Running);
        Assert.Contains("0xe0000000", rig.Machine.DescribePci(), StringComparison.Ordinal);
        rig.Machine.Ports.Write(0xcf9, 6, 1);
        rig.WaitFor(() => rig.Machine.DescribePci() == expected);
        rig.Machine.RequestStop();
        rig.WaitForExit();
    }

    [Fact]
    public void A20Gate_IsReadBackButMasksNothing()
    {
        using var rig = Idle();
        rig.Machine.Ports.Write(0x92, 2, 1);
        rig.Machine.Ports.Write(0x92, 0, 1);

        rig.Machine.Memory.Write(0x10_0000, 0x77, 1);
        rig.Machine.Memory.Write(0, 0x11, 1);
        Assert.Equal(0x77UL, rig.Machine.Memory.Read(0x10_0000, 1));
    }

    [Theory]
    [InlineData((ushort)0x3f8, "-device: isa-debug-exit cannot have ports 0x3f8-0x3fb: serial0 is there; choose another iobase")]
    [InlineData((ushort)0x1f, "-device: isa-debug-exit cannot have ports 0x1f-0x22: pic-master is there; choose another iobase")]
    [InlineData((ushort)0x600, "-device: pm cannot have ports 0x600-0x60f: isa-debug-exit is there; choose another iobase")]
    [InlineData((ushort)0xcfa, "-device: isa-debug-exit cannot have ports 0xcfa-0xcfd: pci-address is there; choose another iobase")]
    public void Ports_ClaimedTwice_NamesBothDevices(ushort port, string expected)
    {
        MachineConfig config = MachineRig.Config with { DebugExit = new DebugExitSpec(port, 4), Serials = [new CharSpec(CharKind.Null)] };
        Assert.Equal(expected, Assert.Throws<MachineConfigException>(() => Idle(config)).Message);
    }

    [Fact]
    public void Ports_DebugConsoleOnTakenPort_BlamesItsOption()
    {
        MachineConfig config = MachineRig.Config with { DebugConsole = new DebugConsoleSpec(new CharSpec(CharKind.Null), 0x80) };
        string message = Assert.Throws<MachineConfigException>(() => Idle(config)).Message;
        Assert.Equal("-debugcon: debugcon cannot have port 0x80: port80 is there; choose another iobase", message);
    }

    public static TheoryData<string, MachineConfig> BadConfigurations => new()
    {
        { "-kernel: there is nothing to run", MachineRig.Config with { Boot = new BootSpec() } },
        { "-kernel: /nowhere/vmlinuz: no such kernel", MachineRig.Config with { Boot = new BootSpec { Kernel = "/nowhere/vmlinuz" } } },
        { "-bios: /nowhere/bios: no such firmware", MachineRig.Config with { Boot = new BootSpec { Bios = "/nowhere/bios" } } },
        { "-kernel: cannot be combined", MachineRig.Config with { Boot = new BootSpec { Kernel = "a", Bios = "b" } } },
        { "-device: /nowhere/x: no such image", MachineRig.Config with { Boot = new BootSpec { FlatLoads = [new("/nowhere/x", 0, true)] } } },
        { "-device: loader: nothing says where", With(new FlatLoadSpec(Image, 0x2000, false)) },
        { "overlaps another image", With(new FlatLoadSpec(Image, 0x2000, true), new FlatLoadSpec(Image, 0x2002, false)) },
        { "-cpu: unknown CPU model 'z80'", MachineRig.Config with { CpuModel = "z80" } },
        { "-cpu: unknown CPU feature 'warp'", MachineRig.Config with { CpuModel = "max,+warp" } },
        { "-mem-path", MachineRig.Config with { MemPath = "/nowhere" } },
        { "-machine: unknown machine 'toaster'", MachineRig.Config with { Machine = new MachineSpec("toaster") } },
        { "-serial: a PC has at most 4", MachineRig.Config with { Serials = [.. Enumerable.Repeat(new CharSpec(CharKind.Null), 5)] } },
        { "-D: cannot write", MachineRig.Config with { DebugLog = new DebugLogSpec(DebugLogItems.Unimp, "/nowhere/log") } },
    };

    [Theory]
    [MemberData(nameof(BadConfigurations))]
    public void Configuration_ThatCannotWork_GivesOneClearLine(string expected, MachineConfig config)
    {
        string message = Assert.Throws<MachineConfigException>(() => Idle(config)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Kernel_WithInitrdAndCommandLine_IsLoaded()
    {
        string kernel = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(kernel, ElfBuilder.Elf32().WithMultiboot());
            using var rig = Idle(MachineRig.Config with { Boot = new BootSpec { Kernel = kernel, Initrd = $"{Image} one,{Image}", Append = "quiet" } });

            Assert.Equal("multiboot", rig.Machine.BootKind);
            ulong info = rig.Cpu.GetState().Gpr[3];
            Assert.Equal(2UL, rig.Machine.Memory.Read(info + 20, 4));
        }
        finally
        {
            File.Delete(kernel);
        }
    }

    [Fact]
    public void Bios_IsMappedBelow4GiBAndBelow1MiB()
    {
        string bios = Path.GetTempFileName();
        try
        {
            byte[] image = new byte[64 << 10];
            image[^16] = 0xEA;
            File.WriteAllBytes(bios, image);
            using var rig = Idle(MachineRig.Config with { Boot = new BootSpec { Bios = bios } });

            Assert.Equal(0xEAUL, rig.Machine.Memory.Read(0xFFFF_FFF0, 1));
            Assert.Equal(0xEAUL, rig.Machine.Memory.Read(0xF_FFF0, 1));
            rig.Machine.Memory.Write(0xF_FFF0, 0, 1);
            Assert.Equal(0xEAUL, rig.Machine.Memory.Read(0xF_FFF0, 1));
            Assert.Equal(0xFFF0UL, rig.Cpu.GetState().Rip);
        }
        finally
        {
            File.Delete(bios);
        }
    }

    private static string Image => MachineRig.Config.Boot.FlatLoads[0].Path;

    private static MachineConfig With(params FlatLoadSpec[] loads) => MachineRig.Config with { Boot = new BootSpec { FlatLoads = loads } };

    private static MachineRig Idle(MachineConfig? config = null, MachineHost? host = null) => new(_ => [GuestStep.Hlt], config, host);

    private static byte[] ReadFwCfg(MachineRig rig, ushort key, int size)
    {
        rig.Machine.Ports.Write(FwCfgSelector, key, 2);
        return [.. Enumerable.Range(0, size).Select(_ => (byte)rig.Machine.Ports.Read(FwCfgData, 1))];
    }

    private static uint ReadCmos(MachineRig rig, byte index)
    {
        rig.Machine.Ports.Write(0x70, index, 1);
        return (uint)rig.Machine.Ports.Read(0x71, 1);
    }

    private sealed class Recorder : ISerialBackend
    {
        public string Text { get; private set; } = "";

        public void Write(ReadOnlySpan<byte> data) => Text += Encoding.ASCII.GetString(data);
    }
}
