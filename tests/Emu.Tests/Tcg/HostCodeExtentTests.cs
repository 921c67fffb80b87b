using System.Runtime.InteropServices;
using Emu.Accel.Tcg;

namespace Emu.Tests.Tcg;

/// <summary>How long a method is, from its jumps.</summary>
public sealed unsafe class HostCodeExtentTests
{
    [Theory]
    [InlineData("c3cccc", 1)] // ret; int3
    [InlineData("7402ebfcc3c3", 5)] // je +2; jmp to the start; ret
    [InlineData("eb01ccffe0c3", 5)] // jmp +1; (int3); jmp rax
    [InlineData("ffd0cc90", 3)] // call rax; int3
    public void X64_IsAsLongAsItsJumpsLead(string code, int expected)
    {
        byte[] bytes = Convert.FromHexString(code + new string('c', 32));
        fixed (byte* start = bytes)
        {
            Assert.Equal(expected, HostCodeExtent.Of((nint)start, HostCodeExtent.ReaderFor(Architecture.X64)!));
        }
    }

    [Theory]
    [InlineData(new uint[] { 0xd65f03c0, 0xd503201f }, 4)] // ret
    [InlineData(new uint[] { 0x54000040, 0xd65f03c0, 0xd61f0020, 0xd65f03c0 }, 12)] // b.eq +8; ret; br x1
    [InlineData(new uint[] { 0xb4000041, 0x17ffffff, 0xd4200000 }, 12)] // cbz x1, +8; b -4; brk
    [InlineData(new uint[] { 0x36000040, 0x14000002, 0xd65f03c0, 0xd65f03c0, 0xd65f03c0 }, 16)] // tbz w0, #0, +8; b +8; ret; ret
    public void Arm64_IsAsLongAsItsJumpsLead(uint[] code, int expected)
    {
        fixed (uint* start = code.AsSpan())
        {
            Assert.Equal(expected, HostCodeExtent.Of((nint)start, HostCodeExtent.ReaderFor(Architecture.Arm64)!));
        }
    }
}
