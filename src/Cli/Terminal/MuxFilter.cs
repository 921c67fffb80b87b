using System.Text;
using Emu.Machine.Chardev;

namespace Emu.Cli.Terminal;

/// <summary>What the keys after Ctrl-A can ask for.</summary>
internal interface IMuxCommands
{
    /// <summary>Ctrl-A x.</summary>
    void Quit();

    /// <summary>Ctrl-A b.</summary>
    void SendBreak();

    /// <summary>Ctrl-A c: keys go to the monitor from now on, or to the guest again.</summary>
    void SetMonitor(bool on);

    /// <summary>A key for the monitor.</summary>
    void TypeIntoMonitor(byte key);

    /// <summary>Shows text to the user, between the guest's output.</summary>
    void Show(string text);
}

/// <summary>Takes the Ctrl-A commands out of the terminal's input, with QEMU's keys.</summary>
internal sealed class MuxFilter(IMuxCommands commands) : IInputFilter
{
    /// <summary>The escape key.</summary>
    public const byte CtrlA = 1;

    private const string Help = """

        Ctrl-A h    this help
        Ctrl-A x    quit emu
        Ctrl-A b    send a break to the guest
        Ctrl-A c    switch between the monitor and the guest
        Ctrl-A Ctrl-A  send Ctrl-A to the guest

        """;

    private bool _escaped;
    private bool _inMonitor;

    /// <inheritdoc/>
    public int Filter(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int kept = 0;
        foreach (byte value in input)
        {
            if (_escaped)
            {
                _escaped = false;
                if (value == CtrlA && !_inMonitor)
                {
                    output[kept++] = value;
                }
                else
                {
                    Run(value);
                }
            }
            else if (value == CtrlA)
            {
                _escaped = true;
            }
            else if (_inMonitor)
            {
                commands.TypeIntoMonitor(value);
            }
            else
            {
                output[kept++] = value;
            }
        }

        return kept;
    }

    private void Run(byte key)
    {
        switch (key)
        {
            case (byte)'x' or (byte)'X':
                commands.Quit();
                break;
            case (byte)'h' or (byte)'H' or (byte)'?':
                commands.Show(Help.ReplaceLineEndings("\n"));
                break;
            case (byte)'b' or (byte)'B':
                commands.SendBreak();
                break;
            case (byte)'c' or (byte)'C':
                _inMonitor = !_inMonitor;
                commands.SetMonitor(_inMonitor);
                break;
            default:
                string name = Encoding.ASCII.GetString([key]);
                commands.Show($"\nemu: Ctrl-A {(char.IsControl(name[0]) ? "?" : name)} is no command; Ctrl-A h lists the keys\n");
                break;
        }
    }
}
