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
    public void Exec_NamesBlocksThatIndirectJumpsEnter()
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: new TcgOptions { Log = lines.Add, DebugLogItems = new HashSet<string> { "exec" } });
        bench.Run64(c =>
        {
            Iced.Intel.Label function = c.CreateLabel();
            Iced.Intel.Label start = c.CreateLabel();
            c.jmp(start);
            c.Label(ref function);
            c.ret();
            c.Label(ref start);
            c.lea(rax, __[function]);
            c.call(rax);
            c.call(rax);
        });

        Assert.Equal(["1000", "1003", "1002", "100c", "1002", "100e"], lines.Select(line => line[^4..]));
    }

    [Fact]
    public void Int_NamesSoftwareInterrupts()
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: new TcgOptions { Log = lines.Add, DebugLogItems = new HashSet<string> { "int" } });
        bench.Load([0x90, 0xcd, 0x21]); // nop; int 21h
        bench.Ram.WriteValue(0x21 * 4, 0x2000, 4);
        bench.Ram.Write(0x2000, [0xe6, 0xf4]); // out f4h, al

        bench.Run(TcgBench.RealModeState());

        Assert.Equal(["cpu0: software interrupt 21 at 0000000000001001"], lines);
    }

    [Fact]
    public void RegionItems_AreOneMessagePerRegion_InTheirOrder()
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: TierOptions.AtOnce(0) with { Log = lines.Add, DebugLogItems = new HashSet<string> { "in_asm", "op", "op_opt", "il", "out_asm" } });
        bench.Run64(c => c.add(eax, ebx));

        string[] kinds = [.. lines.Select(line => line.Split(' ')[0])];
        string region = lines[Array.IndexOf(kinds, "region")];
        int[] places = [.. ((string[])["region 1000", "\nil 1000\n  IL_0000", "\nout_asm 1000: "]).Select(text => region.IndexOf(text, StringComparison.Ordinal))];
        Assert.Equal(["0x0000000000001000:", "0x0000000000001002:", "----", "region"], kinds[..4]);
        Assert.True(places[0] == 0 && places[1] > 0 && places[2] > places[1], region);
    }

    [Fact]
    public void DFilter_LeavesOutRegionsThatBeginElsewhere()
    {
        var lines = new List<string>();
        using var bench = new TcgBench(options: TierOptions.AtOnce(0) with
        {
            Log = lines.Add, DebugLogItems = new HashSet<string> { "out_asm" }, DebugLogFilter = [(0x1003, 0x1003)],
        });
        bench.Run64(c =>
        {
            Iced.Intel.Label next = c.CreateLabel();
            c.jmp(next);
            c.nop();
            c.Label(ref next);
            c.add(eax, ebx);
        });

        Assert.All(lines, line => Assert.StartsWith("out_asm 1003: ", line, StringComparison.Ordinal));
    }

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
