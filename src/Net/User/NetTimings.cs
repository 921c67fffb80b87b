namespace Emu.Net.User;

/// <summary>Time-outs and limits of the user-mode network. Times are in milliseconds.</summary>
internal sealed record NetTimings
{
    /// <summary>A UDP flow without datagrams ends.</summary>
    public long UdpIdle { get; init; } = 60_000;

    /// <summary>A question to a name server without an answer is forgotten.</summary>
    public long DnsIdle { get; init; } = 10_000;

    /// <summary>How long the port of an answered question stays.</summary>
    public long DnsAnswered { get; init; } = 1000;

    /// <summary>UDP flows at a time.</summary>
    public int MaxUdpFlows { get; init; } = 1024;

    /// <summary>TCP connections at a time, those in TIME-WAIT included.</summary>
    public int MaxTcpConnections { get; init; } = 4096;

    /// <summary>The host has answered a connection attempt by then, or it has failed.</summary>
    public long Connect { get; init; } = 75_000;

    /// <summary>First wait for an acknowledgment; doubled with every retransmission. The wire is memory, the guest may be slow.</summary>
    public long Retransmit { get; init; } = 300;

    /// <summary>Longest wait for an acknowledgment, or between probes of a closed window.</summary>
    public long MaxRetransmit { get; init; } = 60_000;

    /// <summary>Retransmissions without any sign of life after which a connection is given up (RFC 9293, 3.8.3: about five minutes).</summary>
    public int MaxRetries { get; init; } = 12;

    /// <summary>How long a connection that this side closed first is remembered. Nothing strays on this wire: far less than two minutes.</summary>
    public long TimeWait { get; init; } = 10_000;

    /// <summary>Silence after which it is tried whether the guest is still there (RFC 9293, 3.8.4).</summary>
    public long KeepAliveIdle { get; init; } = 7_200_000;

    /// <summary>Between such tries.</summary>
    public long KeepAliveInterval { get; init; } = 75_000;
}
