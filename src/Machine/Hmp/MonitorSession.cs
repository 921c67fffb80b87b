using System.Collections.Concurrent;
using System.Text;
using Emu.Core;
using Emu.Devices.Serial;

namespace Emu.Machine.Hmp;

/// <summary>The monitor on a character back end, or on keys that somebody hands over: echo, line editing by backspace, and a thread that runs the commands.</summary>
public sealed class MonitorSession : ISerialReceiver, IDisposable
{
    private const int LongestLine = 4096;
    private const int RoomForInput = 4096;
    private const byte Backspace = 0x08;
    private const byte Delete = 0x7f;

    private readonly HumanMonitor _monitor;
    private readonly Action<string> _print;
    private readonly bool _echo;
    private readonly BlockingCollection<string> _lines = [];
    private readonly StringBuilder _line = new();

    /// <summary>Starts a session.</summary>
    /// <param name="monitor">Runs the commands.</param>
    /// <param name="print">Takes what is printed, on any thread.</param>
    /// <param name="echo">True where nobody else shows what is typed.</param>
    public MonitorSession(HumanMonitor monitor, Action<string> print, bool echo)
    {
        _monitor = monitor;
        _print = print;
        _echo = echo;
        new Thread(RunLoop) { Name = "monitor", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public event Action? SpaceFreed
    {
        add { }
        remove { }
    }

    /// <inheritdoc/>
    public int CanReceive => RoomForInput;

    /// <summary>Prints the prompt.</summary>
    public void ShowPrompt() => _print(HumanMonitor.Prompt);

    /// <summary>Takes typed bytes.</summary>
    public void Receive(ReadOnlySpan<byte> data)
    {
        foreach (byte value in data)
        {
            Type(value);
        }
    }

    /// <inheritdoc/>
    public void ReceiveBreak()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_lines.IsAddingCompleted)
        {
            _lines.CompleteAdding();
        }
    }

    private void Type(byte value)
    {
        switch (value)
        {
            case (byte)'\r' or (byte)'\n':
                Echo("\n");
                if (!_lines.IsAddingCompleted)
                {
                    _lines.Add(_line.ToString());
                }

                _line.Clear();
                break;
            case Backspace or Delete when _line.Length > 0:
                _line.Length--;
                Echo("\b \b");
                break;
            case >= (byte)' ' when value != Delete && _line.Length < LongestLine:
                _line.Append((char)value);
                Echo(((char)value).ToString());
                break;
            default:
                break;
        }
    }

    private void Echo(string text)
    {
        if (_echo)
        {
            _print(text);
        }
    }

    // Commands may wait for the machine, which whoever types must not.
    private void RunLoop()
    {
        foreach (string line in _lines.GetConsumingEnumerable())
        {
            _print(_monitor.Execute(line) + HumanMonitor.Prompt);
        }
    }
}
