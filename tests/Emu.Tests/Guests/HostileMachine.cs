using System.Diagnostics;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Machine;
using Iced.Intel;

namespace Emu.Tests.Guests;

/// <summary>A machine whose guest means harm: it must obey a stop at once and never fail by a fault of its own.</summary>
internal sealed class HostileMachine : IDisposable
{
    /// <summary>Where the code lies and starts.</summary>
    public const ushort CodeAddress = 0x7c00;

    private const ulong Gdt = 0x500;
    private const ulong PageTables = 0x10_0000;

    private static readonly TimeSpan StopLimit = TimeSpan.FromMilliseconds(500);

    private readonly List<string> _notices = [];
    private Thread? _runner;

    public HostileMachine(byte[] code, Func<MachineConfig, MachineConfig>? configure = null)
    {
        MachineConfig config = MachineRunner.ConfigFor("tcg", code, CodeAddress) with { NoReboot = false };
        var host = new MachineHost { Serials = [NullSerialBackend.Instance], Notice = _notices.Add };
        Machine = new Machine.Machine(configure?.Invoke(config) ?? config, host);
    }

    /// <summary>Assembles code for <see cref="CodeAddress"/>.</summary>
    public static byte[] Assemble(int bitness, Action<Assembler> write)
    {
        var assembler = new Assembler(bitness);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), CodeAddress);
        return stream.ToArray();
    }

    /// <summary>Bytes of what was assembled up to now.</summary>
    public static int Length(Assembler assembler)
    {
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), CodeAddress);
        return (int)stream.Length;
    }

    public Machine.Machine Machine { get; }

    /// <summary>Puts the boot processor into 32-bit protected mode: flat segments, no paging, a stack.</summary>
    public void EnterProtectedMode()
    {
        Machine.Memory.Write(Gdt, (ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0x9b, 0xcf, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0]);
        SetState(state => state with
        {
            Cr0 = 0x11,
            Gdtr = new DescriptorTableState(Gdt, 23),
            Segments = Flat(new SegmentState(8, 0, uint.MaxValue, 0xc09b)),
        });
    }

    /// <summary>Puts the boot processor into 64-bit mode with the first 4 GiB mapped one to one by 2 MiB pages, and a stack.</summary>
    public void EnterLongMode()
    {
        Machine.Memory.Write(PageTables, (PageTables + 0x1000) | 7, 8);
        for (ulong i = 0; i < 4; i++)
        {
            Machine.Memory.Write(PageTables + 0x1000 + (i * 8), (PageTables + 0x2000 + (i * 0x1000)) | 7, 8);
        }

        for (ulong i = 0; i < 2048; i++)
        {
            Machine.Memory.Write(PageTables + 0x2000 + (i * 8), (i << 21) | 0x87, 8);
        }

        Machine.Memory.Write(Gdt, (ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x9b, 0x20, 0, 0xff, 0xff, 0, 0, 0, 0x93, 0xcf, 0]);
        SetState(state =>
        {
            state.Msrs[0xc000_0080] = 0x501;
            return state with
            {
                Cr0 = 0x8000_0033,
                Cr3 = PageTables,
                Cr4 = 0x620,
                Gdtr = new DescriptorTableState(Gdt, 23),
                Segments = Flat(new SegmentState(8, 0, uint.MaxValue, 0xa09b)),
            };
        });
    }

    /// <summary>Changes the state in which the boot processor starts.</summary>
    public void SetState(Func<X86State, X86State> change)
    {
        X86State state = change(Machine.GetVcpuState(0));
        state.Gpr[4] = CodeAddress;
        Machine.SetVcpuState(0, state);
    }

    /// <summary>Lets the guest run for <paramref name="time"/>, or until it has ended.</summary>
    public void RunFor(TimeSpan time)
    {
        _runner = new Thread(() => Machine.Run()) { Name = "hostile" };
        _runner.Start();
        _runner.Join(time);
    }

    /// <summary>Stops the machine; it must obey at once and have nothing to complain of.</summary>
    public void Stop()
    {
        long start = Stopwatch.GetTimestamp();
        Machine.RequestStop();
        bool ended = _runner!.Join(TimeSpan.FromSeconds(10));
        TimeSpan time = Stopwatch.GetElapsedTime(start);

        Assert.Null(Machine.Failure);
        Assert.Empty(_notices);
        Assert.True(ended && time < StopLimit, $"the machine stops after {time.TotalMilliseconds:0} ms");
    }

    public void Dispose() => Machine.Dispose();

    private static SegmentState[] Flat(SegmentState code)
    {
        var data = new SegmentState(16, 0, uint.MaxValue, 0xc093);
        return [data, code, data, data, data, data];
    }
}
