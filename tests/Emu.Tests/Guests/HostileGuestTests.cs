using Emu.Core.Cpu;
using Emu.Machine;
using Emu.Tests.Debian;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Guests;

[Collection(AloneCollection.Name)]
public sealed class HostileGuestTests
{
    private static readonly TimeSpan Budget = TimeSpan.FromMilliseconds(300);

    private const uint LocalApic = 0xfee0_0000;
    private const uint IoApic = 0xfec0_0000;
    private const uint Hpet = 0xfed0_0000;
    private const uint Nowhere = 0xe000_0000;
    private const ushort Idt = 0x2000;

    [Theory]
    [InlineData("fa eb fe")]                            // cli; jmp $
    [InlineData("fa f4 eb fd")]                         // cli; l: hlt; jmp l
    [InlineData("fb f4 eb fd")]                         // sti; l: hlt; jmp l
    [InlineData("fe 06 00 7c eb fa")]                   // l: inc byte [l]; jmp l
    [InlineData("fe 06 07 7c b0 00 eb f8")]             // l: inc byte [m + 1]; m: mov al, 0; jmp l
    [InlineData("bf 00 7c b9 ff ff f3 aa eb f7")]       // l: mov di, l; mov cx, -1; rep stosb; jmp l
    [InlineData("66 b9 ff ff ff ff f3 67 a4 eb f6")]    // l: mov ecx, -1; rep a32 movsb; jmp l
    [InlineData("ba f8 03 ee eb fd")]                   // mov dx, 3f8h; l: out dx, al; jmp l
    [InlineData("ba f8 03 b9 ff ff f3 6e eb f9")]       // mov dx, 3f8h; l: mov cx, -1; rep outsb; jmp l
    [InlineData("ba f8 03 b9 ff ff f3 6c eb f9")]       // the same with insb
    [InlineData("e4 60 e6 80 ec ed ef 42 eb f6")]       // reads and writes of every port, a few of them ends
    [InlineData("cf")]                                  // iret to whatever the stack holds
    [InlineData("0f 0b")]                               // ud2 by way of an empty interrupt table
    public void RealMode_Loop_StopsAtOnce(string code)
    {
        using var machine = new HostileMachine(Convert.FromHexString(code.Replace(" ", "", StringComparison.Ordinal)));

        machine.RunFor(Budget);
        machine.Stop();
    }

