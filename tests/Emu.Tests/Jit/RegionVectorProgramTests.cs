using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Tests.Fpu;
using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>
/// Random SSE code with loops as one region against tier 0: values that live across blocks, results nobody uses, constants, comparisons
/// with branches, and the exceptions of all that in MXCSR. See <see cref="RegionSnippetTests"/> for the number of cases.
/// </summary>
public sealed class RegionVectorProgramTests : IDisposable
{
    private const int MxcsrOffset = 24;
    private const int XmmOffset = 160;

    private readonly RegionRig _rig = new();

    [Fact]
    public void RandomLoops_EndAsInTier0()
    {
        X86State template = RegionRig.LongMode();
        var reports = new StringBuilder();
        int mismatches = 0;
        for (ulong seed = RegionSnippetTests.FirstSeed; seed < RegionSnippetTests.FirstSeed + RegionSnippetTests.Cases; seed++)
        {
            byte[] code = new Program(new Random((int)seed)).Assemble();
            code.CopyTo(_rig.Page(CaseLayout.CodePage, 2));
            var random = new Random((int)seed + 7);
            Begin(template, random);
            Region region = _rig.Build();
            CompiledRegion compiled = RegionCompiler.Compile(region)!;
            for (int i = 0; i < 6 && mismatches < 3; i++)
            {
                Begin(template, random);
                RegionOutcome expected = _rig.RunTier0(region);
                string? difference = RegionRig.Compare(expected, _rig.RunRegion(region, compiled));
                if (difference is not null)
                {
                    mismatches++;
                    reports.Append(CultureInfo.InvariantCulture, $"seed {seed}:\n{Disassemble(code)}{difference}");
                }
            }
        }

        Assert.True(mismatches == 0, reports.ToString());
    }

    public void Dispose() => _rig.Dispose();

    private static string Disassemble(byte[] code)
    {
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(64, code, RegionRig.AddressOf(CaseLayout.CodePage));
        var text = new StringBuilder();
        while (decoder.IP < RegionRig.AddressOf(CaseLayout.CodePage) + (uint)code.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"{decoder.IP:x} {decoder.Decode()}\n");
        }

