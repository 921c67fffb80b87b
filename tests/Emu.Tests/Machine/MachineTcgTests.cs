using System.Diagnostics;
using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

/// <summary>The machine with the software CPU, on guests of a few bytes.</summary>
public sealed class MachineTcgTests
{
    [Fact]
    public void DebugExit_EndsBeforeTheNextInstructionMatters()
    {
        // mov al, 5; out 0xf4, al; hlt; jmp $-1
        using Machine.Machine machine = Create([0xB0, 0x05, 0xE6, 0xF4, 0xF4, 0xEB, 0xFD]);

        Assert.Equal(11, machine.Run());
        Assert.Equal(5UL, machine.GetVcpuState(0).Gpr[0] & 0xFF);
        Assert.InRange(machine.Statistics.Instructions, 2UL, 3UL);
    }

    [Theory]
    [InlineData(new byte[] { 0xFA, 0xEB, 0xFE })] // cli; jmp $
    [InlineData(new byte[] { 0xFA, 0xF4, 0xEB, 0xFD })] // cli; hlt; jmp $-1
    [InlineData(new byte[] { 0xB9, 0xFF, 0xFF, 0xF3, 0xAA, 0xEB, 0xF9 })] // mov cx, 0xffff; rep stosb; jmp back
    [InlineData(new byte[] { 0xE4, 0x60, 0xEB, 0xFC })] // in al, 0x60; jmp $-2
    public void RequestStop_WhateverTheGuestDoes_EndsAtOnce(byte[] code)
    {
        using Machine.Machine machine = Create(code, cpus: 2);
        int exitCode = -1;
        var runner = new Thread(() => exitCode = machine.Run());
        runner.Start();
        Thread.Sleep(150);

        long start = Stopwatch.GetTimestamp();
        machine.RequestStop(42);
        runner.Join();

        Assert.Equal(42, exitCode);
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 5); // never is what must not happen; the host may be busy
    }

    [Fact]
    public void TripleFault_ResetsUntilTheGuestHasEnough()
    {
        // inc byte [0x600]; cmp byte [0x600], 3; jb fault; mov al, 1; out 0xf4, al; fault: lidt [0x700] (limit 0); int3
        using Machine.Machine machine = Create(
            [0xFE, 0x06, 0x00, 0x06, 0x80, 0x3E, 0x00, 0x06, 0x03, 0x72, 0x04, 0xB0, 0x01, 0xE6, 0xF4, 0x0F, 0x01, 0x1E, 0x00, 0x07, 0xCC, 0xEB, 0xFE]);

        Assert.Equal(3, machine.Run());
        Assert.Equal(3UL, machine.Memory.Read(0x600, 1));
    }

    [Fact]
    public void Pause_InTheMiddleOfALoop_KeepsTheCpuWhereItIs()
    {
        // inc eax (32-bit); jmp back
        using Machine.Machine machine = Create([0x66, 0x40, 0xEB, 0xFC]);
        var runner = new Thread(() => machine.Run());
        runner.Start();
        SpinWait.SpinUntil(() => machine.Status == MachineStatus.Running);
        Thread.Sleep(50);

        machine.Pause();
        X86State first = machine.GetVcpuState(0);
        Thread.Sleep(20);
        X86State second = machine.GetVcpuState(0);
        machine.Resume();
        Thread.Sleep(50);
        machine.Pause();
        X86State third = machine.GetVcpuState(0);
        machine.RequestStop();
        runner.Join();

        Assert.NotEqual(0UL, first.Gpr[0]);
        Assert.Equal((first.Gpr[0], first.Rip), (second.Gpr[0], second.Rip));
        Assert.NotEqual(first.Gpr[0], third.Gpr[0]);
    }

    private static Machine.Machine Create(byte[] code, int cpus = 1) => new(MachineRig.Config with
    {
        Smp = new SmpSpec(cpus),
        Boot = new BootSpec { FlatLoads = [new FlatLoadSpec("test", MachineRig.ImageAddress, StartsCpu: true) { Content = code }] },
    });
}
