namespace Emu.Tests.VexOracle;

/// <summary>A seeded generator (splitmix64): the same seed gives the same case on every .NET version.</summary>
internal sealed class OracleRandom(ulong seed)
{
    private static readonly ulong[] Edges =
    [
        0, 1, 2, 7, 8, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x80, 0x81, 0xfe, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0x1_0000,
        0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff, 0x1_0000_0000, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000, 0x8000_0000_0000_0001,
        0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff, 0xffff_ffff_8000_0000, 0xffff_ffff_ffff_ff80, 0xffff_ffff_ffff_8000, 0x5555_5555_5555_5555,
    ];

    private ulong _state = seed;

    public ulong Next()
    {
        ulong z = _state += 0x9e37_79b9_7f4a_7c15;
        z = (z ^ (z >> 30)) * 0xbf58_476d_1ce4_e5b9;
        z = (z ^ (z >> 27)) * 0x94d0_49bb_1331_11eb;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Next() % (uint)limit);

    /// <summary>True once in <paramref name="n"/> times.</summary>
    public bool OneIn(int n) => Below(n) == 0;

    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>A value that finds bugs: an edge, a small number, or random bits.</summary>
    public ulong Value() => Below(8) switch
    {
        0 or 1 or 2 => Edges[Below(Edges.Length)],
        3 => (ulong)(Below(256) - 128),
        4 => Next() >> Below(64),
        _ => Next(),
    };
}
