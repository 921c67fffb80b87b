namespace Emu.Net.User;

/// <summary>Which card has which address. The least recently used lease makes room for a new card.</summary>
/// <param name="plan">The network.</param>
internal sealed class DhcpLeases(AddressPlan plan)
{
    private const int MaxLeases = 64;

    private readonly List<Lease> _leases = [];
    private long _uses;

    /// <summary>The address that <paramref name="mac"/> has, or null.</summary>
    public uint? Find(ulong mac) => _leases.Find(lease => lease.Mac == mac)?.Address;

    /// <summary>The address for <paramref name="mac"/>: its own, the one it would like, or any that is free; null when there is none.</summary>
    public uint? Allocate(ulong mac, uint wanted)
    {
        Lease? lease = _leases.Find(known => known.Mac == mac);
        if (lease is null)
        {
            if ((IsFree(wanted) ? wanted : FirstFree()) is not uint address)
            {
                return null;
            }

            _leases.Add(lease = new Lease(mac, address));
        }

        lease.LastUse = ++_uses;
        return lease.Address;
    }

    /// <summary>The card gives its address back, or has found someone else using it.</summary>
    public void Release(ulong mac) => _leases.RemoveAll(lease => lease.Mac == mac);

    private bool IsFree(uint address) =>
        address >= plan.FirstLease && address - plan.FirstLease < MaxLeases && plan.IsGuest(address) && !_leases.Exists(lease => lease.Address == address);

    private uint? FirstFree()
    {
        for (uint address = plan.FirstLease; address - plan.FirstLease < MaxLeases && address < plan.BroadcastAddress; address++)
        {
            if (IsFree(address))
            {
                return address;
            }
        }

        Lease? oldest = _leases.MinBy(lease => lease.LastUse);
        if (oldest is not null)
        {
            _leases.Remove(oldest);
        }

        return oldest?.Address;
    }

    private sealed record Lease(ulong Mac, uint Address)
    {
        public long LastUse { get; set; }
    }
}
