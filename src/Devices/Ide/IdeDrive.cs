using Emu.Core.Block;

namespace Emu.Devices.Ide;

/// <summary>What a drive is doing.</summary>
public enum IdePhase
{
    /// <summary>Nothing.</summary>
    Idle,

    /// <summary>The guest reads the buffer.</summary>
    DataIn,

    /// <summary>The guest writes the buffer.</summary>
    DataOut,

    /// <summary>The guest writes a command packet.</summary>
    Packet,

    /// <summary>A job is with the worker, or waits for the bus master.</summary>
    Working,
}

/// <summary>
/// One drive of a channel: its task file, its buffer and the transfers through the data register. What commands do is its
/// kind's. Called with the machine lock held.
/// </summary>
public abstract class IdeDrive
{
    /// <summary>Bytes of a drive's buffer, more than any block that goes through the data register.</summary>
    internal const int BufferSize = 128 << 10;

    /// <summary>Bytes that IDENTIFY answers.</summary>
    protected const int IdentifySize = 512;

    private int _position;
    private int _blockEnd;

    private protected IdeDrive(IBlockBackend? disk) => Disk = disk;

    /// <summary>What holds the drive's bytes; null for a tray without a disc.</summary>
    internal IBlockBackend? Disk { get; }

    /// <summary>The task file.</summary>
    internal IdeRegisters Registers { get; private protected set; } = new();

    /// <summary>What it does.</summary>
    internal IdePhase Phase { get; private protected set; }

    /// <summary>The job that it waits for.</summary>
    internal IdeJob Job { get; private protected set; }

    /// <summary>What goes through the data register.</summary>
    internal byte[] Buffer { get; } = new byte[BufferSize];

    /// <summary>The channel that it is connected to.</summary>
    internal IdeChannel? Channel { get; set; }

    /// <summary>Bytes of <see cref="Buffer"/> that are to be read or written in all.</summary>
    protected int BufferEnd { get; set; }

    /// <summary>Where in <see cref="Buffer"/> the guest is.</summary>
    protected int Position => _position;

    /// <summary>Status when nothing goes on.</summary>
    protected abstract byte ReadyStatus { get; }

    /// <summary>Runs a command.</summary>
    internal abstract void Execute(byte command);

    /// <summary>The job is done.</summary>
    internal abstract void Complete(IdeOutcome outcome);

    /// <summary>Puts the registers where they tell the kind of drive (ATA/ATAPI-7, 9.12).</summary>
    internal abstract void SetSignature();

    /// <summary>The power came on, or the channel was reset.</summary>
    internal virtual void Reset()
    {
        Phase = IdePhase.Idle;
        Job = default;
        Registers = new IdeRegisters { Error = IdeError.DiagnosticPassed };
        SetSignature();
    }

    /// <summary>Reads the data register: <paramref name="size"/> bytes; zeroes when there is nothing to read.</summary>
    internal uint ReadData(int size)
    {
        if (Phase != IdePhase.DataIn)
        {
            return 0;
        }

        uint value = 0;
        for (int i = 0; i < size && _position < _blockEnd; i++)
        {
            value |= (uint)Buffer[_position++] << (8 * i);
        }

        if (_position >= _blockEnd)
        {
            OnBlockRead();
        }

        return value;
    }

    /// <summary>Writes the data register.</summary>
    internal void WriteData(uint value, int size)
    {
        if (Phase is not (IdePhase.DataOut or IdePhase.Packet))
        {
            return;
        }

        for (int i = 0; i < size && _position < _blockEnd; i++)
        {
            Buffer[_position++] = (byte)(value >> (8 * i));
        }

        if (_position >= _blockEnd)
        {
            OnBlockWritten();
        }
    }

    /// <summary>Reads elements of <paramref name="size"/> bytes up to the end of the block; returns their number, 0 when not even one is whole.</summary>
    internal int ReadData(Span<byte> data, int size)
    {
        int elements = Phase == IdePhase.DataIn ? Math.Min(data.Length, _blockEnd - _position) / size : 0;
        Buffer.AsSpan(_position, elements * size).CopyTo(data);
        _position += elements * size;
        if (elements > 0 && _position >= _blockEnd)
        {
            OnBlockRead();
        }

        return elements;
    }

    /// <summary>Writes elements, as many as fit in the block.</summary>
    internal int WriteData(ReadOnlySpan<byte> data, int size)
    {
        int elements = Phase is IdePhase.DataOut or IdePhase.Packet ? Math.Min(data.Length, _blockEnd - _position) / size : 0;
        data[..(elements * size)].CopyTo(Buffer.AsSpan(_position));
        _position += elements * size;
        if (elements > 0 && _position >= _blockEnd)
        {
            OnBlockWritten();
        }

        return elements;
    }

    /// <summary>The guest has read a block.</summary>
    private protected abstract void OnBlockRead();

    /// <summary>The guest has written a block.</summary>
    private protected abstract void OnBlockWritten();

