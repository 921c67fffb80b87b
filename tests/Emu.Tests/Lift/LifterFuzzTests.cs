using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Tests.Tcg;
using Iced.Intel;

namespace Emu.Tests.Lift;

/// <summary>
/// Lifts random bytes in every mode: the lifter must survive whatever a guest executes, and every instruction it knows must keep
/// the rules of the IR, above all that nothing is committed before the last possible fault.
/// </summary>
public sealed class LifterFuzzTests : IDisposable
{
    private const int BlocksPerMode = 40_000;

    private readonly GuestRam _ram = new("ram", 1 << 20);
    private readonly IrBlock _block = new();
    private readonly AddressSpace _memory;
    private readonly AddressSpace _ports;

    public LifterFuzzTests()
    {
        var machineLock = new MachineLock();
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        _memory = new AddressSpace("memory", root, machineLock);
        _ports = new AddressSpace("ports", MemoryRegion.Container("ports", 0x10000), machineLock);
    }

    public static TheoryData<string> Modes => ["real", "protected 16", "flat 32", "segmented 32", "64"];

    [Theory]
    [MemberData(nameof(Modes))]
    public void TryLift_RandomBytes_YieldsVerifiedIr(string mode) => Check(mode, isUniprocessor: false);

    /// <summary>Locked instructions are lifted differently there.</summary>
    [Theory]
    [MemberData(nameof(Modes))]
    public void TryLift_RandomBytesForTheOnlyCpu_YieldsVerifiedIr(string mode) => Check(mode, isUniprocessor: true);

    public void Dispose() => _ram.Dispose();

    private void Check(string mode, bool isUniprocessor)
    {
        using var cpu = new X86Cpu(new X86CpuEnvironment(0, _memory, _ports, new FakeApic(), new ManualClock(), CpuModel.Parse("max")) { IsUniprocessor = isUniprocessor });
        IGuestFrontend frontend = X86Frontend.Create(cpu, _memory);
        cpu.SetState(StateFor(mode));
        var random = new Random(mode.Length);
        byte[] code = new byte[64];
        for (int i = 0; i < BlocksPerMode; i++)
        {
            random.NextBytes(code);
            if (i % 2 == 0)
            {
                code[random.Next(4)] = 0x0f; // two-byte opcodes are rare otherwise
            }

            code[0] = i % 4 == 0 ? (byte)0xf0 : code[0]; // and so are locked instructions
            if (i % 8 == 3)
            {
                code[0] = (byte)(0xc4 + random.Next(2)); // VEX, with the maps that there are
                code[1] = code[0] == 0xc4 ? (byte)((code[1] & 0xe0) | (1 + random.Next(3))) : code[1];
            }

            _ram.Write(TcgBench.CodeAddress, code);
            Assert.True(frontend.TryLift(_block, TcgBench.CodeAddress, TcgBench.CodeAddress, 1 + (i % 8)));

            string? violation = IrVerifier.FindViolation(_block, X86Slots.IsArchitectural);
            Assert.True(violation is null, $"{mode}, {Convert.ToHexString(code)}: {violation}\n{Disassemble(code, mode)}\n{IrDump.Format(_block)}");
            IrOptimizer.Run(_block);
            Assert.Null(IrVerifier.FindViolation(_block, X86Slots.IsArchitectural));
        }
    }

    private static X86State StateFor(string mode)
    {
        using var bench = new TcgBench();
        X86State state = mode == "64" ? bench.LongModeState() : TcgBench.RealModeState();
        state = state with { Cr4 = state.Cr4 | (1 << 18), Xcr0 = 7 };
        if (mode is "real" or "64")
        {
            return state;
        }

        uint limit = mode == "flat 32" ? 0xffffffff : 0xfffff;
        uint size = mode == "protected 16" ? 0 : 0xc000u;
        var data = new SegmentState(0x10, 0, limit, 0x93 | size);
        return state with { Cr0 = 0x11, Segments = [data, new SegmentState(8, 0, limit, 0x9b | size), data, data, data, data] };
    }

    private static string Disassemble(byte[] code, string mode)
    {
        int bitness = mode switch { "64" => 64, "real" or "protected 16" => 16, _ => 32 };
        Decoder decoder = Decoder.Create(bitness, code, TcgBench.CodeAddress);
        return string.Join('\n', Enumerable.Range(0, 8).Select(_ => decoder.Decode().ToString()));
    }
}
