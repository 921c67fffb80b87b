namespace Emu.Core;

/// <summary>A guest-physical address (GPA), 64 bits wide; the address that reaches the memory map.</summary>
public readonly record struct GuestPhysical(ulong Value) : IComparable<GuestPhysical>
{
    /// <summary>Size of the smallest page the machine maps, in bytes.</summary>
    public const int PageSize = 4096;

    /// <summary>Number of low address bits inside a page.</summary>
    public const int PageShift = 12;

    /// <summary>The address <paramref name="offset"/> bytes further on; wraps at 2^64.</summary>
    public static GuestPhysical operator +(GuestPhysical address, ulong offset) => new(address.Value + offset);

    /// <summary>Distance in bytes between two addresses; wraps at 2^64.</summary>
    public static ulong operator -(GuestPhysical left, GuestPhysical right) => left.Value - right.Value;

    /// <summary>True when <paramref name="left"/> is below <paramref name="right"/>.</summary>
    public static bool operator <(GuestPhysical left, GuestPhysical right) => left.Value < right.Value;

    /// <summary>True when <paramref name="left"/> is above <paramref name="right"/>.</summary>
    public static bool operator >(GuestPhysical left, GuestPhysical right) => left.Value > right.Value;

    /// <summary>True when <paramref name="left"/> is not above <paramref name="right"/>.</summary>
    public static bool operator <=(GuestPhysical left, GuestPhysical right) => left.Value <= right.Value;

    /// <summary>True when <paramref name="left"/> is not below <paramref name="right"/>.</summary>
    public static bool operator >=(GuestPhysical left, GuestPhysical right) => left.Value >= right.Value;

    /// <inheritdoc/>
    public int CompareTo(GuestPhysical other) => Value.CompareTo(other.Value);

    /// <inheritdoc/>
    public override string ToString() => $"gpa:0x{Value:x}";
}

/// <summary>A guest-linear address (after segmentation, before paging), 64 bits wide (SDM vol. 3, 3.3).</summary>
public readonly record struct GuestLinear(ulong Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"lin:0x{Value:x}";
}
