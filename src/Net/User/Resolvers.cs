using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Emu.Net.User;

/// <summary>The name servers that the guest's questions are passed on to: those given, or the host's own, read again now and then.</summary>
/// <param name="given">Name servers to use whatever the host has; null for the host's.</param>
internal sealed class Resolvers(IReadOnlyList<IPEndPoint>? given)
{
    /// <summary>Port of name servers.</summary>
    public const ushort DnsPort = 53;

    private const long RefreshMilliseconds = 30_000;
    private const long PatienceMilliseconds = 2000;

    private readonly Lock _gate = new();
    private IReadOnlyList<IPEndPoint> _servers = given ?? [];
    private long _readAgain;
    private int _current;
    private long _askedSince;

    /// <summary>The server to ask now, or null when the host has none. One that has not answered for a while is passed over.</summary>
    public IPEndPoint? Next(long now)
    {
        lock (_gate)
        {
            if (given is null && now >= _readAgain)
            {
                _servers = ReadHost();
                _readAgain = now + RefreshMilliseconds;
            }

            if (_askedSince == 0)
            {
                _askedSince = now;
            }
            else if (now - _askedSince > PatienceMilliseconds)
            {
                _current++;
                _askedSince = now;
            }

            return _servers.Count == 0 ? null : _servers[_current % _servers.Count];
        }
    }

    /// <summary>A server has answered: it is asked again next time.</summary>
    public void Answered()
    {
        lock (_gate)
        {
            _askedSince = 0;
        }
    }

    private static IReadOnlyList<IPEndPoint> ReadHost()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .Where(network => network.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                .SelectMany(network => network.GetIPProperties().DnsAddresses)
                .Where(address => address.AddressFamily == AddressFamily.InterNetwork || !address.IsIPv6SiteLocal)
                .Distinct()
                .OrderBy(address => address.AddressFamily == AddressFamily.InterNetwork ? 0 : 1)
                .Select(address => new IPEndPoint(address, DnsPort))];
        }
        catch (NetworkInformationException)
        {
            return [];
        }
    }
}