    [Fact]
    public void TripleFault_WithoutNoReboot_KeepsStarting()
    {
        // lidt [l + 9]; inc byte [5ffh]; int3; an empty table.
        using var machine = new HostileMachine([0x0f, 0x01, 0x1e, 0x0a, 0x7c, 0xfe, 0x06, 0xff, 0x05, 0xcc, 0, 0, 0, 0, 0, 0]);

        machine.RunFor(TimeSpan.FromSeconds(1));
        machine.Stop();

        Assert.Equal(MachineResetCause.TripleFault, machine.Machine.LastResetCause);
        Assert.NotEqual(0UL, machine.Machine.Memory.Read(0x5ff, 1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Pit_ShortestPeriod_LeavesTimeForTheGuest(int count)
    {
        using var machine = new HostileMachine(HostileMachine.Assemble(16, c =>
        {
            Label handler = c.CreateLabel();
            Label loop = c.CreateLabel();
            c.cli();
            c.mov(__word_ptr[8 * 4], (ushort)(HostileMachine.CodeAddress + 0x80));
            c.mov(__word_ptr[(8 * 4) + 2], 0);
            foreach ((byte port, byte value) in new (byte, byte)[]
            {
                (0x20, 0x11), (0x21, 8), (0x21, 4), (0x21, 1), (0x21, 0xfe), (0x43, 0x34), (0x40, (byte)count), (0x40, 0),
            })
            {
                c.mov(al, value);
                c.@out(port, al);
            }

            c.sti();
            c.Label(ref loop);
            c.inc(__word_ptr[0x600]);
            c.jmp(loop);
            Pad(c, 0x80);
            c.push(ax);
            c.inc(__word_ptr[0x602]);
            c.mov(al, 0x20);
            c.@out(0x20, al);
            c.pop(ax);
            c.iret();
        }));

        machine.RunFor(Budget);
        machine.Stop();

        Assert.NotEqual(0UL, machine.Machine.Memory.Read(0x602, 2));
        Assert.NotEqual(0UL, machine.Machine.Memory.Read(0x600, 2));
    }

    [Fact]
    public void LocalApicTimer_ShortestPeriod_LeavesTimeForTheGuest() => AssertTimer(c =>
    {
        c.mov(__dword_ptr[LocalApic + 0x3e0], 0b1011);
        c.mov(__dword_ptr[LocalApic + 0x320], 0x20040);
        c.mov(__dword_ptr[LocalApic + 0x380], 1);
    });

    [Fact]
    public void TscDeadline_AlwaysPast_StopsAtOnce() => AssertTimer(
        c =>
        {
            c.mov(__dword_ptr[LocalApic + 0x320], 0x40040);
            ArmDeadline(c);
        },
        ArmDeadline,
        guestGetsOn: false);

    [Fact]
    public void Hpet_ShortestPeriod_LeavesTimeForTheGuest() => AssertTimer(c =>
    {
        c.mov(__dword_ptr[IoApic], 0x10 + (16 * 2));
        c.mov(__dword_ptr[IoApic + 0x10], 0x40);
        c.mov(__dword_ptr[IoApic], 0x11 + (16 * 2));
        c.mov(__dword_ptr[IoApic + 0x10], 0);
        c.mov(__dword_ptr[Hpet + 0x100], 0x2000 | 0x4c);
        c.mov(__dword_ptr[Hpet + 0x100], (16 << 9) | 0x4c);
        c.mov(__dword_ptr[IoApic], 0x10 + (16 * 2));
        c.mov(__dword_ptr[IoApic + 0x10], 0x40);
        c.mov(__dword_ptr[Hpet + 0x108], 1);
        c.mov(__dword_ptr[Hpet + 0x10], 1);
    });

    [Theory]
    [InlineData(LocalApic)]
    [InlineData(IoApic)]
    [InlineData(Hpet)]
    [InlineData(Nowhere)]
    [InlineData(0xfffff000u)]
    public void PageTables_InDevicesOrNowhere_StopsAtOnce(uint directory)
    {
        using var machine = new HostileMachine(HostileMachine.Assemble(32, c =>
        {
            c.mov(eax, directory);
            c.mov(cr3, eax);
            c.mov(eax, 0x8000_0011);
            c.mov(cr0, eax);
            c.nop();
        }));
        machine.EnterProtectedMode();

        machine.RunFor(Budget);
        machine.Stop();
    }

    [Theory]
    [InlineData(LocalApic)]
    [InlineData(IoApic)]
    [InlineData(Hpet)]
    [InlineData(Nowhere)]
    [InlineData(0xf_0000u)]
    [InlineData(0xa_0000u)]
    [InlineData(0xffff_fffcu)]
    public void Execution_OutsideRam_StopsAtOnce(uint address)
    {
        using var machine = new HostileMachine(HostileMachine.Assemble(32, c =>
        {
            c.mov(esp, address + 0x800);
            c.push(eax);
            c.mov(eax, address);
            c.call(eax);
        }));
        machine.EnterProtectedMode();

        machine.RunFor(Budget);
        machine.Stop();
    }

    [Fact]
    public void LongMode_TablesInDevices_StopsAtOnce()
    {
        // A page whose upper tables are sound and whose last ones lie in registers and in nothing.
        using var machine = new HostileMachine(HostileMachine.Assemble(64, c =>
        {
            Label loop = c.CreateLabel();
            c.mov(rbx, 0x10_2000 + (8 * 256));
            c.Label(ref loop);
            foreach (uint table in (uint[])[LocalApic, Hpet, Nowhere])
            {
                c.mov(eax, table | 7);
                c.mov(__qword_ptr[rbx], rax);
                c.mov(rcx, cr3);
                c.mov(cr3, rcx);
                c.mov(edx, 256u << 21);
                c.prefetchnta(__byte_ptr[rdx]);
                c.mov(__qword_ptr[rdx], rax);
            }

            c.jmp(loop);
        }));
        machine.EnterLongMode();

        machine.RunFor(Budget);
        machine.Stop();
    }

    [Fact]
    public void Firmware_OfRandomBytes_StopsAtOnce_AndIsNotWritten()
    {
        byte[] rom = new byte[64 << 10];
        new Random(7).NextBytes(rom);
        // The reset vector: mov ax, 0f000h; mov ds, ax; inc word [0]; jmp to itself.
        byte[] start = [0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0xff, 0x06, 0x00, 0x00, 0xeb, 0xfa];
        start.CopyTo(rom, rom.Length - 16);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, rom);
            using var machine = new HostileMachine([0xf4], config => config with { Boot = new BootSpec { Bios = path } });

            machine.RunFor(Budget);
            machine.Stop();

            Assert.True(machine.Machine.Statistics.Instructions > 1000);
            Assert.Equal(BitConverter.ToUInt64(rom), machine.Machine.Memory.Read(0xf_0000, 8));
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static TheoryData<int> Seeds() => [.. Enumerable.Range(1, 20)];

    // Each seed gives many guests, since most of them soon end or go round in circles.
    [Theory]
    [MemberData(nameof(Seeds))]
    public void Garbage_AnyMode_NeverFailsTheEmulator(int seed)
    {
        var random = new Random(seed);
        byte[] garbage = new byte[0x9_0000];
        long end = Environment.TickCount64 + 700;
        while (Environment.TickCount64 < end)
        {
            random.NextBytes(garbage);
            using var machine = new HostileMachine([0x90], config => config with { NoReboot = true, Smp = new SmpSpec(1 + (seed % 2)) });
            machine.Machine.Memory.Write(0x600, garbage.AsSpan(0x600));
            switch (random.Next(3))
            {
                case 0:
                    machine.Machine.Memory.Write(0, garbage);
                    machine.SetState(state => state with { Rip = (ushort)random.Next() });
                    break;
                case 1:
                    machine.EnterProtectedMode();
                    machine.SetState(state => state with { Idtr = new DescriptorTableState(Idt, 0x7ff), Rip = (ushort)random.Next() });
                    WriteGates(machine, random, size: 8);
                    break;
                default:
                    machine.EnterLongMode();
                    machine.SetState(state => state with { Idtr = new DescriptorTableState(Idt, 0xfff), Rip = (ushort)random.Next() });
                    WriteGates(machine, random, size: 16);
                    break;
            }

            machine.RunFor(TimeSpan.FromMilliseconds(100));
            machine.Stop();
        }
    }

    // Exceptions lead on into other garbage, so that the guests live longer.
    private static void WriteGates(HostileMachine machine, Random random, int size)
    {
        for (ulong i = 0; i < 256; i++)
        {
            ulong offset = (ushort)random.Next();
            machine.Machine.Memory.Write(Idt + (i * (ulong)size), offset | (8 << 16) | (0x8eUL << 40), 8);
            if (size == 16)
            {
                machine.Machine.Memory.Write(Idt + (i * (ulong)size) + 8, 0, 8);
            }
        }
    }

    // Interrupt 40H counts at 602H, the guest at 604H.
    private static void AssertTimer(Action<Assembler> start, Action<Assembler>? again = null, bool guestGetsOn = true)
    {
        using var machine = new HostileMachine(HostileMachine.Assemble(32, c =>
        {
            Label loop = c.CreateLabel();
            c.mov(__dword_ptr[LocalApic + 0xf0], 0x1ff);
            start(c);
            c.sti();
            c.Label(ref loop);
            c.inc(__dword_ptr[0x604]);
            c.jmp(loop);
            Pad(c, 0x100);
            c.inc(__dword_ptr[0x600]);
            again?.Invoke(c);
            c.mov(__dword_ptr[LocalApic + 0xb0], 0);
            c.iretd();
        }));
        machine.Machine.Memory.Write(Idt + (0x40 * 8), (HostileMachine.CodeAddress + 0x100) | (8UL << 16) | (0x8eUL << 40), 8);
        machine.EnterProtectedMode();
        machine.SetState(state => state with { Idtr = new DescriptorTableState(Idt, 0x7ff) });

        machine.RunFor(Budget);
        machine.Stop();

        Assert.True(machine.Machine.Memory.Read(0x600, 4) > 10);
        Assert.Equal(guestGetsOn, machine.Machine.Memory.Read(0x604, 4) > 1000);
    }

    private static void ArmDeadline(Assembler c)
    {
        c.mov(ecx, 0x6e0);
        c.mov(eax, 1);
        c.xor(edx, edx);
        c.wrmsr();
    }

    private static void Pad(Assembler c, int offset)
    {
        int length = HostileMachine.Length(c);
        for (int i = length; i < offset; i++)
        {
            c.nop();
        }
    }
}