    /// <summary>Offers the next <paramref name="length"/> bytes of the buffer to be read.</summary>
    protected void OfferBlock(int length)
    {
        Phase = IdePhase.DataIn;
        Job = default;
        _blockEnd = _position + length;
        Registers.Status = (byte)(ReadyStatus | IdeStatus.DataRequest);
        Channel!.RaiseInterrupt();
    }

    /// <summary>Puts <paramref name="length"/> bytes into the buffer, to be offered from the first.</summary>
    protected void FillBuffer(int length) => (_position, _blockEnd, BufferEnd) = (0, 0, length);

    /// <summary>Asks for <paramref name="length"/> bytes.</summary>
    protected void RequestBlock(IdePhase phase, int length, bool interrupt)
    {
        Phase = phase;
        Job = default;
        (_position, _blockEnd, BufferEnd) = (0, length, length);
        Registers.Status = (byte)(ReadyStatus | IdeStatus.DataRequest);
        if (interrupt)
        {
            Channel!.RaiseInterrupt();
        }
    }

    /// <summary>Gives a job to the worker, or keeps it until the bus master is started. DMA requests show as DRQ with BSY (ATA/ATAPI-7, 9.7).</summary>
    protected void Start(IdeJob job)
    {
        Phase = IdePhase.Working;
        Job = job;
        Registers.Status = IdeStatus.Busy;
        Channel!.Submit(this);
    }

    /// <summary>Ends a command.</summary>
    protected void Finish(byte error = IdeError.None)
    {
        Phase = IdePhase.Idle;
        Job = default;
        Registers.Error = error;
        Registers.Status = (byte)(ReadyStatus | (error != IdeError.None ? IdeStatus.Error : 0));
        Channel!.RaiseInterrupt();
    }

    /// <summary>Ends a command as if the drive had aborted it.</summary>
    internal void Abort() => Finish(IdeError.Aborted);

    /// <summary>Everything that is in the base class.</summary>
    internal IdeDriveState Save(byte[] specific) => new()
    {
        Registers = Registers with { },
        Phase = Phase,
        Job = Job,
        Buffer = Phase == IdePhase.Idle ? [] : Buffer[..Math.Max(BufferEnd, _blockEnd)],
        Position = _position,
        BlockEnd = _blockEnd,
        BufferEnd = BufferEnd,
        Specific = specific,
    };

    /// <summary>The state of the drive.</summary>
    internal abstract IdeDriveState Save();

    /// <summary>True when <paramref name="state"/> can be one of this drive.</summary>
    internal virtual bool IsValid(IdeDriveState? state) => state is { Registers: not null, Buffer: not null, Specific: not null }
        && Enum.IsDefined(state.Phase) && Enum.IsDefined(state.Job.Kind)
        && state.Buffer.Length <= BufferSize
        && state.Position >= 0 && state.Position <= state.BlockEnd && state.BlockEnd <= BufferSize && state.BufferEnd is >= 0 and <= BufferSize
        && (state.Phase == IdePhase.Working) == (state.Job.Kind != IdeJobKind.None) && IsValid(state.Job);

    /// <summary>Takes a state that is valid; a job is begun again.</summary>
    internal virtual void Restore(IdeDriveState state)
    {
        Registers = state.Registers with { };
        Phase = state.Phase;
        Job = state.Job;
        state.Buffer.CopyTo(Buffer, 0);
        (_position, _blockEnd, BufferEnd) = (state.Position, state.BlockEnd, state.BufferEnd);
        if (Phase == IdePhase.Working)
        {
            Channel!.Submit(this);
        }
    }

    private bool IsValid(IdeJob job)
    {
        long limit = job.Kind switch
        {
            IdeJobKind.None or IdeJobKind.Flush => 0,
            IdeJobKind.DmaSend => BufferSize,
            _ => Disk?.Length ?? 0,
        };
        bool buffered = job.Kind is IdeJobKind.Read or IdeJobKind.Write or IdeJobKind.DmaSend;
        return job.Offset >= 0 && job.Length >= 0 && job.Offset <= limit && job.Length <= limit - job.Offset && (!buffered || job.Length <= BufferSize);
    }
}

/// <summary>Saved state of an <see cref="IdeDrive"/>.</summary>
public sealed record IdeDriveState
{
    /// <summary>Task file.</summary>
    public IdeRegisters Registers { get; init; } = new();

    /// <summary>What it does.</summary>
    public IdePhase Phase { get; init; }

    /// <summary>What it waits for.</summary>
    public IdeJob Job { get; init; }

    /// <summary>Buffer as far as it is in use.</summary>
    public byte[] Buffer { get; init; } = [];

    /// <summary>Where the guest is in the buffer.</summary>
    public int Position { get; init; }

    /// <summary>End of the block that the guest transfers.</summary>
    public int BlockEnd { get; init; }

    /// <summary>End of what is in the buffer.</summary>
    public int BufferEnd { get; init; }

    /// <summary>What this kind of drive has beside that.</summary>
    public byte[] Specific { get; init; } = [];
}
