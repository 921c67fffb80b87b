using System.Buffers.Binary;
using Emu.Core.Net;

namespace Emu.Devices.Virtio;

/// <content>Frames for the guest.</content>
public sealed partial class VirtioNet
{
    private const int EtherTypeOffset = 12;
    private const ushort EtherTypeIpv6 = 0x86dd;

    // Buffers of the frame being received; the objects are kept for the next one.
    private readonly List<VirtioChain> _buffers = [];

    /// <inheritdoc/>
    public bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        if (!IsLive || frame.Length is < EthernetHeaderSize or > LargestFrame || !_filter.Passes(frame) || !Offloads.HasFlag(NeededOffloads(frame, offload)))
        {
            // Also what the driver did not ask for: it reset the card after the back end had looked.
            return true;
        }

        Span<byte> header = stackalloc byte[HeaderSize];
        FillHeader(header, frame, offload);
        VirtioQueueSlot slot = Queues[ReceiveQueue];
        bool taken;
        bool interrupt = false;
        string? error;
        lock (slot.Gate)
        {
            taken = slot.Ring is null || TryStore(slot.Ring, header, frame, out interrupt);
            error = slot.Ring?.Error;
        }

        if (interrupt)
        {
            Transport?.InterruptQueue(ReceiveQueue);
        }

        if (error is not null)
        {
            Break(ReceiveQueue, error);
        }

        return taken || error is not null;
    }

    private static NetOffloads NeededOffloads(ReadOnlySpan<byte> frame, in FrameOffload offload) =>
        (offload.NeedsChecksum ? NetOffloads.Checksum : NetOffloads.None)
        | (offload.SegmentSize == 0 ? NetOffloads.None : IsIpv6(frame) ? NetOffloads.Tso6 : NetOffloads.Tso4);

    private static bool IsIpv6(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt16BigEndian(frame[EtherTypeOffset..]) == EtherTypeIpv6;

    private void FillHeader(Span<byte> header, ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        header.Clear();
        if (offload.NeedsChecksum)
        {
            header[0] = HeaderNeedsChecksum;
            BinaryPrimitives.WriteUInt16LittleEndian(header[6..], offload.ChecksumStart);
            BinaryPrimitives.WriteUInt16LittleEndian(header[8..], offload.ChecksumOffset);
        }
        else if (offload.IsChecksumValid && (DriverFeatures & FeatureGuestChecksum) != 0)
        {
            header[0] = HeaderDataValid;
        }

        if (offload.SegmentSize > 0)
        {
            header[1] = IsIpv6(frame) ? SegmentTcp6 : SegmentTcp4;
            BinaryPrimitives.WriteUInt16LittleEndian(header[4..], offload.SegmentSize);
        }
    }

    // With the gate held. False when the driver has too few buffers now; a frame that will never fit is dropped.
    private bool TryStore(VirtQueue ring, Span<byte> header, ReadOnlySpan<byte> frame, out bool interrupt)
    {
        interrupt = false;
        ring.SuppressNotifications();
        int most = (DriverFeatures & FeatureMergeable) != 0 ? Queues[ReceiveQueue].Size : 1;
        int count = Take(ring, HeaderSize + frame.Length, most, out long room);
        if (room < HeaderSize + frame.Length)
        {
            PutBack(ring, count);
            return count == most;
        }

        BinaryPrimitives.WriteUInt16LittleEndian(header[10..], (ushort)count);
        Store(ring, count, header, frame);
        interrupt = ring.Publish();
        return true;
    }

    // Takes buffers until they hold the size; when they run out, looks again after asking to be notified.
    private int Take(VirtQueue ring, int size, int most, out long room)
    {
        int count = 0;
        room = 0;
        while (room < size && count < most)
        {
            if (count == _buffers.Count)
            {
                _buffers.Add(new VirtioChain());
            }

            if (ring.TryPop(_buffers[count]))
            {
                room += _buffers[count++].WritableLength;
            }
            else if (!ring.AllowNotifications())
            {
                break;
            }
        }

        return count;
    }

    private void PutBack(VirtQueue ring, int count)
    {
        while (count > 0)
        {
            ring.Unpop(_buffers[--count]);
        }
    }

    // Header, then frame, over the buffers one after the other; buffers may be smaller than the header.
    private void Store(VirtQueue ring, int count, ReadOnlySpan<byte> header, ReadOnlySpan<byte> frame)
    {
        for (int i = 0; i < count; i++)
        {
            VirtioChain buffer = _buffers[i];
            int written = buffer.Write(0, header);
            header = header[written..];
            if (header.IsEmpty)
            {
                int part = buffer.Write(written, frame);
                frame = frame[part..];
                written += part;
            }

            ring.Push(buffer, (uint)written);
        }
    }
}
