namespace Emu.Machine;

/// <summary>The debug log of one machine: whole lines from any thread to a file or to standard error.</summary>
internal sealed class DebugLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TextWriter _writer;
    private readonly bool _owned;
    private bool _closed;

    private DebugLog(TextWriter writer, bool owned)
    {
        _writer = writer;
        _owned = owned;
    }

    /// <summary>Opens the log that <paramref name="spec"/> asks for, or null when nothing is to be logged.</summary>
    /// <exception cref="MachineConfigException">The file cannot be written.</exception>
    public static DebugLog? Open(DebugLogSpec spec)
    {
        if (spec.Items == DebugLogItems.None)
        {
            return null;
        }

        try
        {
            return spec.File is null ? new DebugLog(Console.Error, owned: false) : new DebugLog(new StreamWriter(spec.File), owned: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new MachineConfigException("-D", $"cannot write {spec.File}: {exception.Message.TrimEnd('.')}");
        }
    }

    /// <summary>Writes one line; nothing once the log is closed.</summary>
    public void Write(string line)
    {
        lock (_gate)
        {
            if (!_closed)
            {
                _writer.WriteLine(line);
            }
        }
    }

    /// <summary>Writes what is buffered and closes the file.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _writer.Flush();
            _closed = true;
            if (_owned)
            {
                _writer.Dispose();
            }
        }
    }
}
