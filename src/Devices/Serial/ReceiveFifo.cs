namespace Emu.Devices.Serial;

/// <summary>The receiver FIFO of a 16550: 16 characters, each with its own line-status error bits (PC16550D 8.4).</summary>
internal sealed class ReceiveFifo
{
    /// <summary>Depth in characters.</summary>
    public const int Depth = 16;

    private readonly byte[] _data = new byte[Depth];
    private readonly byte[] _errors = new byte[Depth];
    private int _head;

    /// <summary>Characters held.</summary>
    public int Count { get; private set; }

    /// <summary>Error bits of the character that is read next; 0 when empty.</summary>
    public byte TopErrors => Count > 0 ? _errors[_head] : (byte)0;

    /// <summary>True when any character held carries an error (LSR bit 7).</summary>
    public bool HasErrors
    {
        get
        {
            for (int i = 0; i < Count; i++)
            {
                if (_errors[(_head + i) % Depth] != 0)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => Count = 0;

    /// <summary>Appends a character; the caller has checked that there is room.</summary>
    public void Push(byte value, byte errors)
    {
        int slot = (_head + Count) % Depth;
        _data[slot] = value;
        _errors[slot] = errors;
        Count++;
    }

    /// <summary>Takes the oldest character, or 0 when empty.</summary>
    public byte Pop()
    {
        if (Count == 0)
        {
            return 0;
        }

        byte value = _data[_head];
        _head = (_head + 1) % Depth;
        Count--;
        return value;
    }

    /// <summary>Clears the error bits of the oldest character, once LSR has shown them.</summary>
    public void ClearTopErrors()
    {
        if (Count > 0)
        {
            _errors[_head] = 0;
        }
    }

    /// <summary>The characters, oldest first.</summary>
    public byte[] CopyData() => Copy(_data);

    /// <summary>The error bits, oldest first.</summary>
    public byte[] CopyErrors() => Copy(_errors);

    private byte[] Copy(byte[] ring)
    {
        byte[] copy = new byte[Count];
        for (int i = 0; i < copy.Length; i++)
        {
            copy[i] = ring[(_head + i) % Depth];
        }

        return copy;
    }
}
