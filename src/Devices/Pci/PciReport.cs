using System.Globalization;
using System.Text;

namespace Emu.Devices.Pci;

/// <summary>What is on a bus, in words: the facts that <c>lspci -nn -v</c> shows in the guest.</summary>
public static class PciReport
{
    private const int ClassOffset = 0x0a;

    /// <summary>One line a function, such as <c>00:02.0 [0100]: 1af4:1042 (rev 01) irq 11 bar1 mem 0xfebff000 [4 KiB]</c>.</summary>
    public static string Format(PciBus bus)
    {
        ArgumentNullException.ThrowIfNull(bus);
        var text = new StringBuilder();
        foreach ((int number, PciFunction function) in bus.Functions)
        {
            text.Append(CultureInfo.InvariantCulture, $"00:{number >> 3:x2}.{number & 7} [{function.ReadConfig(ClassOffset, 2):x4}]: ");
            text.Append(CultureInfo.InvariantCulture, $"{function.ReadConfig(0, 2):x4}:{function.ReadConfig(2, 2):x4} (rev {function.ReadConfig(8, 1):x2})");
            if (function.InterruptPin != 0)
            {
                text.Append(CultureInfo.InvariantCulture, $" irq {function.Config[PciFunction.InterruptLineOffset]}");
            }

            foreach (PciBar bar in function.Bars.OfType<PciBar>())
            {
                string place = bar.Address is ulong address ? $"0x{address:x}" : "off";
                text.Append(CultureInfo.InvariantCulture, $" bar{bar.Index} {(bar.Kind == PciBarKind.Io ? "io" : "mem")} {place} [{Size(bar.Size)}]");
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Size(ulong bytes) => bytes >= 1 << 20 ? $"{bytes >> 20} MiB" : bytes >= 1 << 10 ? $"{bytes >> 10} KiB" : $"{bytes}";
}
