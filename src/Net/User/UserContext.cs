namespace Emu.Net.User;

/// <summary>What the parts of one user-mode network share.</summary>
/// <param name="Plan">Addresses.</param>
/// <param name="Thread">The way to the guest.</param>
/// <param name="Arp">The guest's MAC addresses.</param>
/// <param name="Sender">Packets that can wait in a queue.</param>
/// <param name="Drops">Counters.</param>
/// <param name="Timings">Time-outs and limits.</param>
/// <param name="IsRestricted">True when nothing gets out but what a forward asks for.</param>
internal sealed record UserContext(
    AddressPlan Plan, NetworkThread Thread, ArpTable Arp, PacketSender Sender, NetDrops Drops, NetTimings Timings, bool IsRestricted);
