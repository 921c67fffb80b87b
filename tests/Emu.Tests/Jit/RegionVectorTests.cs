using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Emu.Core.Cpu;
using Emu.Frontend.Ir;
using Emu.Frontend.X86.Lift;
using Emu.Jit.Regions;
using Emu.Tests.Fpu;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Tests.Jit;

/// <summary>Every vector instruction as host code in a region against its helper: registers, value, flags, and the exceptions in MXCSR.</summary>
public sealed unsafe class RegionVectorTests : IDisposable
{
    private const int MxcsrOffset = 24;
    private const int XmmOffset = 160;

    private readonly RegionRig _rig = new();

    private static int Iterations => int.TryParse(Environment.GetEnvironmentVariable("EMU_FPU_CASES"), out int n) ? n / 4 : 100;

    public static TheoryData<Code> Codes()
    {
        var data = new TheoryData<Code>();
        foreach (object[] row in (IEnumerable<object[]>)SimdSiliconTests.Codes())
        {
            if (UsesXmm((Code)row[0]))
            {
                data.Add((Code)row[0]);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Codes))]
    public void EveryForm_EndsAsInTier0(Code code)
    {
        var random = new Random((int)code);
        X86State template = RegionRig.LongMode();
        bool hasImmediate = SimdSiliconTests.HasImmediate(code.ToOpCode());
        for (int i = 0; i < (hasImmediate ? 24 : 1); i++)
        {
            int immediate = hasImmediate ? (i < 20 ? i : random.Next(256)) : 0;
            Place(code, immediate);
            Begin(template, random, 0x1f80);
            Region region = _rig.Build();
            CompiledRegion compiled = RegionCompiler.Compile(region)!;
            for (int n = 0; n < Math.Max(8, hasImmediate ? Iterations / 12 : Iterations); n++)
            {
                Begin(template, random, 0x1f80 | (random.Next(2) == 0 ? 0 : (uint)random.Next(64)));
                RegionOutcome expected = _rig.RunTier0(region);
                RegionOutcome actual = _rig.RunRegion(region, compiled);
                Assert.True(RegionRig.Compare(expected, actual) is not string difference, $"{code} imm {immediate}\n{RegionRig.Compare(expected, actual)}{Inputs()}");
            }
        }
    }

    [Theory]
    [InlineData(Code.Addsd_xmm_xmmm64, true)]
    [InlineData(Code.Paddd_xmm_xmmm128, true)]
    [InlineData(Code.Comisd_xmm_xmmm64, true)]
    [InlineData(Code.Rcpps_xmm_xmmm128, false)]
    public void KnownOperation_IsHostCode(Code code, bool isHostCode)
    {
        Place(code, 0);
        Begin(RegionRig.LongMode(), new Random(1), 0x1f80);
        Region region = _rig.Build();

        Assert.Equal(isHostCode && HostSilicon.IsAvailable, region.Blocks[0].Ops.Where(op => op.Opcode is IrOpcode.CallVector or IrOpcode.CallVectorValue).All(op => VectorInstructions.Find(op) is not null));
    }

    public void Dispose() => _rig.Dispose();

    private static bool UsesXmm(Code code)
    {
        Assert.True(SimdSiliconTests.TryCreate(code.ToOpCode(), 0, out Instruction instruction));
        return !instruction.Op0Register.IsMM() && !instruction.Op1Register.IsMM();
    }

    // The register form, the form with a memory operand where there is one, and the same register twice.
    private void Place(Code code, int immediate)
    {
        Assert.True(SimdSiliconTests.TryCreate(code.ToOpCode(), immediate, out Instruction instruction));
        var assembler = new Assembler(64);
        assembler.AddInstruction(instruction);
        if (code.ToOpCode().GetOpKind(1).ToString().Contains("or_mem", StringComparison.Ordinal))
        {
            Instruction memory = instruction;
            memory.Op1Kind = OpKind.Memory;
            (memory.MemoryBase, memory.MemoryDisplSize) = (Register.R12, 0);
            assembler.AddInstruction(memory);
        }

        if (instruction.Op0Register.IsXMM() && instruction.Op1Register.IsXMM())
        {
            Instruction same = instruction;
            (same.Op0Register, same.Op1Register) = (Register.XMM3, Register.XMM3);
            assembler.AddInstruction(same);
        }

        assembler.jmp(RegionRig.AddressOf(15));
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), RegionRig.AddressOf(CaseLayout.CodePage));
        stream.ToArray().CopyTo(_rig.Page(CaseLayout.CodePage));
    }

    private void Begin(X86State template, Random random, uint mxcsr)
    {
        X86State state = template with { Gpr = [.. template.Gpr], Xsave = [.. template.Xsave] };
        MemoryMarshal.Write(state.Xsave.AsSpan(MxcsrOffset), mxcsr);
        for (int i = 0; i < 16; i++)
        {
            MemoryMarshal.Write(state.Xsave.AsSpan(XmmOffset + (16 * i)), SimdInputs.Next(random));
        }

        if (random.Next(4) == 0)
        {
            MemoryMarshal.Write(state.Xsave.AsSpan(XmmOffset + 32), new UInt128((ulong)random.Next(2), (ulong)random.Next(70)));
        }

        (state.Gpr[0], state.Gpr[1], state.Gpr[2]) = ((ulong)SimdInputs.Next(random), (ulong)SimdInputs.Next(random), (ulong)random.Next(-40, 40));
        state.Gpr[12] = RegionRig.AddressOf(CaseLayout.DataPage);
        MemoryMarshal.Write(_rig.Page(CaseLayout.DataPage), SimdInputs.Next(random));
        _rig.Begin(state);
    }

    private string Inputs()
    {
        _rig.Reset();
        var text = new StringBuilder();
        for (int i = 0; i < 4; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"xmm{i} {*(UInt128*)(_rig.Cpu.State->Vector + (64 * i)):x32}\n");
        }

        return text.Append(CultureInfo.InvariantCulture, $"mem {MemoryMarshal.Read<UInt128>(_rig.Page(CaseLayout.DataPage)):x32} mxcsr {_rig.Header->FloatStatus:x}").ToString();
    }
}
