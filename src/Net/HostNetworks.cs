using System.Diagnostics.CodeAnalysis;
using Emu.Core.Net;
using Emu.Net.Tap;
using Emu.Net.User;

namespace Emu.Net;

/// <summary>The networks of a machine by name, made from what the command line says. Who makes them disposes of them after the machine.</summary>
public sealed class HostNetworks : IDisposable
{
    private readonly Dictionary<string, INetBackend> _networks = new(StringComparer.Ordinal);
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);

    /// <summary>The names of networks that no card is on.</summary>
    public IEnumerable<string> Unused => _networks.Keys.Except(_taken);

    /// <summary>Makes the networks, with the captures in front of them.</summary>
    /// <param name="specs">The networks; their names differ.</param>
    /// <param name="dumps">Captures, each of one of these networks.</param>
    /// <param name="notice">Takes one line for the user, on any thread.</param>
    /// <exception cref="NetworkException">The host does not give what one of them needs; the message begins with its option.</exception>
    public static HostNetworks Create(IReadOnlyList<NetworkSpec> specs, IReadOnlyList<FilterDumpSpec> dumps, Action<string> notice)
    {
        ArgumentNullException.ThrowIfNull(specs);
        ArgumentNullException.ThrowIfNull(dumps);
        var networks = new HostNetworks();
        try
        {
            foreach (NetworkSpec spec in specs)
            {
                networks._networks.Add(spec.Id, Named($"-netdev: {spec.Id}", () => Create(spec, notice)));
            }

            foreach (FilterDumpSpec dump in dumps)
            {
                networks._networks[dump.NetworkId] = Named($"-object: {dump.Id}", () => FilterDump.Create(dump, networks._networks[dump.NetworkId]));
            }

            return networks;
        }
        catch
        {
            networks.Dispose();
            throw;
        }
    }

    /// <summary>The network called <paramref name="id"/>, for the one card that is on it; false when there is none or it has a card already.</summary>
    public bool TryTake(string id, [NotNullWhen(true)] out INetBackend? network) =>
        _networks.TryGetValue(id, out network) && _taken.Add(id);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (INetBackend network in _networks.Values)
        {
            network.Dispose();
        }

        _networks.Clear();
    }

    private static INetBackend Create(NetworkSpec spec, Action<string> notice) => spec switch
    {
        UserNetworkSpec user => new UserNetwork(user, notice),
        SocketNetworkSpec { Kind: SocketNetworkKind.Listen or SocketNetworkKind.Connect } socket => SocketNetwork.Create(socket),
        SocketNetworkSpec socket => DatagramNetwork.Create(socket),
        TapNetworkSpec tap => TapNetwork.Create(tap),
        _ => throw new NotSupportedException($"no such network: {spec.GetType().Name}"),
    };

    private static T Named<T>(string name, Func<T> create)
    {
        try
        {
            return create();
        }
        catch (NetworkException exception)
        {
            throw new NetworkException($"{name}: {exception.Message}", exception);
        }
    }
}
