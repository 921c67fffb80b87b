namespace Emu.Devices.Display;

/// <summary>A picture: rows of pixels 00RRGGBBH, top left first.</summary>
public sealed class DisplaySurface
{
    /// <summary>Pixels of a row.</summary>
    public int Width { get; private set; }

    /// <summary>Rows.</summary>
    public int Height { get; private set; }

    /// <summary>All pixels; row y begins at y × <see cref="Width"/>.</summary>
    public uint[] Pixels { get; private set; } = [];

    /// <summary>Row <paramref name="y"/>.</summary>
    public Span<uint> Row(int y) => Pixels.AsSpan(y * Width, Width);

    /// <summary>Makes the picture black and of this size.</summary>
    public void Resize(int width, int height)
    {
        (Width, Height) = (width, height);
        Pixels = new uint[width * height];
    }
}

/// <summary>What of a picture has changed: for each band of lines the columns from the first to the last that did.</summary>
public sealed class DirtyBands
{
    /// <summary>Lines of a band.</summary>
    public const int BandHeight = 16;

    private (int First, int End)[] _bands = [];

    /// <summary>True when the size of the picture has changed too; then all of it counts as changed.</summary>
    public bool Resized { get; private set; }

    /// <summary>True when nothing has changed.</summary>
    public bool IsEmpty => !Resized && !Array.Exists(_bands, band => band.End > band.First);

    /// <summary>Number of bands.</summary>
    public int Count => _bands.Length;

    /// <summary>First changed column of band <paramref name="index"/> and the one after the last; the same when there is none.</summary>
    public (int First, int End) this[int index] => _bands[index];

    /// <summary>A picture of another size, all of it new.</summary>
    public void SetSize(int width, int height)
    {
        Resized = true;
        _bands = new (int, int)[(height + BandHeight - 1) / BandHeight];
        Array.Fill(_bands, (0, width));
    }

    /// <summary>Columns from <paramref name="x"/> on of lines from <paramref name="y"/> on have changed.</summary>
    public void Mark(int x, int y, int width, int height)
    {
        for (int band = y / BandHeight; band <= (y + height - 1) / BandHeight && band < _bands.Length; band++)
        {
            (int first, int end) = _bands[band];
            _bands[band] = end <= first ? (x, x + width) : (Math.Min(first, x), Math.Max(end, x + width));
        }
    }

    /// <summary>Takes over what changed in <paramref name="other"/>.</summary>
    public void Add(DirtyBands other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other.Resized || other.Count != Count)
        {
            Resized = true;
            _bands = [.. other._bands];
            return;
        }

        for (int i = 0; i < _bands.Length; i++)
        {
            (int first, int end) = other._bands[i];
            if (end > first)
            {
                Mark(first, i * BandHeight, end - first, 1);
            }
        }
    }

    /// <summary>Everything has been taken notice of.</summary>
    public void Clear()
    {
        Resized = false;
        Array.Clear(_bands);
    }
}
