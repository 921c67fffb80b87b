using Emu.Core.Block;
using Emu.Devices.Dma;
using Emu.Devices.Ide;
using Emu.Devices.Pci;
using Emu.Devices.Timer;
using Emu.Devices.Virtio;

namespace Emu.Machine.Pc;

/// <content>The IDE controller and its drives.</content>
internal sealed partial class PcBoard
{
    private static readonly (ushort Command, ushort Control, int Irq)[] IdeChannels = [(0x1f0, 0x3f6, 14), (0x170, 0x376, 15)];

    private PiixIde _ide = null!;

    private PiixIde AddIde(PciBus bus)
    {
        PiixIde ide = Add(new PiixIde("ide", [.. IdeChannels.Select(channel => Irqs.Line(channel.Irq))], new DmaMemory(Memory), Host.Lock, Workers));
        bus.Plug(PiixIde.DeviceNumber, PiixIde.FunctionNumber, ide.Function);
        for (int i = 0; i < PiixIde.ChannelCount; i++)
        {
            PortMap.Claim(IdeChannels[i].Command, ide.Channels[i].CommandBlock);
            PortMap.Claim(IdeChannels[i].Control, ide.Channels[i].ControlBlock);
        }

        return ide;
    }

    // bus=ide.0 or ide.1, unit=0 or 1, as in QEMU; without them the first free place.
    private void ConnectIdeDrive(string driver, DeviceProperties properties)
    {
        (int channel, int unit) = FindIdePlace(properties);
        string serial = properties.Text("serial") ?? $"EMU0000{(channel * IdeChannel.DriveCount) + unit + 1}";
        IdeDrive drive = driver == "ide-cd" ? CreateCdDrive(properties, serial) : CreateAtaDisk(properties, serial);
        _ide.Channels[channel].Connect(unit, drive);
        NoteBootable(properties, $"/pci@i0cf8/ide@1,1/drive@{channel}/disk@{unit}");
    }

    private (int Channel, int Unit) FindIdePlace(DeviceProperties properties)
    {
        int? bus = properties.Text("bus") switch
        {
            null => null,
            "ide.0" => 0,
            "ide.1" => 1,
            string other => throw properties.Error($"there is no bus '{other}'; there is ide.0 and ide.1"),
        };
        int? wanted = properties.Text("unit") is null ? null : properties.Number("unit", 0, 0, IdeChannel.DriveCount - 1);
        foreach (int channel in bus is int one ? [one] : Enumerable.Range(0, PiixIde.ChannelCount))
        {
            foreach (int unit in wanted is int place ? [place] : Enumerable.Range(0, IdeChannel.DriveCount))
            {
                if (_ide.Channels[channel].Drives[unit] is null)
                {
                    return (channel, unit);
                }
            }
        }

        throw properties.Error(bus is null && wanted is null ? "all four IDE drives are there already" : "there is an IDE drive at that bus and unit already; choose another");
    }

    private AtaDisk CreateAtaDisk(DeviceProperties properties, string serial)
    {
        (IBlockBackend disk, DriveSpec? spec) = FindDrive(properties);
        return new AtaDisk(disk, new AtaDiskOptions
        {
            Serial = serial,
            Model = properties.Text("model") ?? "EMU HARDDISK",
            WriteCache = spec?.Cache != Emu.Block.CacheMode.WriteThrough,
        });
    }

    private AtapiDrive CreateCdDrive(DeviceProperties properties, string serial) =>
        new(properties.Text("drive") is null ? null : FindDrive(properties).Disk, serial);

    // The disks of the primary channel, as CMOS describes them to firmware.
    private void DescribeDisks(Rtc146818 rtc)
    {
        for (int i = 0; i < PiixIde.ChannelCount * IdeChannel.DriveCount; i++)
        {
            if (_ide.Channels[i / IdeChannel.DriveCount].Drives[i % IdeChannel.DriveCount] is AtaDisk disk)
            {
                PcFirmwareConfig.DescribeDisk(rtc, i, disk.Geometry);
            }
        }
    }
}
