using System.Buffers;
using Emu.Net.Wire;

namespace Emu.Net.User;

/// <summary>
/// Puts fragments of the guest's packets together (RFC 815). Few packets at a time, of few fragments; one whose fragments
/// overlap or do not end where they said is dropped as a whole.
/// </summary>
/// <param name="drops">Where packets that never became whole are counted.</param>
internal sealed class IpReassembler(NetDrops drops)
{
    private const int MaxPackets = 16;
    private const int MaxFragments = 128;
    private const long LifeMilliseconds = 30_000;

    private readonly List<Pending> _pending = [];
    private readonly Lock _gate = new();

    /// <summary>
    /// Takes a fragment. When it completes its packet the payload is returned, in an array of the shared pool that the caller gives back.
    /// </summary>
    public byte[]? Add(in Ipv4Packet fragment, long now, out int length)
    {
        length = 0;
        lock (_gate)
        {
            RemoveWhere(packet => packet.Expires <= now);
            Pending packet = FindOrAdd(new Key(fragment.Source, fragment.Destination, fragment.Protocol, fragment.Id), now);
            if (!packet.TryAdd(fragment.Payload, fragment.FragmentOffset, fragment.HasMoreFragments))
            {
                RemoveWhere(other => other == packet);
                return null;
            }

            if (!packet.IsComplete)
            {
                return null;
            }

            _pending.Remove(packet);
            length = packet.Total;
            return packet.Buffer;
        }
    }

    private Pending FindOrAdd(Key key, long now)
    {
        foreach (Pending known in _pending)
        {
            if (known.Key == key)
            {
                return known;
            }
        }

        if (_pending.Count == MaxPackets)
        {
            Pending oldest = _pending[0];
            RemoveWhere(packet => packet == oldest);
        }

        var pending = new Pending(key, now + LifeMilliseconds, ArrayPool<byte>.Shared.Rent(Ipv4.MaxPacketBytes));
        _pending.Add(pending);
        return pending;
    }

    private void RemoveWhere(Func<Pending, bool> condition)
    {
        for (int i = _pending.Count - 1; i >= 0; i--)
        {
            if (condition(_pending[i]))
            {
                drops.Count(NetDrop.Fragments);
                ArrayPool<byte>.Shared.Return(_pending[i].Buffer);
                _pending.RemoveAt(i);
            }
        }
    }

    private readonly record struct Key(uint Source, uint Destination, IpProtocol Protocol, ushort Id);

    private sealed class Pending(Key key, long expires, byte[] buffer)
    {
        private readonly List<(int Start, int End)> _parts = [];
        private int _received;

        public Key Key => key;

        public long Expires => expires;

        public byte[] Buffer => buffer;

        /// <summary>Length of the whole, or −1 before the last fragment.</summary>
        public int Total { get; private set; } = -1;

        public bool IsComplete => _received == Total;

        public bool TryAdd(ReadOnlySpan<byte> data, int start, bool more)
        {
            int end = start + data.Length;
            bool wellFormed = data.Length > 0 && end <= Ipv4.MaxPacketBytes - Ipv4.HeaderBytes && (!more || data.Length % 8 == 0);
            bool fits = Total < 0 || (end <= Total && more);
            if (!wellFormed || !fits || _parts.Count == MaxFragments || _parts.Exists(part => start < part.End && part.Start < end)
                || (!more && _parts.Exists(part => part.End > end)))
            {
                return false;
            }

            data.CopyTo(buffer.AsSpan(start));
            _parts.Add((start, end));
            _received += data.Length;
            Total = more ? Total : end;
            return true;
        }
    }
}
