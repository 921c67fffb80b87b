using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>ICMP echo (RFC 792): answered here for this side's addresses, asked of the host for others.</summary>
/// <param name="plan">The network.</param>
/// <param name="sender">Where answers go.</param>
/// <param name="drops">Where requests beyond the limit are counted.</param>
internal sealed class EchoResponder(AddressPlan plan, PacketSender sender, NetDrops drops) : IDisposable
{
    private const int HeaderBytes = 8;
    private const byte EchoRequest = 8;
    private const int MaxPending = 16;
    private const int TimeoutMilliseconds = 5000;

    private readonly CancellationTokenSource _closing = new();
    private int _pending;

    /// <summary>Takes a message of the guest; false when it is malformed.</summary>
    public bool Handle(ulong mac, uint source, uint destination, byte timeToLive, ReadOnlySpan<byte> message, bool isRestricted)
    {
        if (message.Length < HeaderBytes || !InternetChecksum.IsValid(message))
        {
            return false;
        }

        if (message[0] != EchoRequest || message[1] != 0)
        {
            drops.Count(NetDrop.Unsupported);
        }
        else if (plan.IsServer(destination))
        {
            Reply(mac, source, destination, message);
        }
        else if (isRestricted || !plan.IsOutside(destination))
        {
            drops.Count(isRestricted ? NetDrop.Restricted : NetDrop.Martian);
        }
        else if (Interlocked.Increment(ref _pending) > MaxPending)
        {
            Interlocked.Decrement(ref _pending);
            drops.Count(NetDrop.EchoLimit);
        }
        else
        {
            byte[] request = message.ToArray();
            _ = Task.Run(() => AskHostAsync(mac, source, destination, timeToLive, request));
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _closing.Cancel();
        _closing.Dispose();
    }

    private void Reply(ulong mac, uint guest, uint from, ReadOnlySpan<byte> request)
    {
        byte[] reply = request.ToArray();
        reply.AsSpan(0, 4).Clear();
        BinaryPrimitives.WriteUInt16BigEndian(reply.AsSpan(2), InternetChecksum.Compute(reply));
        sender.Post(mac, IpProtocol.Icmp, from, guest, reply);
    }

    private async Task AskHostAsync(ulong mac, uint guest, uint destination, byte timeToLive, byte[] request)
    {
        try
        {
            bool answered = await (TryCreatePingSocket(timeToLive) is Socket socket
                ? AskBySocketAsync(socket, Ipv4.ToAddress(destination), request)
                : AskByPingAsync(Ipv4.ToAddress(destination), timeToLive, request)).ConfigureAwait(false);
            if (answered)
            {
                Reply(mac, guest, destination, request);
            }
        }
        catch (Exception exception) when (exception is SocketException or PingException or OperationCanceledException or ObjectDisposedException
            or PlatformNotSupportedException or ArgumentException)
        {
            // No answer is what the guest sees of an address that cannot be reached.
            drops.Count(NetDrop.HostRefused);
        }
        finally
        {
            Interlocked.Decrement(ref _pending);
        }
    }

    // Linux (where ping_group_range allows) and macOS have datagram sockets for echo that need no privilege.
    private static Socket? TryCreatePingSocket(byte timeToLive)
    {
        if (OperatingSystem.IsWindows())
        {
            return null;
        }

        try
        {
            return new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Icmp) { Ttl = Math.Max((byte)1, timeToLive) };
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private async Task<bool> AskBySocketAsync(Socket socket, IPAddress address, byte[] request)
    {
        using (socket)
        using (var limit = CancellationTokenSource.CreateLinkedTokenSource(_closing.Token))
        {
            limit.CancelAfter(TimeoutMilliseconds);
            await socket.ConnectAsync(new IPEndPoint(address, 0), limit.Token).ConfigureAwait(false);
            await socket.SendAsync(request, limit.Token).ConfigureAwait(false);
            return await socket.ReceiveAsync(new byte[Ipv4.MaxPacketBytes], limit.Token).ConfigureAwait(false) >= HeaderBytes;
        }
    }

    private async Task<bool> AskByPingAsync(IPAddress address, byte timeToLive, byte[] request)
    {
        using var ping = new Ping();
        var options = new PingOptions(Math.Max((byte)1, timeToLive), dontFragment: false);
        PingReply reply;
        try
        {
            reply = await ping.SendPingAsync(address, TimeSpan.FromMilliseconds(TimeoutMilliseconds), request[HeaderBytes..], options, _closing.Token)
                .ConfigureAwait(false);
        }
        catch (PlatformNotSupportedException)
        {
            // The host's ping program sends bytes of its own; whether there is an answer is all that counts.
            reply = await ping.SendPingAsync(address, TimeSpan.FromMilliseconds(TimeoutMilliseconds), null, null, _closing.Token).ConfigureAwait(false);
        }

        return reply.Status == IPStatus.Success;
    }
}
