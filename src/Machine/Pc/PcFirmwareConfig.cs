using Emu.Devices.Ide;
using Emu.Devices.Legacy;
using Emu.Devices.Timer;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>What the board tells firmware through fw_cfg and CMOS.</summary>
internal static class PcFirmwareConfig
{
    // CMOS byte with the number of CPUs less one, as QEMU's firmware reads it.
    private const int CmosCpuCount = 0x5f;

    // Types of the two disks, F for "see the extended type", parameters of those, and two bits a disk of translation.
    private const int CmosDiskTypes = 0x12;
    private const int CmosExtendedType = 0x19;
    private const int CmosParameters = 0x1b;
    private const int CmosTranslation = 0x39;
    private const int TranslationNone = 0;
    private const int TranslationLba = 1;
    private const int LargestBiosCylinders = 1024;

    /// <summary>Fills in the items that every firmware for QEMU machines asks for.</summary>
    public static void Fill(FwCfg fwCfg, MemoryLayout layout, int cpus, bool hasVga)
    {
        fwCfg.AddInt64(FwCfgKeys.RamSize, layout.RamSize);
        fwCfg.AddInt16(FwCfgKeys.CpuCount, (ushort)cpus);
        fwCfg.AddInt16(FwCfgKeys.MaxCpuCount, (ushort)cpus);
        fwCfg.AddInt16(FwCfgKeys.NoGraphic, (ushort)(hasVga ? 0 : 1));
        fwCfg.AddBytes(FwCfgKeys.NumaNodes, new byte[sizeof(ulong) * (1 + cpus)]); // no nodes, and so every CPU in none
        fwCfg.AddInt32(FwCfgKeys.X86Irq0Override, 1);
        fwCfg.AddBytes(FwCfgKeys.Uuid, new byte[16]);
        fwCfg.AddFile("etc/e820", E820(layout));
    }

    /// <summary>Presets the CMOS bytes.</summary>
    public static void Fill(Rtc146818 rtc, MemoryLayout layout, int cpus)
    {
        rtc.SetMemorySize(layout.LowSize, layout.HighSize);
        rtc[CmosCpuCount] = (byte)(cpus - 1);
    }

    /// <summary>The device that a letter of <c>-boot</c> stands for.</summary>
    public static CmosBootDevice BootDeviceOf(char letter) => letter switch
    {
        'a' or 'b' => CmosBootDevice.Floppy,
        'c' => CmosBootDevice.HardDisk,
        'd' => CmosBootDevice.CdRom,
        'n' => CmosBootDevice.Network,
        _ => CmosBootDevice.None,
    };

    /// <summary>
    /// Tells of IDE disk <paramref name="number"/> (0–3): for the first two, drives C and D, their geometry as type 47, and for all how
    /// firmware is to translate it for software that asks in cylinders.
    /// </summary>
    public static void DescribeDisk(Rtc146818 rtc, int number, DiskGeometry geometry)
    {
        ArgumentNullException.ThrowIfNull(rtc);
        int translation = geometry.Cylinders <= LargestBiosCylinders ? TranslationNone : TranslationLba;
        rtc[CmosTranslation] |= (byte)(translation << (2 * number));
        if (number > 1)
        {
            return;
        }

        rtc[CmosDiskTypes] |= (byte)(number == 0 ? 0xf0 : 0x0f);
        rtc[CmosExtendedType + number] = 47;
        byte[] parameters =
        [
            (byte)geometry.Cylinders, (byte)(geometry.Cylinders >> 8), (byte)geometry.Heads, 0xff, 0xff,
            (byte)(0xc0 | (geometry.Heads > 8 ? 8 : 0)), (byte)geometry.Cylinders, (byte)(geometry.Cylinders >> 8), (byte)geometry.Sectors,
        ];
        for (int i = 0; i < parameters.Length; i++)
        {
            rtc[CmosParameters + (number * parameters.Length) + i] = parameters[i];
        }
    }

    // Whole stretches of RAM, 20 bytes each: firmware carves its own areas out of them.
    private static byte[] E820(MemoryLayout layout)
    {
        List<E820Entry> map = [new(0, layout.LowSize, E820Type.Ram)];
        if (layout.HighSize > 0)
        {
            map.Add(new E820Entry(MemoryLayout.HighBase, layout.HighSize, E820Type.Ram));
        }

        return [.. map.SelectMany(entry =>
            (IEnumerable<byte>)[.. BitConverter.GetBytes(entry.Start), .. BitConverter.GetBytes(entry.Size), .. BitConverter.GetBytes((uint)entry.Type)])];
    }
}
