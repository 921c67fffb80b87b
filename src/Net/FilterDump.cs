using System.Buffers.Binary;
using Emu.Core.Net;

namespace Emu.Net;

/// <summary>
/// A network whose frames, both ways, are also written to a pcap file (<c>-object filter-dump</c>), as the card and the network hand
/// them over: one that is still to be split or to get its checksum is shown so.
/// </summary>
public sealed class FilterDump : INetBackend
{
    private const uint Magic = 0xa1b2_c3d4;
    private const uint LinkTypeEthernet = 1;
    private const int FileHeaderBytes = 24;
    private const int RecordHeaderBytes = 16;

    private readonly INetBackend _network;
    private readonly int _maxFrameBytes;
    private readonly Lock _gate = new();
    private FileStream? _file;

    private FilterDump(INetBackend network, FileStream file, int maxFrameBytes)
    {
        _network = network;
        _file = file;
        _maxFrameBytes = maxFrameBytes;
    }

    /// <inheritdoc/>
    public NetOffloads Offloads => _network.Offloads;

    /// <summary>Puts a capture between a card and <paramref name="network"/>, which it owns from then on.</summary>
    /// <exception cref="NetworkException">The file cannot be written.</exception>
    public static FilterDump Create(FilterDumpSpec spec, INetBackend network)
    {
        ArgumentNullException.ThrowIfNull(spec);
        try
        {
            var file = new FileStream(spec.File, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 1 << 16);
            Span<byte> header = stackalloc byte[FileHeaderBytes];
            header.Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(header, Magic);
            BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
            BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
            BinaryPrimitives.WriteInt32LittleEndian(header[16..], spec.MaxFrameBytes);
            BinaryPrimitives.WriteUInt32LittleEndian(header[20..], LinkTypeEthernet);
            file.Write(header);
            return new FilterDump(network, file, spec.MaxFrameBytes);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new NetworkException($"file={spec.File}: {exception.Message.TrimEnd('.')}; name a file that can be written", exception);
        }
    }

    /// <inheritdoc/>
    public void Connect(INetReceiver receiver) => _network.Connect(new Tap(this, receiver));

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        Write(frame);
        _network.Send(frame, offload);
    }

    /// <inheritdoc/>
    public void ReceiverReady() => _network.ReceiverReady();

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        lock (_gate)
        {
            CloseFile();
        }
    }

    private void Write(ReadOnlySpan<byte> frame)
    {
        int kept = Math.Min(frame.Length, _maxFrameBytes);
        Span<byte> header = stackalloc byte[RecordHeaderBytes];
        lock (_gate)
        {
            long microseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)(microseconds / 1_000_000));
            BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(microseconds % 1_000_000));
            BinaryPrimitives.WriteInt32LittleEndian(header[8..], kept);
            BinaryPrimitives.WriteInt32LittleEndian(header[12..], frame.Length);
            try
            {
                _file?.Write(header);
                _file?.Write(frame[..kept]);
            }
            catch (IOException)
            {
                // A full disk ends the capture, not the guest's network.
                CloseFile();
            }
        }
    }

    private void CloseFile()
    {
        FileStream? file = _file;
        _file = null;
        try
        {
            file?.Dispose();
        }
        catch (IOException)
        {
            // What could not be written is lost.
        }
    }

    /// <summary>The card, seen from the network. A frame it refuses is offered again, and is written when it is taken.</summary>
    private sealed class Tap(FilterDump dump, INetReceiver card) : INetReceiver
    {
        public NetOffloads Offloads => card.Offloads;

        public bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload)
        {
            if (!card.Receive(frame, offload))
            {
                return false;
            }

            dump.Write(frame);
            return true;
        }
    }
}
