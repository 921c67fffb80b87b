using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Tcg;

/// <summary>INS and OUTS with REP: what a block of elements leaves must be what one element after another leaves.</summary>
public sealed class StringPortTests
{
    private const ushort Port = 0x700;
    private const ulong InterruptFlag = 0x200;

    // A breakpoint on another port: no elements move together then.
    private const ulong PortBreakpointElsewhere = 0x2_0001;
    private const ulong DebugExtensions = 1 << 3;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    public void Ins_IntoAnAbsentPage_FaultsBehindTheLastElementBefore(int size)
    {
        using var bench = new TrapBench();
        var port = new CountingPort(bench.Bench);

        Trap trap = bench.Run(Ins(size), gpr => SetRegisters(gpr, TrapBench.Absent - 32, 100));

        ulong elements = 32 / (ulong)size;
        Assert.Equal((14, TrapBench.Code), (trap.Vector, trap.Rip));
        Assert.Equal((100 - elements, TrapBench.Absent, elements), (trap.Gpr[1], trap.Gpr[7], (ulong)port.Accesses));
        Assert.Equal((byte)elements, bench.Bench.Ram.ReadValue(TrapBench.Absent - (ulong)size, 1));
    }

    [Fact]
    public void Outs_OutOfAnAbsentPage_FaultsBehindTheLastElementBefore()
    {
        using var bench = new TrapBench();
        var port = new CountingPort(bench.Bench);

        Trap trap = bench.Run([0xf3, 0x66, 0x6f], gpr => SetRegisters(gpr, TrapBench.Absent - 31, 100));

        Assert.Equal((14, 85UL, TrapBench.Absent - 1, 15), (trap.Vector, trap.Gpr[1], trap.Gpr[6], port.Accesses));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Interrupt_OfAnElement_ComesRightBehindIt(bool isOutput)
    {
        using var bench = new TrapBench();
        var port = new CountingPort(bench.Bench) { InterruptAt = 77 };

        Trap trap = bench.Run(isOutput ? [0xf3, 0x6e] : Ins(1), gpr => SetRegisters(gpr, TrapBench.Data, 1000), InterruptFlag | 2);

        Assert.Equal((0x21, TrapBench.Code, 923UL, 77), (trap.Vector, trap.Rip, trap.Gpr[1], port.Accesses));
        Assert.Equal(TrapBench.Data + 77, trap.Gpr[isOutput ? 6 : 7]);
    }

    [Fact]
    public void Run_GoesOnBehindAnInterrupt()
    {
        const ulong Handler = 0x20000;
        using var bench = new TrapBench();
        var port = new CountingPort(bench.Bench) { InterruptAt = 77 };
        bench.Assemble(Handler, c => c.iretq());
        bench.SetGate(0x21, Handler);

        Trap trap = bench.Run([0xf3, 0x6e], gpr => SetRegisters(gpr, TrapBench.Data, 1000), InterruptFlag | 2);

        Assert.Equal((-1, 0UL, TrapBench.Data + 1000, 1000), (trap.Vector, trap.Gpr[1], trap.Gpr[6], port.Accesses));
    }

    [Fact]
    public void Ins_OverTheCodeThatFollows_RunsWhatWasRead()
    {
        using var bench = new TrapBench();
        _ = new CountingPort(bench.Bench) { Answer = 0x90 };

        Trap trap = bench.Run(c =>
        {
            c.rep.insb();
            for (int i = 0; i < 16; i++)
            {
                c.inc(bl);
            }
        }, gpr => SetRegisters(gpr, TrapBench.Code + 2, 31));

        // 31 of the 32 bytes have become NOP; the last is the second byte of INC BL, C3H: a RET to where the stack points to.
        Assert.Equal(0UL, trap.Gpr[3] & 0xff);
    }

    [Fact]
    public void Elements_OfAPortThatTakesBlocks_GoThere()
    {
        using var bench = new TrapBench();
        var port = new CountingPort(bench.Bench) { LargestBlock = 100 };

        Trap trap = bench.Run(Ins(1), gpr => SetRegisters(gpr, TrapBench.Data, 4096 + 50));

        Assert.Equal((-1, 0UL, 42, 0), (trap.Vector, trap.Gpr[1], port.Blocks, port.Accesses));
    }

    [Fact]
    public void RandomRuns_InRealAndLongMode_AreElementByElement()
    {
        var random = new Random(20261122);
        for (int round = 0; round < 100; round++)
        {
            var run = new RandomRun(random);
            Assert.Equal(run.Execute(together: false), run.Execute(together: true));
        }
    }

    private static byte[] Ins(int size) => size switch { 1 => [0xf3, 0x6c], 2 => [0xf3, 0x66, 0x6d], _ => [0xf3, 0x6d] };

    private static void SetRegisters(ulong[] gpr, ulong address, ulong count) => (gpr[1], gpr[2], gpr[6], gpr[7]) = (count, Port, address, address);

    /// <summary>A string instruction with REP at some place in memory.</summary>
    private sealed class RandomRun
    {
        private readonly bool _real;
        private readonly bool _output;
        private readonly bool _down;
        private readonly int _size;
        private readonly ulong _address;
        private readonly ulong _base;
        private readonly ulong _count;
        private readonly uint _limit;
        private readonly int _interruptAt;
        private readonly int _largestBlock;

        public RandomRun(Random random)
        {
            _real = random.Next(2) == 0;
            _output = random.Next(2) == 0;
            _down = random.Next(8) == 0;
            _size = 1 << random.Next(3);
            _limit = random.Next(3) == 0 ? 0xe0ff : 0xffffu;
            _base = 0x20000 + ((ulong)random.Next(16) * 8);
            ulong[] places = _real ? [0x9ff0, 0xd000, 0xe0f0, 0xfff0] : [TrapBench.Data, TrapBench.Absent - 40, TrapBench.ReadOnly - 8, 0x70fff];
            _address = places[random.Next(places.Length)] + (ulong)random.Next(16);
            _count = (ulong)random.Next(1, random.Next(2) == 0 ? 40 : 6000);
            _interruptAt = random.Next(3) == 0 ? random.Next(1, 60) : 0;
            _largestBlock = random.Next(2) * random.Next(1, 700);
        }

        /// <summary>Runs it; everything that can be seen afterwards.</summary>
        public string Execute(bool together)
        {
            using var bench = new TrapBench();
            var port = new CountingPort(bench.Bench) { InterruptAt = _interruptAt, LargestBlock = together ? _largestBlock : 0 };
            var contents = new byte[0x30000];
            new Random(7).NextBytes(contents);
            bench.Bench.Ram.Write(0x20000, contents);
            X86State end = Run(bench, together);
            var memory = new byte[0x60000];
            bench.Bench.Ram.Read(0x9000, memory);
            return $"{string.Join(' ', end.Gpr.Select(value => $"{value:x}"))} rip {end.Rip:x} cr2 {end.Cr2:x} sum {port.Sum:x} {System.Numerics.BitOperations.PopCount((ulong)port.Sum)} "
                + Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(memory));
        }

        private X86State Run(TrapBench bench, bool together)
        {
            X86State state = _real ? TcgBench.RealModeState() : bench.Start();
            state = state with { Cr4 = state.Cr4 | DebugExtensions, Rflags = 2 | InterruptFlag | (_down ? 0x400UL : 0) };
            state.Gpr[4] = _real ? 0x8000 : TrapBench.StackTop;
            SetRegisters(state.Gpr, _address, _count);
            state.Dr[5] = together ? 0x400UL : 0x400 | PortBreakpointElsewhere;
            state.Dr[0] = 0x1234;
            byte opcode = (byte)((_output ? 0x6e : 0x6c) + (_size == 1 ? 0 : 1));
            byte[] code = _size == (_real ? 4 : 2) ? [0xf3, 0x66, opcode] : [0xf3, opcode];
            if (!_real)
            {
                return bench.RunFrom(state, code).State;
            }

            var data = new SegmentState(0, _base, _limit, 0x93);
            bench.Bench.Load([.. code, 0xe6, 0xf4, 0xeb, 0xfe]);
            bench.Bench.Ram.Write(0x34, [0, 0x20, 0, 0, 0, 0x20, 0, 0]);
            bench.Bench.Ram.Write(0x84, [0, 0x20, 0, 0]);
            bench.Bench.Ram.Write(0x2000, [0xe6, 0xf4, 0xeb, 0xfe]);
            return bench.Bench.Run(state with { Segments = [data, state.Segments[1], state.Segments[2], data, data, data] });
        }
    }

