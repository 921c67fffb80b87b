using BenchmarkDotNet.Attributes;
using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>Runs a loop of known length in 64-bit mode with paging on. RSI and RDI point to memory; ECX counts down (DEC, JNZ).</summary>
/// <param name="options">How the vCPU runs code.</param>
/// <param name="iterations">Length of the loop.</param>
public abstract class LoopBenchmarks(TcgOptions options, int iterations) : IDisposable
{
    private const ulong StreamTables = 0x103000;
    private const ulong StreamFrames = 0x180000;

    private readonly TcgBench _bench = new(options: options);
    private X86State _start = new();

    /// <summary>Where <see cref="MapStream"/> maps.</summary>
    protected const int StreamBase = 0x4000_0000;

    /// <summary>Pages at <see cref="StreamBase"/>: four for each entry of the TLB.</summary>
    protected const int StreamPages = 16384;

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _bench.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Makes the loop around <paramref name="body"/>.</summary>
    private protected void SetUp(Action<Assembler> body)
    {
        _bench.Load(64, c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, iterations);
            c.Label(ref again);
            body(c);
            c.dec(ecx);
            c.jnz(again);
        });
        _start = _bench.LongModeState();
        (_start.Gpr[6], _start.Gpr[7]) = (0x20000, 0x30000);
    }

    /// <summary>Maps <see cref="StreamPages"/> pages by tables of 4 KiB pages, over and over to the same 64 frames; RSI points to them.</summary>
    private protected void MapStream()
    {
        _bench.Ram.WriteValue(0x101008, StreamTables | 7, 8);
        for (ulong page = 0; page < StreamPages; page++)
        {
            ulong table = StreamTables + 0x1000 + (page / 512 * 0x1000);
            _bench.Ram.WriteValue(StreamTables + (page / 512 * 8), table | 7, 8);
            _bench.Ram.WriteValue(table + (page % 512 * 8), (StreamFrames + (page % 64 * 0x1000)) | 7, 8);
        }

        _start.Gpr[6] = StreamBase;
    }

    /// <summary>Runs the loop once and checks that it misses the TLB so often.</summary>
    private protected void RequireMisses(int count)
    {
        ulong before = _bench.Vcpu.Statistics.TlbMisses;
        Run();
        ulong misses = _bench.Vcpu.Statistics.TlbMisses - before;
        if (misses < (ulong)count)
        {
            throw new InvalidOperationException($"{misses} TLB misses instead of {count}.");
        }
    }

    /// <summary>Runs the loop.</summary>
    protected void Run()
    {
        _bench.Run(_start);
        if (_bench.Exit.Reason != VcpuExitReason.Kicked || _bench.ExitCode is null)
        {
            throw new InvalidOperationException($"The guest ended with {_bench.Exit}.");
        }
    }
}
