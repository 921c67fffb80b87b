using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Tests.Block;

/// <summary>One change of a file, or a flush.</summary>
/// <param name="Offset">Where; -1 for a flush.</param>
/// <param name="Bytes">What was written; zeroes for a hole.</param>
internal sealed record FileChange(long Offset, byte[] Bytes)
{
    public bool IsFlush => Offset < 0;
}

/// <summary>A file in memory that records its changes, and fails when told to.</summary>
internal sealed class MemoryFile : IHostFile
{
    private const int PageSize = 4096;
    private readonly Dictionary<long, byte[]> _pages = [];
    private readonly Lock _lock = new();

    public string Name { get; init; } = "memory";

    public bool IsReadOnly { get; init; }

    public long Length { get; private set; }

    public bool CanPunch => true;

    /// <summary>Everything that happened, when it is not null.</summary>
    public List<FileChange>? Log { get; set; }

    /// <summary>A write that reaches behind this offset fails the test.</summary>
    public long Limit { get; set; } = long.MaxValue;

    /// <summary>Asked before each write and flush (offset -1); what is not Ok is the answer.</summary>
    public Func<long, BlockResult> Fault { get; set; } = _ => BlockResult.Ok;

    public MemoryFile Copy(bool readOnly = false)
    {
        var copy = new MemoryFile { Name = Name, IsReadOnly = readOnly, Length = Length, Limit = Limit };
        foreach ((long page, byte[] bytes) in _pages)
        {
            copy._pages[page] = [.. bytes];
        }

        return copy;
    }

    public BlockResult Read(long offset, Span<byte> destination)
    {
        lock (_lock)
        {
            for (int done = 0; done < destination.Length;)
            {
                int inPage = (int)((offset + done) % PageSize);
                int count = Math.Min(PageSize - inPage, destination.Length - done);
                Span<byte> target = destination.Slice(done, count);
                target.Clear();
                if (_pages.TryGetValue((offset + done) / PageSize, out byte[]? page))
                {
                    page.AsSpan(inPage, count).CopyTo(target);
                }

                done += count;
            }
        }

        return BlockResult.Ok;
    }

    public BlockResult Write(long offset, ReadOnlySpan<byte> source)
    {
        if (offset < 0 || offset + source.Length > Limit)
        {
            throw new InvalidOperationException($"write of {source.Length} bytes at {offset}");
        }

        if (Fault(offset) is var fault and not BlockResult.Ok)
        {
            return fault;
        }

        lock (_lock)
        {
            Log?.Add(new FileChange(offset, source.ToArray()));
            Apply(offset, source);
        }

        return BlockResult.Ok;
    }

    /// <summary>Changes bytes without anybody noticing.</summary>
    public void Apply(long offset, ReadOnlySpan<byte> source)
    {
        for (int done = 0; done < source.Length;)
        {
            int inPage = (int)((offset + done) % PageSize);
            int count = Math.Min(PageSize - inPage, source.Length - done);
            if (!_pages.TryGetValue((offset + done) / PageSize, out byte[]? page))
            {
                _pages[(offset + done) / PageSize] = page = new byte[PageSize];
            }

            source.Slice(done, count).CopyTo(page.AsSpan(inPage));
            done += count;
        }

        Length = Math.Max(Length, offset + source.Length);
    }

    public BlockResult SetLength(long length)
    {
        Length = length;
        return BlockResult.Ok;
    }

    public BlockResult Punch(long offset, long length)
    {
        lock (_lock)
        {
            length = Math.Min(length, Length - offset);
            if (length > 0)
            {
                byte[] zeroes = new byte[length];
                Log?.Add(new FileChange(offset, zeroes));
                Apply(offset, zeroes);
            }
        }

        return BlockResult.Ok;
    }

    public BlockResult Flush()
    {
        BlockResult fault = Fault(-1);
        lock (_lock)
        {
            Log?.Add(new FileChange(-1, []));
        }

        return fault;
    }

    public long Extent(long offset, long length, out bool isHole)
    {
        isHole = offset >= Length;
        return isHole ? length : Math.Min(length, Length - offset);
    }

    public void Dispose()
    {
    }
}
