namespace Emu.Compare;

/// <summary>
/// All rows. The sizes are chosen so that each takes about as long in QEMU as the others. Programs of packages have their full path,
/// because busybox's shell prefers its own applets.
/// </summary>
internal static class RowCatalog
{
    /// <summary>Rows that are processes of their own rather than programs in a guest: see <see cref="MachineRows"/>.</summary>
    public static readonly IReadOnlyList<string> MachineRowNames = ["startup", "boot", "rss", "microvm", WorkerRow.Name];

    /// <summary>The text that the rows of real programs work on.</summary>
    public const string PrepareData = "bench gen 32 > /tmp/data";

    private const int Megabyte = 1_000_000;
    private const string Key = "000102030405060708090a0b0c0d0e0f";

    /// <summary>The rows, in the order of the table.</summary>
    public static readonly IReadOnlyList<Row> All =
    [
        Bench(RowGroup.Integer, "sieve", 100), Bench(RowGroup.Integer, "crc32", 100), Bench(RowGroup.Integer, "hash", 30),
        Bench(RowGroup.Integer, "qsort", 100), Bench(RowGroup.Integer, "libqsort", 50), Bench(RowGroup.Integer, "vm", 45),
        Bench(RowGroup.Integer, "bf", 80), Bench(RowGroup.Integer, "fib", 65), Bench(RowGroup.Integer, "icall", 70),
        Bench(RowGroup.Integer, "muldiv", 100), Bench(RowGroup.Integer, "bignum", 35), Bench(RowGroup.Integer, "atomic", 100),
        Bench(RowGroup.Integer, "memcpy", 100), Bench(RowGroup.Integer, "memset", 100), Bench(RowGroup.Integer, "strlen", 80),
        Bench(RowGroup.Integer, "copy8", 100), Bench(RowGroup.Integer, "copy8alias", 30), Bench(RowGroup.Integer, "repmovs", 100),
        Bench(RowGroup.Integer, "chase32m", 100), Bench(RowGroup.Integer, "chase_l1", 100),

        Bench(RowGroup.Floating, "matmul", 14), Bench(RowGroup.Floating, "matmul48", 50), Bench(RowGroup.Floating, "nbody", 40),
        Bench(RowGroup.Floating, "mandel", 65), Bench(RowGroup.Floating, "fpconv", 30), Bench(RowGroup.Floating, "sse2blur", 12),
        Bench(RowGroup.Floating, "sse2int", 23), Bench(RowGroup.Floating, "x87", 16), Bench(RowGroup.Floating, "x87trig", 60),

        Bench(RowGroup.Kernel, "getppid", 100), Bench(RowGroup.Kernel, "pipe", 80), Bench(RowGroup.Kernel, "fork", 100),
        Bench(RowGroup.Kernel, "forkexec", 100), Bench(RowGroup.Kernel, "pgfault", 100), Bench(RowGroup.Kernel, "mprotect", 100),
        Bench(RowGroup.Kernel, "signal", 95),

        Bench(RowGroup.Churn, "smc", 32), Bench(RowGroup.Churn, "newcode", 22),

        OnData("sha256sum", 32 * Megabyte, "sha256sum FILE FILE FILE"),
        OnData("gzip", 10 * Megabyte, "gzip -c FILE > /tmp/out") with { Check = "sha256sum < /tmp/out" },
        OnData("gunzip", 10 * Megabyte, "for i in 1 2 3; do gunzip -c FILE.gz; done > /tmp/out", " && gzip -c FILE > FILE.gz") with { Check = "sha256sum < /tmp/out" },
        OnData("xz", 2 * Megabyte, "/usr/bin/xz -3 -c FILE > /tmp/out") with { Check = "sha256sum < /tmp/out" },
        new("python", RowGroup.Programs, 100, rounds => $"/usr/bin/python3 -S work.py {rounds}"),
        new("pythonstart", RowGroup.Programs, 15, times => $"for i in $(seq {times}); do /usr/bin/python3 -S -c 'print(1)'; done"),
        OnData("opensslsha", 32 * Megabyte, "/usr/bin/openssl dgst -sha256 FILE FILE FILE FILE FILE"),
        OnData("opensslaes", 32 * Megabyte, $"for i in 1 2 3; do /usr/bin/openssl enc -aes-128-cbc -K {Key} -iv {Key} -in FILE; done > /tmp/out")
            with { Check = "sha256sum < /tmp/out" },
    ];

    /// <summary>The names that <paramref name="names"/> means: rows, or all rows of a group; all for none.</summary>
    /// <exception cref="CompareException">A name is neither.</exception>
    public static IReadOnlyList<string> Select(IReadOnlyCollection<string> names)
    {
        string[] all = [.. MachineRowNames, .. All.Select(row => row.Name)];
        if (names.Count == 0)
        {
            return all;
        }

        var chosen = new HashSet<string>();
        foreach (string name in names)
        {
            IEnumerable<string> meant = Enum.TryParse(name, ignoreCase: true, out RowGroup group) && Enum.IsDefined(group)
                ? group == RowGroup.Machine ? MachineRowNames : All.Where(row => row.Group == group).Select(row => row.Name)
                : all.Contains(name) ? [name]
                : throw new CompareException($"there is no row or group '{name}'; --list shows them");
            chosen.UnionWith(meant);
        }

        return [.. all.Where(chosen.Contains)];
    }

    private static Row Bench(RowGroup group, string name, double share) => new(name, group, share, percent => $"bench {name} {percent}") { TimesItself = true };

    private static Row OnData(string name, int bytes, string command, string prepareMore = "")
    {
        string file = $"/tmp/{name}.in";
        return new Row(name, RowGroup.Programs, bytes, _ => command.Replace("FILE", file, StringComparison.Ordinal))
        {
            Prepare = size => $"head -c {size} /tmp/data > {file}" + prepareMore.Replace("FILE", file, StringComparison.Ordinal),
        };
    }
}
