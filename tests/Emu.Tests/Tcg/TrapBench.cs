using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Iced.Intel;

namespace Emu.Tests.Tcg;

/// <summary>How a run ended: the vector and its stack frame, or vector −1 when the code got to its end.</summary>
/// <param name="Vector">Exception or interrupt vector, −1 for none.</param>
/// <param name="Error">Error code, 0 for vectors without.</param>
/// <param name="Rip">Pushed RIP.</param>
/// <param name="Rflags">Pushed RFLAGS.</param>
/// <param name="Rsp">Pushed RSP.</param>
/// <param name="State">State in the handler: the general registers but RSP are those of the interrupted code.</param>
internal sealed record Trap(int Vector, ulong Error, ulong Rip, ulong Rflags, ulong Rsp, X86State State)
{
    public ulong[] Gpr => State.Gpr;
}

/// <summary>
/// A <see cref="TcgBench"/> in 64-bit mode at CPL 0 with 4 KiB pages (identity-mapped, writable, CR0.WP set) and an IDT whose handlers,
/// on a stack of their own, end the run.
/// </summary>
internal sealed class TrapBench : IDisposable
{
    public const ulong Code = TcgBench.CodeAddress;
    public const ulong Data = 0x30000;
    public const ulong Absent = 0x40000;
    public const ulong ReadOnly = 0x50000;
    public const ulong StackTop = 0x60000;

    private const ulong Idt = 0x4000;
    private const ulong Gdt = 0x5000;
    private const ulong Tss = 0x6000;
    private const ulong Handlers = 0x7000;
    private const ulong HandlerStack = 0x9000;
    private const ulong PageTable = 0x103000;

    public TrapBench(TcgOptions? options = null)
    {
        Bench = new TcgBench(options: options);
        _ = Bench.LongModeState();
        Write(0x102000, PageTable | 7);
        for (ulong page = 0; page < 0x200000; page += 0x1000)
        {
            Map(page, page);
        }

        Map(Absent, 0, 0);
        Map(ReadOnly, ReadOnly, 5);
        Write(Gdt + 8, 0x00af9b000000ffff);
        Write(Gdt + 0x10, 0x00cf93000000ffff);
        Write(Tss + 0x24, HandlerStack);
        for (ulong vector = 0; vector < 64; vector++)
        {
            ulong handler = Handlers + (vector * 16);
            SetGate((int)vector, handler);
            Bench.Ram.WriteValue(handler, 0xfeebf4e6, 4);
        }
    }

    public TcgBench Bench { get; }

    /// <summary>Points a vector at a handler, on the handlers' stack.</summary>
    public void SetGate(int vector, ulong handler) => Write(Idt + ((ulong)vector * 16), (handler & 0xffff) | (8 << 16) | (1UL << 32) | (0x8eUL << 40) | (handler >> 16 << 48));

    /// <summary>Maps a page of the first 2 MiB; flags 0 unmaps it. The TLB is not told.</summary>
    public void Map(ulong linear, ulong physical, ulong flags = 7) => Write(PageTable + (linear >> 12 << 3), flags == 0 ? 0 : physical | flags);

    public void Write(ulong physical, ulong value) => Bench.Ram.WriteValue(physical, value, 8);

    public ulong Read(ulong physical, int size = 8) => Bench.Ram.ReadValue(physical, size);

    /// <summary>Assembles code anywhere; returns its bytes.</summary>
    public byte[] Assemble(ulong address, Action<Assembler> code)
    {
        var assembler = new Assembler(64);
        code(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        byte[] bytes = stream.ToArray();
        Bench.Ram.Write(address, bytes);
        return bytes;
    }

    /// <summary>The state at the start of <see cref="Code"/>.</summary>
    public X86State Start(ulong rflags = 2) => Bench.LongModeState() with
    {
        Cr0 = 0x80010033,
        Rflags = rflags,
        Gdtr = new DescriptorTableState(Gdt, 0x3f),
        Idtr = new DescriptorTableState(Idt, 0x3ff),
        Tr = new SegmentState(0x28, Tss, 0x67, 0x8b),
    };

    /// <summary>Runs assembled code followed by the exit.</summary>
    public Trap Run(Action<Assembler> code, Action<ulong[]>? registers = null, ulong rflags = 2)
    {
        Bench.Load(64, code);
        return Run(registers, rflags);
    }

    /// <summary>Runs bytes followed by the exit.</summary>
    public Trap Run(byte[] code, Action<ulong[]>? registers = null, ulong rflags = 2)
    {
        Bench.Load([.. code, 0xe6, 0xf4]);
        return Run(registers, rflags);
    }

    /// <summary>Runs what is in memory.</summary>
    public Trap Run(Action<ulong[]>? registers = null, ulong rflags = 2)
    {
        X86State start = Start(rflags);
        Write(0x102000, PageTable | 7); // the state's own tables have a large page there
        start.Gpr[4] = StackTop;
        registers?.Invoke(start.Gpr);
        return Describe(Bench.Run(start));
    }

    /// <summary>Runs assembled code from a state of the caller's making.</summary>
    public Trap RunFrom(X86State start, Action<Assembler> code)
    {
        Bench.Load(64, code);
        Write(0x102000, PageTable | 7);
        return Describe(Bench.Run(start));
    }

    /// <summary>Runs bytes, followed by the exit, from a state of the caller's making.</summary>
    public Trap RunFrom(X86State start, byte[] code)
    {
        Bench.Load([.. code, 0xe6, 0xf4]);
        Write(0x102000, PageTable | 7);
        return Describe(Bench.Run(start));
    }

    /// <summary>Goes on from where the last run ended.</summary>
    public Trap Resume()
    {
        _ = Bench.Vcpu.Run();
        return Describe(Bench.Vcpu.GetState());
    }

    public void Dispose() => Bench.Dispose();

    private Trap Describe(X86State end)
    {
        if (end.Rip < Handlers || end.Rip >= Handlers + 0x400)
        {
            return new Trap(-1, 0, end.Rip, end.Rflags, end.Gpr[4], end);
        }

        int vector = (int)(end.Rip - Handlers) / 16;
        ulong frame = end.Gpr[4];
        bool hasError = vector is 8 or (>= 10 and <= 14) or 17;
        ulong error = hasError ? Read(frame) : 0;
        frame += hasError ? 8UL : 0;
        return new Trap(vector, error, Read(frame), Read(frame + 16), Read(frame + 24), end);
    }
}
