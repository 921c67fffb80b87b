using System.Text;
using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Cli;

/// <summary>RAM and registers at the end, the time-dependent parts blanked.</summary>
internal sealed record BuiltinState(byte[] Ram, IReadOnlyList<(string Name, ulong Value)> Registers)
{
    // What the guest cannot control: the flags and counters that depend on when the last interrupt came.
    private static readonly HashSet<string> TimeDependentRegisters = ["tsc", "dr6"];

    /// <summary>What is blanked, for the reader of a report.</summary>
    public static string Excluded(BuiltinGuest guest) =>
        string.Join(", ", guest.TimeDependent.Select(range => $"0x{range.Start:x}+0x{range.Length:x}")
            .Concat(TimeDependentRegisters).Append("flags of the last timer interrupt"));

    /// <summary>A short hash of it all.</summary>
    public string Hash
    {
        get
        {
            ulong hash = Fnv1a(0xcbf29ce484222325, Ram);
            foreach ((string name, ulong value) in Registers)
            {
                hash = Fnv1a(hash, Encoding.ASCII.GetBytes($"{name}={value:x};"));
            }

            return $"{hash:x16}";
        }
    }

    /// <summary>Copies the state of a machine that has ended.</summary>
    public static BuiltinState Take(Machine.Machine machine, BuiltinGuest guest)
    {
        byte[] ram = new byte[0xa0000];
        machine.Memory.Read(0, ram);
        foreach (GuestRange range in guest.TimeDependent)
        {
            int start = (int)Math.Min(range.Start, (uint)ram.Length);
            ram.AsSpan(start, (int)Math.Min(range.Length, (uint)(ram.Length - start))).Clear();
        }

        return new BuiltinState(ram, [.. Describe(machine.GetVcpuState(0)).Where(register => !TimeDependentRegisters.Contains(register.Name))]);
    }

    // FNV-1a, 64 bits: not from System.Security.Cryptography, which needs OpenSSL, and a small host has none.
    private static ulong Fnv1a(ulong hash, byte[] data)
    {
        foreach (byte value in data)
        {
            hash = (hash ^ value) * 0x100000001b3;
        }

        return hash;
    }

    /// <summary>The first difference from <paramref name="other"/>, in a few words, or null.</summary>
    public string? FirstDifference(BuiltinState other)
    {
        int index = Ram.AsSpan().CommonPrefixLength(other.Ram);
        if (index < Ram.Length)
        {
            return $"RAM at 0x{index:x}: {Ram[index]:x2} and {other.Ram[index]:x2}";
        }

        for (int i = 0; i < Registers.Count; i++)
        {
            if (Registers[i] != other.Registers[i])
            {
                return $"{Registers[i].Name}: {Registers[i].Value:x} and {other.Registers[i].Value:x}";
            }
        }

        return null;
    }

    private static IEnumerable<(string Name, ulong Value)> Describe(X86State state)
    {
        for (int i = 0; i < 16; i++)
        {
            yield return ($"r{i}", state.Gpr[i]);
        }

        yield return ("rip", state.Rip);
        yield return ("rflags", state.Rflags);
        yield return ("cr0", state.Cr0);
        yield return ("cr2", state.Cr2);
        yield return ("cr3", state.Cr3);
        yield return ("cr4", state.Cr4);
        for (int i = 0; i < 6; i++)
        {
            yield return ($"segment {i} selector", state.Segments[i].Selector);
            yield return ($"segment {i} base", state.Segments[i].Base);
        }

        for (int i = 0; i < 16 * 2; i++)
        {
            yield return ($"xmm{i / 2}[{i % 2}]", BitConverter.ToUInt64(state.Xsave, 160 + (i * 8)));
        }
    }
}
