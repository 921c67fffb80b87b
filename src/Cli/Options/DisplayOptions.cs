using System.Globalization;
using Emu.Machine;
using Emu.Machine.Vnc;

namespace Emu.Cli.Options;

/// <summary>Reads <c>-vga</c>, <c>-display</c>, <c>-vnc</c> and <c>-monitor</c>.</summary>
internal static class DisplayOptions
{
    private const int MostDisplays = 65535 - VncServer.FirstPort;
    private const string VncForms = "write :N, HOST:N or unix:PATH, with ,password=TEXT for a password";

    /// <summary>Who shows the screen, and where the monitor is.</summary>
    public static FrontEndSpec Read(OptionValues options)
    {
        bool curses = false;
        var vnc = new List<VncSpec>();
        foreach (string text in options.All("display"))
        {
            switch (text)
            {
                case "none":
                    break;
                case "curses":
                    curses = !options.Has("nographic") ? true : throw new OptionException("-display: curses and -nographic both want the terminal; keep one");
                    break;
                case { } when text.StartsWith("vnc=", StringComparison.Ordinal):
                    vnc.Add(OptionValues.Read("display", text["vnc=".Length..], ReadVnc));
                    break;
                default:
                    throw new OptionException($"-display: '{text}' is not there yet; write -display none, curses or vnc=:N");
            }
        }

        vnc.AddRange(options.All("vnc").Where(text => text != "none").Select(text => OptionValues.Read("vnc", text, ReadVnc)));
        return new FrontEndSpec { Curses = curses, Vnc = vnc, Monitor = ReadMonitor(options) };
    }

    /// <summary>The display adapter of <c>-vga</c>; without that option a VGA when somebody wants to see it.</summary>
    public static DeviceSpec? ReadAdapter(OptionValues options, FrontEndSpec frontEnds, bool hasOne)
    {
        string? choice = options.Last("vga");
        if (choice is not (null or "std" or "none"))
        {
            throw new OptionException($"-vga: '{choice}' is not there yet; write -vga std or none");
        }

        bool wanted = choice == "std" || (choice is null && (frontEnds.Curses || frontEnds.Vnc.Count > 0));
        return wanted && !hasOne ? new DeviceSpec("VGA") : null;
    }

    private static CharSpec? ReadMonitor(OptionValues options)
    {
        CharSpec? spec = options.Last("monitor") is string text ? OptionValues.Read("monitor", text, CharSpecParser.Parse) : null;
        return spec is null or { Kind: CharKind.Null } ? null
            : spec is { Kind: CharKind.File } or { Mux: true } ? throw new OptionException("-monitor: write stdio, unix:PATH,server,nowait or none; mon:stdio goes with -serial")
            : spec;
    }

    private static VncSpec ReadVnc(string text)
    {
        PropertyList list = PropertyList.Parse(text);
        if (list.Properties.Keys.FirstOrDefault(key => key != "password") is string unknown)
        {
            throw new OptionException($"unknown property '{unknown}'; there is password");
        }

        string place = list.First;
        if (place.StartsWith("unix:", StringComparison.Ordinal) && place.Length > "unix:".Length)
        {
            return new VncSpec(place["unix:".Length..], "", 0, list.Get("password"));
        }

        int colon = place.LastIndexOf(':');
        return colon >= 0 && int.TryParse(place[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int display) && display <= MostDisplays
            ? new VncSpec(null, place[..colon].Trim('[', ']'), display, list.Get("password"))
            : throw new OptionException($"'{place}' is no place for a server; {VncForms}");
    }
}
