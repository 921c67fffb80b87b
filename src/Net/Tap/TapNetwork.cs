using System.Text;
using Emu.Core.Net;

namespace Emu.Net.Tap;

/// <summary>A TAP interface of a Linux host (<c>-netdev tap</c>): the guest's frames are those of the interface.</summary>
public sealed class TapNetwork : INetBackend
{
    private const int MaxFrameBytes = 68 << 10;
    private const int MaxNameBytes = 15;

    private readonly FileStream _tap;
    private readonly ManualResetEventSlim _room = new();
    private INetReceiver? _receiver;
    private volatile bool _disposed;

    private TapNetwork(FileStream tap) => _tap = tap;

    /// <inheritdoc/>
    public NetOffloads Offloads => NetOffloads.None;

    /// <summary>Opens the interface.</summary>
    /// <exception cref="NetworkException">Not Linux, no privilege, or no such interface.</exception>
    public static TapNetwork Create(TapNetworkSpec spec)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (!OperatingSystem.IsLinux())
        {
            throw new NetworkException("tap is there on Linux hosts only; use user or socket");
        }

        if (spec.InterfaceName is string name && (name.Length > MaxNameBytes || !Ascii.IsValid(name)))
        {
            throw new NetworkException($"ifname={name} is no name of an interface; at most {MaxNameBytes} characters");
        }

        try
        {
            return new TapNetwork(TapNative.Open(spec.InterfaceName));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new NetworkException(
                $"cannot open the tap interface {spec.InterfaceName}: {exception.Message.TrimEnd('.')}; make one for this user with "
                + $"'ip tuntap add dev {spec.InterfaceName ?? "tap0"} mode tap user NAME', or use -netdev user", exception);
        }
    }

    /// <inheritdoc/>
    public void Connect(INetReceiver receiver)
    {
        _receiver = receiver;
        new Thread(ReadFrames) { Name = "net tap", IsBackground = true }.Start();
    }

    /// <inheritdoc/>
    public void Send(ReadOnlySpan<byte> frame, in FrameOffload offload)
    {
        try
        {
            _tap.Write(frame);
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The interface is down: as on a wire that is not plugged in.
        }
    }

    /// <inheritdoc/>
    public void ReceiverReady() => _room.Set();

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        _room.Set();
        _tap.Dispose();
    }

    private void ReadFrames()
    {
        byte[] buffer = new byte[MaxFrameBytes];
        try
        {
            while (!_disposed)
            {
                int length = _tap.Read(buffer);
                _room.Reset();
                while (!_disposed && !_receiver!.Receive(buffer.AsSpan(0, length), default))
                {
                    _room.Wait();
                    _room.Reset();
                }
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // Closed, or the interface is gone.
        }
    }
}
