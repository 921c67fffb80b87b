using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Frontend.X86.X87;
using Iced.Intel;

namespace Emu.Tests.Fpu;

/// <summary>
/// The transcendental instructions against the host's processor: results within one unit in the last place, everything else
/// equal but C1, which tells how the last place was rounded.
/// </summary>
public sealed unsafe class X87TranscendentalTests
{
    private static int Iterations => int.TryParse(Environment.GetEnvironmentVariable("EMU_FPU_CASES"), out int n) ? n : 2000;

    [SiliconTheory]
    [InlineData(Code.F2xm1)]
    [InlineData(Code.Fyl2x)]
    [InlineData(Code.Fyl2xp1)]
    [InlineData(Code.Fpatan)]
    [InlineData(Code.Fsin)]
    [InlineData(Code.Fcos)]
    [InlineData(Code.Fsincos)]
    [InlineData(Code.Fptan)]
    public void Helper_RandomState_IsWithinOneUnitOfSilicon(Code code)
    {
        using var silicon = new HostSilicon();
        using var cpu = new FpuTestCpu();
        HostBlock* block = (HostBlock*)NativeMemory.AlignedAlloc((nuint)sizeof(HostBlock), 64);
        Assert.True(X87SiliconTests.TryCreate(code, 0, out Instruction instruction));
        Assert.True(X87Table.TryGet(instruction, out X87Entry entry));
        delegate* unmanaged<HostBlock*, void> native = silicon.Compile(instruction);
        var random = new Random((int)code);
        for (int n = 0; n < Iterations; n++)
        {
            X87SiliconTests.Randomise(block, random);
            if (!IsDefined(code, block))
            {
                continue;
            }

            HostBlock before = *block;
            X87SiliconTests.LoadState(cpu, block);
            X87SiliconTests.Execute(cpu, block, entry);
            native(block);
            bool equal = ((X87Status.Read(cpu.State) ^ block->X87Status) & ~X87Status.C1) == 0 && (byte)~cpu.State->X87Empty == block->X87Tags && Close(cpu.State, block);
            if (!equal)
            {
                Assert.Fail($"{instruction}\nbefore  {X87SiliconTests.Show(&before)}\nsilicon {X87SiliconTests.Show(block)}\nhelper  {X87SiliconTests.Show(cpu)}");
            }
        }

        NativeMemory.AlignedFree(block);
    }

    // Outside of these ranges the manual leaves the result open.
    private static bool IsDefined(Code code, HostBlock* block)
    {
        int exponent = *(ushort*)(block->X87 + 8) & 0x7fff;
        bool special = exponent == 0x7fff;
        return code switch
        {
            Code.F2xm1 => special || exponent < 0x3fff,
            Code.Fyl2xp1 => special || exponent < 0x3ffd,
            _ => true,
        };
    }

    private static bool Close(X86CpuState* state, HostBlock* block)
    {
        bool close = true;
        for (int i = 0; i < 8; i++)
        {
            byte* register = state->X87 + (16 * ((state->X87Top + i) & 7));
            UInt128 x = new(*(ushort*)(register + 8), *(ulong*)register & long.MaxValue);
            UInt128 y = new(*(ushort*)(block->X87 + (16 * i) + 8), *(ulong*)(block->X87 + (16 * i)) & long.MaxValue);
            x = ((x >> 64) << 63) | (ulong)x;
            y = ((y >> 64) << 63) | (ulong)y;
            close &= (x > y ? x - y : y - x) <= 1;
        }

        return close;
    }
}
