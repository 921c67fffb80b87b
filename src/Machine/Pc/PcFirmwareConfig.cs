using Emu.Devices.Legacy;
using Emu.Devices.Timer;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>What the board tells firmware through fw_cfg and CMOS.</summary>
internal static class PcFirmwareConfig
{
    // CMOS byte with the number of CPUs less one, as QEMU's firmware reads it.
    private const int CmosCpuCount = 0x5f;

    /// <summary>Fills in the items that every firmware for QEMU machines asks for.</summary>
    public static void Fill(FwCfg fwCfg, MemoryLayout layout, int cpus)
    {
        fwCfg.AddInt64(FwCfgKeys.RamSize, layout.RamSize);
        fwCfg.AddInt16(FwCfgKeys.CpuCount, (ushort)cpus);
        fwCfg.AddInt16(FwCfgKeys.MaxCpuCount, (ushort)cpus);
        fwCfg.AddInt16(FwCfgKeys.NoGraphic, 1);
        fwCfg.AddInt16(FwCfgKeys.BootMenu, 0);
        fwCfg.AddInt32(FwCfgKeys.X86Irq0Override, 1);
        fwCfg.AddBytes(FwCfgKeys.Uuid, new byte[16]);
        fwCfg.AddFile("etc/e820", E820(layout));
    }

    /// <summary>Presets the CMOS bytes.</summary>
    public static void Fill(Rtc146818 rtc, MemoryLayout layout, int cpus)
    {
        rtc.SetMemorySize(layout.LowSize, layout.HighSize);
        rtc.SetBootOrder(CmosBootDevice.HardDisk);
        rtc[CmosCpuCount] = (byte)(cpus - 1);
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
