namespace Emu.Net;

/// <summary>Why a frame, or what it asked for, was dropped.</summary>
public enum NetDrop
{
    /// <summary>Lengths, checksums or fields that cannot be.</summary>
    Malformed,

    /// <summary>A protocol that there is no support for (IPv6 among them).</summary>
    Unsupported,

    /// <summary>A sender that is not in the guest's network, or a receiver that nobody can be.</summary>
    Martian,

    /// <summary><c>restrict=on</c> lets nothing out.</summary>
    Restricted,

    /// <summary>The guest does not take frames as fast as it asks for them.</summary>
    QueueFull,

    /// <summary>As many TCP connections as there may be.</summary>
    TcpTableFull,

    /// <summary>As many UDP flows as there may be.</summary>
    UdpTableFull,

    /// <summary>Fragments that never became a packet.</summary>
    Fragments,

    /// <summary>TCP data without room to keep it; the guest sends it again.</summary>
    NoBuffer,

    /// <summary>The host refused a socket or a datagram.</summary>
    HostRefused,

    /// <summary>A datagram of the host from someone the guest has not spoken to.</summary>
    Unsolicited,

    /// <summary>As many echo requests on their way as there may be.</summary>
    EchoLimit,
}

/// <summary>Counts what is dropped, and tells the user of limits that were hit.</summary>
/// <param name="name">The network, for messages.</param>
/// <param name="notice">Takes one line for the user, on any thread.</param>
public sealed class NetDrops(string name, Action<string> notice)
{
    private const long QuietMilliseconds = 60_000;

    private static readonly Dictionary<NetDrop, string> Noticed = new()
    {
        [NetDrop.TcpTableFull] = "too many TCP connections; new ones are refused until others end",
        [NetDrop.UdpTableFull] = "too many UDP flows; new ones are dropped until others time out",
        [NetDrop.NoBuffer] = "all buffers are in use by connections whose receivers do not read",
    };

    private readonly long[] _counts = new long[Enum.GetValues<NetDrop>().Length];
    private readonly long[] _quietUntil = new long[Enum.GetValues<NetDrop>().Length];

    /// <summary>How often this has happened.</summary>
    public long this[NetDrop drop] => Interlocked.Read(ref _counts[(int)drop]);

    /// <summary>Counts one; when it is a limit that was hit, the user is told, once a minute.</summary>
    public void Count(NetDrop drop)
    {
        Interlocked.Increment(ref _counts[(int)drop]);
        long now = Environment.TickCount64;
        long quietUntil = Interlocked.Read(ref _quietUntil[(int)drop]);
        if (Noticed.TryGetValue(drop, out string? text) && now >= quietUntil
            && Interlocked.CompareExchange(ref _quietUntil[(int)drop], now + QuietMilliseconds, quietUntil) == quietUntil)
        {
            notice($"network {name}: {text}");
        }
    }
}