    /// <summary>A port that answers with the number of accesses so far, or always the same.</summary>
    private sealed class CountingPort : IIoHandler
    {
        private readonly TcgBench _bench;

        public CountingPort(TcgBench bench)
        {
            _bench = bench;
            bench.Ports.Add(Port, MemoryRegion.OfIo("counting", 4, this, IoAccess.UpToDword));
        }

        public byte? Answer { get; init; }

        /// <summary>The access that raises interrupt 21H; 0 for none.</summary>
        public int InterruptAt { get; init; }

        /// <summary>Most elements of a block; 0 for no blocks.</summary>
        public int LargestBlock { get; init; }

        public int Accesses { get; private set; }

        public int Blocks { get; private set; }

        /// <summary>Of all that was written, in order.</summary>
        public long Sum { get; private set; }

        private int Elements { get; set; }

        public ulong Read(ulong offset, int size)
        {
            Accesses++;
            return Next();
        }

        public void Write(ulong offset, ulong value, int size)
        {
            Accesses++;
            Take(value);
        }

        public int ReadBlock(ulong offset, Span<byte> data, int size)
        {
            int count = NextBlock(data.Length / size);
            for (int i = 0; i < count; i++)
            {
                BitConverter.GetBytes(Next()).AsSpan(0, size).CopyTo(data[(i * size)..]);
            }

            return count;
        }

        public int WriteBlock(ulong offset, ReadOnlySpan<byte> data, int size)
        {
            int count = NextBlock(data.Length / size);
            Span<byte> value = stackalloc byte[8];
            value.Clear();
            for (int i = 0; i < count; i++)
            {
                data.Slice(i * size, size).CopyTo(value);
                Take(BitConverter.ToUInt64(value));
            }

            return count;
        }

        private int NextBlock(int elements)
        {
            int count = Math.Min(elements, LargestBlock);
            count = InterruptAt > Elements ? Math.Min(count, InterruptAt - Elements) : count;
            Blocks += count > 0 ? 1 : 0;
            return count;
        }

        private ulong Next()
        {
            Note();
            return Answer ?? (ulong)Elements;
        }

        private void Take(ulong value)
        {
            Note();
            Sum = unchecked((Sum * 31) + (long)value);
        }

        private void Note()
        {
            if (++Elements == InterruptAt)
            {
                _bench.Apic.Raise(0x21);
            }
        }
    }
}
