using Emu.Core;
using Emu.Core.Block;
using Emu.Devices.Dma;
using Emu.Devices.Virtio;

namespace Emu.Devices.Ide;

/// <content>
/// Jobs. One at a time is with the worker, which does it without the machine lock. The gate is held while guest memory or a drive's
/// buffer is copied; taking a job back takes it too, so that afterwards nothing of that job happens to the guest.
/// </content>
public sealed partial class IdeChannel
{
    // What one call of the disk moves.
    private const int PieceSize = 256 << 10;

    private readonly Lock _gate = new();
    private readonly IDeviceWorker _worker;
    private readonly List<GuestSegment> _segments = [];
    private byte[]? _piece;
    private IdeRequest? _request;
    private IdeDrive? _working;
    private int _generation;
    private uint _table;
    private bool _isSubmitted;

    /// <summary>Gives the drive's job to the worker, unless it is one of the bus master that is not started.</summary>
    internal void Submit(IdeDrive drive)
    {
        if (drive.Job.IsDma && !Master.IsStarted)
        {
            return;
        }

        lock (_gate)
        {
            _generation++;
            _request = new IdeRequest(drive.Job, drive.Disk, drive.Buffer);
            _table = Master.Table;
        }

        _working = drive;
        _isSubmitted = true;
        _worker.Wake();
    }

    private void Cancel()
    {
        _isSubmitted = false;
        _working = null;
        lock (_gate)
        {
            _generation++;
            _request = null;
        }
    }

    private void Work()
    {
        while (true)
        {
            IdeRequest? request;
            int generation;
            lock (_gate)
            {
                (request, generation) = (_request, _generation);
                _request = null;
            }

            if (request is null)
            {
                return;
            }

            IdeOutcome outcome = Run(request, generation);
            using (_environment.Lock.Enter())
            {
                if (generation == _generation)
                {
                    Finish(request, outcome);
                }
            }
        }
    }

    private void Finish(IdeRequest request, IdeOutcome outcome)
    {
        _isSubmitted = false;
        if (request.Job.IsDma)
        {
            Master.End(outcome);
        }
        else if (request.Job.Kind == IdeJobKind.Read && outcome == IdeOutcome.Ok)
        {
            _piece!.AsSpan(0, (int)request.Job.Length).CopyTo(request.Buffer);
        }

        _working?.Complete(outcome);
    }

    private IdeOutcome Run(IdeRequest request, int generation)
    {
        IdeJob job = request.Job;
        _piece ??= new byte[PieceSize];
        IdeOutcome outcome = job.Kind switch
        {
            IdeJobKind.Read => OutcomeOf(request.Disk!.Read(job.Offset, _piece.AsSpan(0, (int)job.Length))),
            IdeJobKind.Write => WriteBuffer(request, generation),
            IdeJobKind.Flush => OutcomeOf(request.Disk!.Flush()),
            IdeJobKind.Verify => Verify(request, generation),
            _ => RunDma(request, generation),
        };
        return outcome is IdeOutcome.Ok or IdeOutcome.OkTableLeft && job.FlushAfter && request.Disk!.Flush() != BlockResult.Ok ? IdeOutcome.DiskError : outcome;
    }

    private static IdeOutcome OutcomeOf(BlockResult result) => result == BlockResult.Ok ? IdeOutcome.Ok : IdeOutcome.DiskError;

    private IdeOutcome WriteBuffer(IdeRequest request, int generation)
    {
        Span<byte> piece = _piece.AsSpan(0, (int)request.Job.Length);
        lock (_gate)
        {
            if (generation != _generation)
            {
                return IdeOutcome.Cancelled;
            }

            request.Buffer.AsSpan(0, piece.Length).CopyTo(piece);
        }

        return OutcomeOf(request.Disk!.Write(request.Job.Offset, piece));
    }

    private IdeOutcome Verify(IdeRequest request, int generation)
    {
        IdeOutcome outcome = IdeOutcome.Ok;
        for (long done = 0; done < request.Job.Length && outcome == IdeOutcome.Ok; done += PieceSize)
        {
            int part = (int)Math.Min(PieceSize, request.Job.Length - done);
            outcome = generation != Volatile.Read(ref _generation) ? IdeOutcome.Cancelled
                : OutcomeOf(request.Disk!.Read(request.Job.Offset + done, _piece.AsSpan(0, part)));
        }

        return outcome;
    }

    // The whole table is looked at before anything is transferred.
    private IdeOutcome RunDma(IdeRequest request, int generation)
    {
        IdeJob job = request.Job;
        bool toMemory = job.Kind != IdeJobKind.DmaWrite;
        _segments.Clear();
        IdeOutcome found = _environment.MayMaster() ? Master.Resolve(_table, job.Length, toMemory, _segments) : IdeOutcome.BusError;
        if (found is not (IdeOutcome.Ok or IdeOutcome.OkTableLeft))
        {
            return found;
        }

        (int segment, int start) = (0, 0);
        for (long done = 0; done < job.Length;)
        {
            int part = (int)Math.Min(PieceSize, job.Length - done);
            Span<byte> piece = _piece.AsSpan(0, part);
            bool read = job.Kind != IdeJobKind.DmaRead || request.Disk!.Read(job.Offset + done, piece) == BlockResult.Ok;
            lock (_gate)
            {
                if (!read || generation != _generation)
                {
                    return read ? IdeOutcome.Cancelled : IdeOutcome.DiskError;
                }

                if (job.Kind == IdeJobKind.DmaSend)
                {
                    request.Buffer.AsSpan((int)done, part).CopyTo(piece);
                }

                (segment, start) = CopyPiece(piece, toMemory, segment, start);
            }

            if (!toMemory && request.Disk!.Write(job.Offset + done, piece) != BlockResult.Ok)
            {
                return IdeOutcome.DiskError;
            }

            done += part;
        }

        return found;
    }

    private (int Segment, int Start) CopyPiece(Span<byte> piece, bool toMemory, int segment, int start)
    {
        while (!piece.IsEmpty)
        {
            GuestSegment part = _segments[segment].Part(start, piece.Length);
            if (toMemory)
            {
                piece[..part.Length].CopyTo(part.Bytes);
                part.NoteWrite(part.Length);
            }
            else
            {
                part.Bytes.CopyTo(piece);
            }

            piece = piece[part.Length..];
            start += part.Length;
            (segment, start) = start == _segments[segment].Length ? (segment + 1, 0) : (segment, start);
        }

        return (segment, start);
    }
}
