using System.Text;
using Emu.Devices.Display;
using Emu.Devices.Legacy;
using Emu.Machine.Display;

namespace Emu.Machine.Hmp;

/// <summary>QEMU's human monitor: a line in, text out. Commands run on the caller's thread, which must not hold the machine lock nor be one of the machine's.</summary>
public sealed class HumanMonitor(Machine machine)
{
    /// <summary>What asks for the next command.</summary>
    public const string Prompt = "(emu) ";

    private sealed record Command(string Name, string Arguments, string Summary, Func<Machine, string, string> Run);

    private static readonly Command[] Commands =
    [
        new("cont", "", "let a stopped machine go on", (machine, _) => Do(machine.Resume)),
        new("help", "", "this list", (_, _) => Help()),
        new("info", "status|pci|version", "what the machine is doing; what is on the PCI bus", Info),
        new("quit", "", "end emu", (machine, _) => Do(() => machine.RequestStop())),
        new("screendump", "FILE", "the screen into a file: PPM for .ppm, else PNG", Screendump),
        new("sendkey", "KEY[-KEY...]", "press these keys together: sendkey ctrl-alt-delete", SendKey),
        new("stop", "", "stop CPUs and virtual time", (machine, _) => Do(machine.Pause)),
        new("system_powerdown", "", "press the power button", (machine, _) => Do(machine.PressPowerButton)),
        new("system_reset", "", "press the reset button", (machine, _) => Do(machine.RequestReset)),
    ];

    /// <summary>Other names of commands, as in QEMU.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.Ordinal) { ["c"] = "cont", ["q"] = "quit", ["s"] = "stop", ["?"] = "help" };

    /// <summary>Runs <paramref name="line"/> and returns what it prints: lines, or nothing.</summary>
    public string Execute(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        string[] words = line.Trim().Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
        {
            return "";
        }

        string name = Aliases.GetValueOrDefault(words[0], words[0]);
        Command? command = Array.Find(Commands, candidate => candidate.Name == name);
        if (command is null)
        {
            return $"unknown command '{words[0]}'; help lists them\n";
        }

        return machine.Status == MachineStatus.Finished ? "the machine has ended\n" : command.Run(machine, words.Length > 1 ? words[1] : "");
    }

    private static string Do(Action action)
    {
        action();
        return "";
    }

    private static string Help()
    {
        var text = new StringBuilder();
        foreach (Command command in Commands)
        {
            text.Append($"{(command.Name + " " + command.Arguments).TrimEnd(),-28} {command.Summary}\n");
        }

        return text.ToString();
    }

    private static string Info(Machine machine, string what) => what switch
    {
        "status" => $"VM status: {(machine.Status == MachineStatus.Running ? "running" : "paused")}\n",
        "pci" => machine.DescribePci(),
        "version" => $"{typeof(HumanMonitor).Assembly.GetName().Version?.ToString(3)}\n",
        _ => "info: there is status, pci and version\n",
    };

    private static string Screendump(Machine machine, string path)
    {
        if (machine.Display is not GuestDisplay display)
        {
            return "screendump: the machine has no display; start it with -vga std\n";
        }

        if (path.Length == 0)
        {
            return "screendump: needs a file; write screendump FILE.png\n";
        }

        try
        {
            DisplayView view = display.CreateView();
            view.Refresh(new DirtyBands());
            PictureFile.Save(view.Surface, path);
            return "";
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return $"screendump: cannot write {path}: {exception.Message}\n";
        }
    }

    private static string SendKey(Machine machine, string text)
    {
        if (machine.Input is not IGuestInput input)
        {
            return "sendkey: the machine has no keyboard\n";
        }

        var keys = new List<Ps2Key>();
        foreach (string name in text.Split('-'))
        {
            if (KeySymbols.OfName(name) is not Ps2Key key)
            {
                return $"sendkey: there is no key '{name}'\n";
            }

            keys.Add(key);
        }

        keys.ForEach(key => input.Key(key, true));
        keys.Reverse();
        keys.ForEach(key => input.Key(key, false));
        return "";
    }
}
