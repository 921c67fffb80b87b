using Emu.Accel.Tcg;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>What <c>-d</c> makes of a few instructions.</summary>
public sealed class DebugLogTests
{
    [Fact]
    public void InAsm_NamesEachInstruction() => Assert.Contains(Log("in_asm"), line => line.Contains("add eax,ebx", StringComparison.Ordinal));

    [Fact]
    public void Op_DumpsTheIr() => Assert.Contains(Log("op"), line => line.Contains("Add.W32", StringComparison.Ordinal));

    [Fact]
    public void Exec_NamesEveryBlock_EachTimeItRuns() =>
        Assert.Equal(2, Log("exec").Count(line => line.EndsWith("exec 0000000000001005", StringComparison.Ordinal)));

    [Fact]
    public void Unimp_NamesTheInstruction() =>
        Assert.Contains(Log("unimp"), line => line.StartsWith("NotSupported: vgf2p8mulb", StringComparison.Ordinal));

    // A loop of three iterations at 0x1005, the first of which is part of the block before, then an instruction that is not implemented: #UD without an IDT ends the run.
    private static List<string> Log(string item)
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: new TcgOptions { Log = lines.Add, DebugLogItems = new HashSet<string> { item } });
        bench.Run64(c =>
        {
            Iced.Intel.Label again = c.CreateLabel();
            c.mov(ecx, 3);
            c.Label(ref again);
            c.add(eax, ebx);
            c.dec(ecx);
            c.jnz(again);
            c.vgf2p8mulb(xmm0, xmm1, xmm2);
        });
        return lines;
    }
}
