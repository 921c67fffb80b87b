using System.Diagnostics;
using System.Text;
using Emu.Core;

namespace Emu.Machine.Chardev;

/// <summary>Drops output and sends nothing.</summary>
public sealed class NullBackend(string name, MachineLock machineLock) : CharBackend(name, machineLock, null);

/// <summary>Writes output to a file, replacing what was there.</summary>
public sealed class FileBackend : CharBackend
{
    private readonly FileStream _file;

    private FileBackend(string name, MachineLock machineLock, FileStream file)
        : base(name, machineLock, file.Write) => _file = file;

    /// <summary>Creates the file at <paramref name="path"/>. A name of a pipe or device that exists works too.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be created.</exception>
    public static FileBackend Create(string name, MachineLock machineLock, string path) =>
        new(name, machineLock, new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _file.Dispose();
    }
}

/// <summary>Looks at input before the guest gets it.</summary>
public interface IInputFilter
{
    /// <summary>Copies from <paramref name="input"/> to <paramref name="output"/> (as large) what the guest shall get; returns how much.</summary>
    int Filter(ReadOnlySpan<byte> input, Span<byte> output);
}

/// <summary>Two streams of the host, as a rule standard input and output.</summary>
public sealed class StreamBackend : CharBackend
{
    private readonly Stream _input;

    /// <summary>Reading starts when a device is connected. The streams are not closed at the end.</summary>
    public StreamBackend(string name, MachineLock machineLock, Stream input, Stream output)
        : base(name, machineLock, data =>
        {
            output.Write(data);
            output.Flush();
        }) => _input = input;

    /// <summary>Takes commands to the emulator out of the input; null hands everything to the guest.</summary>
    public IInputFilter? Filter { get; set; }

    /// <inheritdoc/>
    private protected override void OnConnected() => new Thread(ReadLoop) { Name = Name + " reader", IsBackground = true }.Start();

    private void ReadLoop()
    {
        byte[] raw = new byte[4096];
        byte[] filtered = new byte[raw.Length];
        try
        {
            for (int length = _input.Read(raw); length > 0; length = _input.Read(raw))
            {
                IInputFilter? filter = Filter;
                int kept = filter?.Filter(raw.AsSpan(0, length), filtered) ?? length;

                // Where commands must get through, a guest that reads nothing must not stop the reading.
                Send((filter is null ? raw : filtered).AsSpan(0, kept), wait: filter is null);
            }
        }
        catch (IOException)
        {
            // The terminal has gone away: no more input. SIGHUP says the rest.
        }
    }
}

/// <summary>Keeps output in memory and takes input from the program: for tests.</summary>
public sealed class MemoryBackend(string name, MachineLock machineLock) : CharBackend(name, machineLock, null)
{
    private readonly object _gate = new();
    private readonly MemoryStream _written = new();

    /// <summary>Everything written so far, each byte as one character.</summary>
    public string Text
    {
        get
        {
            lock (_gate)
            {
                return Encoding.Latin1.GetString(_written.GetBuffer(), 0, (int)_written.Length);
            }
        }
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            _written.Write(data);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Sends <paramref name="text"/> to the guest, each character as one byte.</summary>
    public void Send(string text) => Send(Encoding.Latin1.GetBytes(text));

    /// <summary>Waits until <paramref name="text"/> has been written at or after position <paramref name="from"/>; returns the position behind it, or -1 when the time is up.</summary>
    public int WaitFor(string text, TimeSpan limit, int from = 0)
    {
        byte[] wanted = Encoding.Latin1.GetBytes(text);
        long start = Stopwatch.GetTimestamp();
        lock (_gate)
        {
            while (true)
            {
                int length = (int)_written.Length;
                from = Math.Min(from, length);
                int found = _written.GetBuffer().AsSpan(from, length - from).IndexOf(wanted);
                TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
                if (found >= 0 || left <= TimeSpan.Zero)
                {
                    return found >= 0 ? from + found + wanted.Length : -1;
                }

                // What was searched once need not be searched again, but for a beginning of the text at its end.
                from = Math.Max(from, length - wanted.Length + 1);
                Monitor.Wait(_gate, left);
            }
        }
    }
}
