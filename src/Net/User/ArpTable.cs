using System.Buffers.Binary;
using System.Collections.Concurrent;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>Address resolution (RFC 826): answers for this side, and remembers who the guest is.</summary>
/// <param name="plan">The network.</param>
/// <param name="thread">Where answers go.</param>
internal sealed class ArpTable(AddressPlan plan, NetworkThread thread)
{
    private const int PacketBytes = 28;
    private const int FrameBytes = 60;
    private const int MaxEntries = 256;
    private const ushort Request = 1;
    private const ushort Reply = 2;

    private readonly ConcurrentDictionary<uint, ulong> _entries = new();
    private int _count;

    /// <summary>Raised, on the sender's thread, when an address is seen that was not known.</summary>
    public event Action? Learned;

    /// <summary>Remembers that a guest's <paramref name="address"/> has <paramref name="mac"/>.</summary>
    public void Learn(uint address, ulong mac)
    {
        if (_entries.TryGetValue(address, out ulong known))
        {
            if (known != mac && Ethernet.IsUnicast(mac))
            {
                _entries[address] = mac;
            }

            return;
        }

        if (!plan.IsGuest(address) || !Ethernet.IsUnicast(mac))
        {
            return;
        }

        if (Interlocked.Increment(ref _count) > MaxEntries)
        {
            // Someone makes addresses up; those in use are learnt again with their next packet.
            _entries.Clear();
            Interlocked.Exchange(ref _count, 1);
        }

        _entries[address] = mac;
        Learned?.Invoke();
    }

    /// <summary>The MAC address of a guest; when it is not known the guest is asked, and false returned.</summary>
    public bool TryResolve(uint address, out ulong mac)
    {
        if (_entries.TryGetValue(address, out mac))
        {
            return true;
        }

        if (plan.IsGuest(address))
        {
            Post(Request, Ethernet.Broadcast, 0, plan.Gateway, address);
        }

        return false;
    }

    /// <summary>Takes an ARP packet of the guest; false when it is malformed.</summary>
    public bool Handle(ReadOnlySpan<byte> packet)
    {
        // Ethernet, IPv4, with addresses of 6 and 4 bytes: nothing else is on this wire.
        if (packet.Length < PacketBytes || BinaryPrimitives.ReadUInt64BigEndian(packet) >> 16 != 0x0001_0800_0604)
        {
            return false;
        }

        ushort operation = BinaryPrimitives.ReadUInt16BigEndian(packet[6..]);
        ulong senderMac = Ethernet.ReadMac(packet[8..]);
        uint sender = BinaryPrimitives.ReadUInt32BigEndian(packet[14..]);
        uint target = BinaryPrimitives.ReadUInt32BigEndian(packet[24..]);
        Learn(sender, senderMac);
        if (operation == Request && plan.IsServer(target) && Ethernet.IsUnicast(senderMac))
        {
            Post(Reply, senderMac, senderMac, target, sender);
        }

        return true;
    }

    private void Post(ushort operation, ulong destination, ulong targetMac, uint sender, uint target)
    {
        Span<byte> frame = stackalloc byte[FrameBytes];
        frame.Clear();
        Ethernet.WriteHeader(frame, destination, plan.GatewayMac, EtherType.Arp);
        Span<byte> packet = frame[Ethernet.HeaderBytes..];
        BinaryPrimitives.WriteUInt64BigEndian(packet, (0x0001_0800_0604UL << 16) | operation);
        Ethernet.WriteMac(packet[8..], plan.GatewayMac);
        BinaryPrimitives.WriteUInt32BigEndian(packet[14..], sender);
        Ethernet.WriteMac(packet[18..], targetMac);
        BinaryPrimitives.WriteUInt32BigEndian(packet[24..], target);
        thread.Post(frame);
    }
}