        return text.ToString();
    }

    private void Begin(X86State template, Random random)
    {
        X86State state = template with { Gpr = [.. template.Gpr], Xsave = [.. template.Xsave] };
        MemoryMarshal.Write(state.Xsave.AsSpan(MxcsrOffset), 0x1f80 | (random.Next(2) == 0 ? 0 : (uint)random.Next(64)));
        for (int i = 0; i < 16; i++)
        {
            MemoryMarshal.Write(state.Xsave.AsSpan(XmmOffset + (16 * i)), Value(random));
        }

        Span<byte> data = _rig.Page(CaseLayout.DataPage);
        for (int i = 0; i < 1024; i += 16)
        {
            MemoryMarshal.Write(data[i..], Value(random));
        }

        (state.Gpr[0], state.Gpr[1]) = ((ulong)random.NextInt64(), (ulong)random.Next(-5, 5));
        state.Gpr[12] = RegionRig.AddressOf(CaseLayout.DataPage);
        _rig.Begin(state);
    }

    // Mostly numbers that raise little, so that a single missing exception shows.
    private static UInt128 Value(Random random) => random.Next(3) == 0 ? SimdInputs.Next(random)
        : new UInt128(BitConverter.DoubleToUInt64Bits(random.Next(-8, 8)), BitConverter.DoubleToUInt64Bits(random.Next(1, 9) / 4.0));

    private sealed class Program(Random random)
    {
        private static readonly AssemblerRegisterXMM[] Registers = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];

        private readonly Assembler _c = new(64);
        private readonly int _registers = random.Next(2) == 0 ? 4 : 16;

        public byte[] Assemble()
        {
            Body(random.Next(4));
            if (random.Next(3) != 0)
            {
                Label again = _c.CreateLabel();
                _c.mov(ecx, random.Next(1, 5));
                _c.Label(ref again);
                Body(random.Next(1, random.Next(2) == 0 ? 6 : 20));
                _c.dec(ecx);
                _c.jnz(again);
            }

            Body(random.Next(5));
            _c.jmp(RegionRig.AddressOf(15));
            using var stream = new MemoryStream();
            _c.Assemble(new StreamCodeWriter(stream), RegionRig.AddressOf(CaseLayout.CodePage));
            return stream.ToArray();
        }

        private AssemblerRegisterXMM Any() => Registers[random.Next(_registers)];

        private int Aligned() => 16 * random.Next(16);

        private void Body(int count)
        {
            for (int i = 0; i < count; i++)
            {
                switch (random.Next(8))
                {
                    case 0: Move(); break;
                    case 1: Integer(); break;
                    case 2: Convert(); break;
                    case 3: Branch(); break;
                    case 4: Packed(); break;
                    default: Scalar(); break;
                }
            }
        }

        private void Scalar()
        {
            switch (random.Next(12))
            {
                case 0: _c.addsd(Any(), Any()); break;
                case 1: _c.mulsd(Any(), Any()); break;
                case 2: _c.subsd(Any(), __qword_ptr[r12 + Aligned()]); break;
                case 3: _c.divsd(Any(), Any()); break;
                case 4: _c.sqrtsd(Any(), Any()); break;
                case 5: _c.minsd(Any(), Any()); break;
                case 6: _c.maxss(Any(), Any()); break;
                case 7: _c.addss(Any(), __dword_ptr[r12 + Aligned()]); break;
                case 8: _c.mulss(Any(), Any()); break;
                case 9: _c.cmpsd(Any(), Any(), (byte)random.Next(8)); break;
                case 10: _c.divss(Any(), Any()); break;
                default: _c.mulsd(Any(), __qword_ptr[r12 + Aligned()]); break;
            }
        }

        private void Packed()
        {
            switch (random.Next(10))
            {
                case 0: _c.addpd(Any(), Any()); break;
                case 1: _c.mulpd(Any(), Any()); break;
                case 2: _c.addps(Any(), __xmmword_ptr[r12 + Aligned()]); break;
                case 3: _c.mulps(Any(), Any()); break;
                case 4: _c.subpd(Any(), Any()); break;
                case 5: _c.divps(Any(), Any()); break;
                case 6: _c.cmpps(Any(), Any(), (byte)random.Next(8)); break;
                case 7: _c.haddpd(Any(), Any()); break;
                case 8: _c.addsubps(Any(), Any()); break;
                default: _c.maxpd(Any(), __xmmword_ptr[r12 + Aligned()]); break;
            }
        }

        private void Move()
        {
            switch (random.Next(14))
            {
                case 0: _c.movapd(Any(), Any()); break;
                case 1: _c.movsd(Any(), Any()); break;
                case 2: _c.movss(Any(), Any()); break;
                case 3: _c.movsd(Any(), __qword_ptr[r12 + Aligned()]); break;
                case 4: _c.movss(Any(), __dword_ptr[r12 + Aligned()]); break;
                case 5: _c.movsd(__qword_ptr[r12 + Aligned()], Any()); break;
                case 6: _c.movaps(__xmmword_ptr[r12 + Aligned()], Any()); break;
                case 7: _c.movhpd(Any(), __qword_ptr[r12 + Aligned()]); break;
                case 8: _c.movlpd(Any(), __qword_ptr[r12 + Aligned()]); break;
                case 9: _c.movhps(__qword_ptr[r12 + Aligned()], Any()); break;
                case 10: _c.movq(Any(), rax); break;
                case 11: _c.movq(rax, Any()); break;
                case 12: _c.movd(Any(), eax); break;
                default: _c.movq(Any(), Any()); break;
            }
        }

        private void Integer()
        {
            AssemblerRegisterXMM register = Any();
            switch (random.Next(14))
            {
                case 0: _c.pxor(register, register); break;
                case 1: _c.pcmpeqd(register, register); break;
                case 2: _c.xorps(register, register); break;
                case 3: _c.psubq(register, register); break;
                case 4: _c.movapd(register, Any()); _c.pxor(Any(), register); break;
                case 5: _c.andpd(Any(), __xmmword_ptr[r12 + Aligned()]); break;
                case 6: _c.pcmpeqw(register, register); _c.psllq(register, 54); _c.psrlq(register, 2); break;
                case 7: _c.mov(rax, 0x3ff0000000000000); _c.movq(register, rax); break;
                case 8: _c.psllw(register, (byte)random.Next(20)); break;
                case 9: _c.psrad(register, (byte)random.Next(40)); break;
                case 10: _c.pshufd(register, Any(), (byte)random.Next(256)); break;
                case 11: _c.unpcklpd(register, Any()); break;
                case 12: _c.shufps(register, Any(), (byte)random.Next(256)); break;
                default: _c.pinsrw(register, eax, (byte)random.Next(8)); break;
            }
        }

        private void Convert()
        {
            switch (random.Next(12))
            {
                case 0: _c.cvtsi2sd(Any(), eax); break;
                case 1: _c.cvtsi2ss(Any(), rax); break;
                case 2: _c.cvttsd2si(rax, Any()); break;
                case 3: _c.cvttss2si(eax, Any()); break;
                case 4: _c.cvtsd2si(eax, __qword_ptr[r12 + Aligned()]); break;
                case 5: _c.cvtss2sd(Any(), Any()); break;
                case 6: _c.cvtsd2ss(Any(), Any()); break;
                case 7: _c.cvtps2dq(Any(), Any()); break;
                case 8: _c.cvttpd2dq(Any(), Any()); break;
                case 9: _c.cvtdq2ps(Any(), __xmmword_ptr[r12 + Aligned()]); break;
                case 10: _c.mov(eax, 16777217); _c.cvtsi2ss(Any(), eax); break;
                default: _c.movmskpd(eax, Any()); break;
            }
        }

        private void Branch()
        {
            Label over = _c.CreateLabel();
            if (random.Next(2) == 0)
            {
                _c.comisd(Any(), Any());
            }
            else
            {
                _c.ucomiss(Any(), Any());
            }

            switch (random.Next(9))
            {
                case 0: _c.ja(over); break;
                case 1: _c.jb(over); break;
                case 2: _c.jae(over); break;
                case 3: _c.jbe(over); break;
                case 4: _c.jp(over); break;
                case 5: _c.jne(over); break;
                case 6: _c.seta(al); break;
                case 7: _c.cmovle(rax, r12); break;
                default: break;
            }

            Body(random.Next(3));
            _c.Label(ref over);
            _c.nop();
        }
    }
}
