using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>Compiled code and memory that somebody else writes.</summary>
public sealed class SharedMemoryTests
{
    private const ulong Cell = 0x2_0000;

    // No interrupt and no request comes to make the vCPU leave the region: only the load itself can end the loop.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SpinOnMemory_SeesAnothersWrite(bool spinsInside)
    {
        using var bench = new TcgBench(options: TierOptions.AtOnce(10));
        using var writer = new Timer(_ => bench.Ram.WriteValue(Cell, 7, 4), null, 200, Timeout.Infinite);

        X86State end = bench.Run64(
            c =>
            {
                Label again = c.CreateLabel();
                c.Label(ref again);
                c.mov(eax, __dword_ptr[rbx]);
                if (spinsInside)
                {
                    c.lea(rcx, __[rcx + 1]);
                    c.mov(edx, __dword_ptr[rbx + 8]);
                }

                c.test(eax, eax);
                c.jz(again);
            },
            registers => registers[3] = Cell);

        Assert.Equal(7UL, end.Gpr[0]);
        Assert.NotNull(bench.ExitCode);
    }
}
