using System.Globalization;

namespace Emu.Machine.Pc;

/// <summary>The properties of one <c>-device</c>, read by kind. What is wrong is told in one line that names device and property.</summary>
internal sealed class DeviceProperties(DeviceSpec spec)
{
    /// <summary>The exception that says <paramref name="problem"/> of this device.</summary>
    public MachineConfigException Error(string problem) => new(spec.Option, $"{spec.Driver}: {problem}");

    /// <summary>A text, or null.</summary>
    public string? Text(string name) => spec.Properties.GetValueOrDefault(name);

    /// <summary>on or off.</summary>
    public bool Switch(string name, bool standard) => Text(name) switch
    {
        null => standard,
        "on" or "yes" or "true" => true,
        "off" or "no" or "false" => false,
        string value => throw Error($"{name}='{value}' is neither on nor off"),
    };

    /// <summary>A number in a range.</summary>
    public int Number(string name, int standard, int least, int most)
    {
        string? text = Text(name);
        return text is null ? standard
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) && value >= least && value <= most ? value
            : throw Error($"{name}='{text}' is not a number from {least} to {most}");
    }

    /// <summary>A power of two in a range.</summary>
    public int PowerOfTwo(string name, int standard, int least, int most) => Number(name, standard, least, most) is var value && int.IsPow2(value)
        ? value
        : throw Error($"{name}={value} is not a power of two");

    /// <summary>The address of a network card in <c>mac</c>, or null.</summary>
    public byte[]? MacAddress()
    {
        if (Text("mac") is not string text)
        {
            return null;
        }

        string[] parts = text.Split(':', '-');
        byte[] address = new byte[6];
        bool valid = parts.Length == address.Length;
        for (int i = 0; valid && i < address.Length; i++)
        {
            valid = parts[i].Length == 2 && byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address[i]);
        }

        return valid && (address[0] & 1) == 0
            ? address
            : throw Error($"mac='{text}' is not an address of one card; write six bytes such as 52:54:00:12:34:56");
    }

    /// <summary>Device and function number of <c>addr</c>, in hexadecimal, or null.</summary>
    public (int Device, int Function)? PciAddress()
    {
        if (Text("addr") is not string text)
        {
            return null;
        }

        string[] parts = text.Split('.');
        string device = parts[0].StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? parts[0][2..] : parts[0];
        int function = 0;
        bool valid = int.TryParse(device, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int number) && number is >= 0 and < 32
            && (parts.Length == 1 || (parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out function) && function < 8));
        return valid ? (number, function) : throw Error($"addr='{text}' is not a place on the PCI bus; write DEVICE or DEVICE.FUNCTION, such as 5 or 1f.0");
    }
}
