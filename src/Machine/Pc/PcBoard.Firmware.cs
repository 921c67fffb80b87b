using Emu.Devices.Acpi;
using Emu.Devices.Legacy;
using Emu.Devices.Smbios;
using Emu.Devices.Timer;

namespace Emu.Machine.Pc;

/// <content>What firmware is told: tables to place, and what to start from.</content>
internal sealed partial class PcBoard
{
    private readonly List<(int Index, string Path)> _bootable = [];
    private FwCfg _fwCfg = null!;
    private Rtc146818 _rtc = null!;
    private bool _hasStarted;

    private void TellFirmware()
    {
        BootOrderSpec order = Config.Boot.Order;
        _fwCfg.AddInt16(FwCfgKeys.BootMenu, order.Menu ? (ushort)1 : (ushort)0);
        if (order.SplashMilliseconds is int splash)
        {
            _fwCfg.AddFile("etc/boot-menu-wait", BitConverter.GetBytes((ushort)splash));
        }

        _fwCfg.AddFile("etc/boot-fail-wait", BitConverter.GetBytes(order.RebootMilliseconds ?? -1));
        if (BootOrderFile(order) is { Length: > 0 } file)
        {
            _fwCfg.AddFile("bootorder", file);
        }

        if (SerialCount > 0 && !HasVga)
        {
            // Without a display adapter firmware speaks on the first serial port.
            _fwCfg.AddFile("etc/sercon-port", BitConverter.GetBytes(ComPorts[0].Port));
        }

        AddFirmwareTables();
        DescribeDisks(_rtc);
    }

    private void AddFirmwareTables()
    {
        if (IsOn("acpi"))
        {
            AcpiImage acpi = AcpiTables.BuildImage(AcpiFacts);
            _fwCfg.AddFile(TableLoader.RsdpFile, acpi.Rsdp);
            _fwCfg.AddFile(TableLoader.TablesFile, acpi.Tables);
            _fwCfg.AddFile(TableLoader.ScriptFile, TableLoader.Build(acpi));
        }

        SmpSpec smp = Config.Smp;
        SmbiosBlob smbios = SmbiosTables.Build(new SmbiosConfiguration
        {
            Memory = (Layout.LowSize, Layout.HighSize),
            Processors = (smp.Sockets, smp.Cores, smp.Threads),
        });
        _fwCfg.AddFile("etc/smbios/smbios-anchor", smbios.Anchor);
        _fwCfg.AddFile("etc/smbios/smbios-tables", smbios.Tables);
    }

    // Paths as Open Firmware has them, the first tried first; HALT has firmware try nothing else.
    private byte[] BootOrderFile(BootOrderSpec order)
    {
        IEnumerable<string> paths = _bootable.OrderBy(entry => entry.Index).Select(entry => entry.Path);
        string[] lines = [.. paths, .. order.Strict ? ["HALT"] : Array.Empty<string>()];
        return lines.Length == 0 ? [] : System.Text.Encoding.ASCII.GetBytes(string.Join('\n', lines) + "\0");
    }

    // For the start that comes: once= is for the first.
    private void SetBootOrder()
    {
        BootOrderSpec order = Config.Boot.Order;
        string letters = !_hasStarted && order.Once is string once ? once : order.Order;
        _hasStarted = true;
        CmosBootDevice[] devices = [.. letters.Select(PcFirmwareConfig.BootDeviceOf), .. new CmosBootDevice[3]];
        _rtc.SetBootOrder(devices[0], devices[1], devices[2]);
    }

    private void NoteBootable(DeviceProperties properties, string path)
    {
        const int largestIndex = 9999;
        if (properties.Text("bootindex") is null)
        {
            return;
        }

        int index = properties.Number("bootindex", 0, 0, largestIndex);
        if (_bootable.Exists(entry => entry.Index == index))
        {
            throw properties.Error($"bootindex={index} is given twice");
        }

        _bootable.Add((index, path));
    }

    private static string PciBootPath(string driver, int number)
    {
        string place = (number & 7) == 0 ? $"{number >> 3:x}" : $"{number >> 3:x},{number & 7}";
        return driver == "virtio-net-pci" ? $"/pci@i0cf8/ethernet@{place}/ethernet-phy@0" : $"/pci@i0cf8/scsi@{place}/disk@0,0";
    }
}
