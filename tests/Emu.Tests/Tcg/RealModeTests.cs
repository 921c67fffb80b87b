using Emu.Core.Cpu;

namespace Emu.Tests.Tcg;

/// <summary>16-bit wrap-around and segment limits.</summary>
public sealed class RealModeTests
{
    private const ulong Handlers = 0x600;

    [Fact]
    public void AddressSum_WrapsAt64K()
    {
        using var bench = NewBench();
        bench.Ram.WriteValue(1, 0x5a, 1);

        X86State end = Run(bench, [0x8a, 0x00], gpr => (gpr[3], gpr[6]) = (0xffff, 2)); // mov al, [bx+si]

        Assert.Equal(0x5aUL, end.Gpr[0]);
    }

    [Theory]
    [InlineData(new byte[] { 0xa1, 0xff, 0xff })] // mov ax, [0xffff]
    [InlineData(new byte[] { 0x66, 0xa1, 0xfd, 0xff })] // mov eax, [0xfffd]
    [InlineData(new byte[] { 0x67, 0x8a, 0x03 })] // mov al, [ebx], EBX = 0x10000
    public void AccessBeyondTheLimit_GeneralProtection(byte[] instruction)
    {
        using var bench = NewBench();

        X86State end = Run(bench, instruction, gpr => gpr[3] = 0x10000);

        Assert.Equal(Handlers + (13 * 4), end.Rip & ~3UL);
        Assert.Equal(TcgBench.CodeAddress, bench.Ram.ReadValue(end.Gpr[4], 2));
    }

    [Fact]
    public void StackAccessBeyondTheLimit_StackFault()
    {
        using var bench = NewBench();

        X86State end = Run(bench, [0x8b, 0x46, 0x00], gpr => gpr[5] = 0xffff); // mov ax, [bp]

        Assert.Equal(Handlers + (12 * 4), end.Rip & ~3UL);
    }

    [Fact]
    public void PushWithSpZero_WrapsToTheTop()
    {
        using var bench = NewBench();

        X86State end = Run(bench, [0x50], gpr => (gpr[0], gpr[4]) = (0x1234, 0));

        Assert.Equal((0xfffeUL, 0x1234UL), (end.Gpr[4], bench.Ram.ReadValue(0xfffe, 2)));
    }

    [Theory]
    [InlineData(0xfff0, new byte[] { 0xe9, 0x0d, 0x20 }, 0x2000)]
    [InlineData(0xfff0, new byte[] { 0xeb, 0x7e }, 0x70)]
    [InlineData(0x0010, new byte[] { 0xe9, 0xed, 0xef }, 0xf000)]
    [InlineData(0xfff0, new byte[] { 0x74, 0x7e }, 0x70)]
    public void NearBranch_WrapsAt64K(int from, byte[] branch, int to)
    {
        using var bench = NewBench();
        bench.Ram.Write((ulong)from, branch);
        bench.Ram.Write((ulong)to, [0xe6, 0xf4]);
        X86State start = TcgBench.RealModeState() with { Rip = (ulong)from, Rflags = 0x42 };

        X86State end = bench.Run(start);

        Assert.Equal((ulong)to + 2, end.Rip);
    }

    [Fact]
    public void ExecutionPastTheLimit_GeneralProtection()
    {
        using var bench = NewBench();
        bench.Ram.Write(0xfffe, [0x40, 0x40]); // inc ax twice, then offset 10000h

        X86State end = bench.Run(TcgBench.RealModeState() with { Rip = 0xfffe });

        Assert.Equal((Handlers + (13 * 4), 2UL), (end.Rip & ~3UL, end.Gpr[0]));
    }

    [Fact]
    public void StringInstruction_WrapsSiAndDi()
    {
        using var bench = NewBench();
        bench.Ram.WriteValue(0xffff, 0x77, 1);

        X86State end = Run(bench, [0xb9, 2, 0, 0xf3, 0xa4], gpr => (gpr[6], gpr[7]) = (0xabcd_ffff, 0x1234_8ffe)); // mov cx, 2; rep movsb

        Assert.Equal((0xabcd_0001UL, 0x1234_9000UL), (end.Gpr[6], end.Gpr[7]));
        Assert.Equal(0x77UL, bench.Ram.ReadValue(0x8ffe, 1));
    }

    private static X86State Run(TcgBench bench, byte[] code, Action<ulong[]> registers)
    {
        bench.Load([.. code, 0xe6, 0xf4]);
        X86State start = TcgBench.RealModeState();
        registers(start.Gpr);
        return bench.Run(start);
    }

    // Every vector ends the run: OUT F4h, AL; JMP $ at its own address.
    private static TcgBench NewBench()
    {
        var bench = new TcgBench();
        for (ulong vector = 0; vector < 32; vector++)
        {
            bench.Ram.WriteValue(vector * 4, Handlers + (vector * 4), 4);
            bench.Ram.WriteValue(Handlers + (vector * 4), 0xfeebf4e6, 4);
        }

        return bench;
    }
}
