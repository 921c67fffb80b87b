using System.Diagnostics;
using System.Globalization;
using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Tests.Tcg;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Bench;

/// <summary>
/// Hot loops in tier 0 and as compiled regions: nanoseconds per guest instruction, what emitting IL and compiling it costs, and how large
/// it is. The best of some runs each, in turn.
/// </summary>
internal static partial class RegionComparison
{
    private const int Iterations = 2_000_000;

    private static readonly (string Name, Action<Assembler> Body)[] Loops =
    [
        ("integer", Integer), ("memory", Memory), ("branch", Branch), ("call", Call), ("crc32", Crc), ("hash", Hash), ("sieve", Sieve),
        ("copy8", Copy), ("sum", Sum), ("sort", Sort), ("string", ScanString), ("divide", Divide),
        ("avx2blur", WideBlur), ("avx2scan", WideScan), ("fmadot", FusedDot),
        ("mandel", Mandel), ("matmul", Matmul), ("nbody", Bodies), ("fpconv", Convert), ("sse2blur", Blur), ("sse2int", PackedInteger),
    ];

    /// <summary>Prints the table; the names choose rows.</summary>
    public static int Run(string[] names)
    {
        Console.WriteLine("loop       g   tier 0 ns/g  region ns/g  ratio   emit us/g  compile us/g   IL bytes/g");
        double product = 1;
        int rows = 0;
        foreach ((string name, Action<Assembler> body) in Loops.Where(loop => names.Length == 0 || names.Contains(loop.Name)))
        {
            Region? hot = null;
            using var tier0 = new TcgBench(options: new TcgOptions { Jit = false });
            using var jit = new TcgBench(options: new TcgOptions { CompileAtOnce = true, Threshold = 1000, CompileRegion = Compile });
            X86State start0 = SetUp(tier0, body);
            X86State start1 = SetUp(jit, body);
            double slow = double.MaxValue;
            double fast = double.MaxValue;
            for (int i = 0; i < 7; i++)
            {
                slow = Math.Min(slow, NanosecondsPerInstruction(tier0, start0));
                fast = Math.Min(fast, NanosecondsPerInstruction(jit, start1));
            }

            product *= slow / fast;
            rows++;
            Console.WriteLine(FormattableString.Invariant($"{name,-8} {hot?.InstructionCount,4}   {slow,11:F2}  {fast,11:F2}  {slow / fast,5:F1}   {Cost(hot)}"));

            CompiledRegion? Compile(Region region)
            {
                hot = region.InstructionCount > (hot?.InstructionCount ?? 0) ? region : hot;
                return RegionCompiler.Compile(region);
            }
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"geometric mean of the ratios: {Math.Pow(product, 1.0 / rows):F2}"));
        return 0;
    }

    private static string Cost(Region? region)
    {
        if (region is null)
        {
            return "not compiled";
        }

        double emit = double.MaxValue;
        double compile = double.MaxValue;
        for (int i = 0; i < 20; i++)
        {
            long start = Stopwatch.GetTimestamp();
            _ = RegionCompiler.Emit(region);
            emit = Math.Min(emit, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            start = Stopwatch.GetTimestamp();
            _ = RegionCompiler.Compile(region);
            compile = Math.Min(compile, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        double count = region.InstructionCount;
        return FormattableString.Invariant($"{emit / count,9:F1}  {compile / count,12:F1}   {RegionCompiler.LastLength / count,10:F0}");
    }

    private static double NanosecondsPerInstruction(TcgBench bench, X86State start)
    {
        ulong before = bench.Vcpu.Statistics.Instructions;
        long time = Stopwatch.GetTimestamp();
        bench.Run(start);
        TimeSpan elapsed = Stopwatch.GetElapsedTime(time);
        if (bench.Exit.Reason != VcpuExitReason.Kicked || bench.ExitCode is null)
        {
            throw new InvalidOperationException($"The guest ended with {bench.Exit}.");
        }

        return elapsed.TotalNanoseconds / (bench.Vcpu.Statistics.Instructions - before);
    }

    // RSI and RDI point to 64 KiB each; R15 counts.
    private static X86State SetUp(TcgBench bench, Action<Assembler> body)
    {
        bench.Load(64, c =>
        {
            c.mov(r15d, Iterations);
            c.xor(ecx, ecx);
            body(c);
        });
        new Random(1).NextBytes(bench.Ram.Slice(0x20000, 0x20000));
        X86State start = bench.LongModeState();
        (start.Gpr[6], start.Gpr[7]) = (0x20000, 0x30000);
        return start with { Cr4 = start.Cr4 | (1 << 18), Xcr0 = 7 };
    }

    private static void Repeat(Assembler c, Action body)
    {
        Label again = c.CreateLabel();
        c.Label(ref again);
        body();
        c.dec(r15d);
        c.jnz(again);
    }

    private static void Integer(Assembler c) => Repeat(c, () =>
    {
        HotLoops.Integer(c);
        c.inc(ecx);
    });

    private static void Memory(Assembler c) => Repeat(c, () => HotLoops.Memory(c));

    private static void Branch(Assembler c) => Repeat(c, () => HotLoops.Branch(c, r15d));

    private static void Call(Assembler c) => Repeat(c, () => HotLoops.Call(c));

    private static void Crc(Assembler c) => Repeat(c, () =>
    {
        c.movzx(eax, cx);
        c.movzx(eax, __byte_ptr[rsi + rax]);
        c.xor(eax, edx);
        c.movzx(eax, al);
        c.shr(edx, 8);
        c.xor(edx, __dword_ptr[rdi + rax * 4]);
        c.inc(rcx);
    });

    private static void Hash(Assembler c) => Repeat(c, () =>
    {
        c.movzx(eax, cx);
        c.movzx(eax, __byte_ptr[rsi + rax]);
        c.xor(rdx, rax);
        c.imul(rdx, rdx, 0x1000193);
        c.mov(eax, edx);
        c.and(eax, 0x3fff);
        c.add(__dword_ptr[rdi + rax * 4], 1);
        c.add(rcx, 1);
    });

    private static void Sieve(Assembler c) => Repeat(c, () =>
    {
        Label inner = c.CreateLabel();
        c.mov(eax, 3);
        c.Label(ref inner);
        c.mov(__byte_ptr[rdi + rax], 1);
        c.add(rax, 7);
        c.cmp(rax, 60);
        c.jl(inner);
    });

    private static void Copy(Assembler c) => Repeat(c, () =>
    {
        Label inner = c.CreateLabel();
        c.xor(ecx, ecx);
        c.Label(ref inner);
        c.mov(rax, __[rsi + rcx * 8]);
        c.mov(__[rdi + rcx * 8], rax);
        c.add(rcx, 1);
        c.cmp(rcx, 16);
        c.jne(inner);
    });

    private static void Sum(Assembler c) => Repeat(c, () =>
    {
        c.movzx(eax, cx);
        c.add(rdx, __[rsi + rax]);
        c.add(ecx, 8);
    });

    // One pass of a bubble sort over 16 numbers.
    private static void Sort(Assembler c) => Repeat(c, () =>
    {
        Label inner = c.CreateLabel();
        Label ordered = c.CreateLabel();
        c.xor(ecx, ecx);
        c.Label(ref inner);
        c.mov(eax, __dword_ptr[rsi + rcx * 4]);
        c.mov(edx, __dword_ptr[rsi + rcx * 4 + 4]);
        c.cmp(eax, edx);
        c.jle(ordered);
        c.mov(__dword_ptr[rsi + rcx * 4], edx);
        c.mov(__dword_ptr[rsi + rcx * 4 + 4], eax);
        c.Label(ref ordered);
        c.inc(ecx);
        c.cmp(ecx, 15);
        c.jb(inner);
    });

    private static void ScanString(Assembler c) => Repeat(c, () =>
    {
        Label inner = c.CreateLabel();
        c.lea(rax, __[rsi - 1]);
        c.mov(edx, 12);
        c.Label(ref inner);
        c.inc(rax);
        c.cmp(__byte_ptr[rax], 0xa5);
        c.je(inner);
        c.dec(edx);
        c.jnz(inner);
    });

    private static void Divide(Assembler c) => Repeat(c, () =>
    {
        c.mov(eax, r15d);
        c.xor(edx, edx);
        c.mov(ebx, 17);
        c.div(ebx);
        c.add(r8d, edx);
    });
}
