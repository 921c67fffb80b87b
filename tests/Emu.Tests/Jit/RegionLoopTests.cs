using System.Globalization;
using System.Text;
using Emu.Core.Cpu;
using Emu.Jit.Regions;
using Emu.Diff.Cases;

namespace Emu.Tests.Jit;

/// <summary>Random programs with nested loops as one region against tier 0 (see <see cref="RegionSnippetTests"/> for the number of cases).</summary>
public sealed unsafe class RegionLoopTests : IDisposable
{
    private readonly RegionRig _rig = new();

    [Fact]
    public void RandomLoops_EndAsInTier0() => Run(allEntries: false);

    [Fact]
    public void RandomLoops_EnteredAnywhere_EndAsInTier0() => Run(allEntries: true);

    public void Dispose() => _rig.Dispose();

    private void Run(bool allEntries)
    {
        X86State template = RegionRig.LongMode();
        ulong entry = RegionRig.AddressOf(CaseLayout.CodePage);
        var reports = new StringBuilder();
        int mismatches = 0;
        ulong cases = RegionSnippetTests.Cases;
        for (ulong seed = RegionSnippetTests.FirstSeed; seed < RegionSnippetTests.FirstSeed + cases; seed++)
        {
            byte[] code = new RegionProgram(seed).Assemble(entry, RegionRig.AddressOf(15));
            code.CopyTo(_rig.Page(CaseLayout.CodePage, 2));
            _rig.Begin(StateFor(template, seed, entry));
            Region region = _rig.Build(allEntries: allEntries);
            int block = allEntries ? (int)(seed % (uint)region.Blocks.Length) : 0;
            if (Differs(region, RegionCompiler.Compile(region)!, block) is string difference && mismatches++ < 3)
            {
                reports.Append(CultureInfo.InvariantCulture, $"seed {seed}, from {region.Blocks[block].Pc:x}:\n{Disassemble(code, entry)}{difference}");
            }
        }

        Assert.True(mismatches == 0, $"{mismatches} of {cases} differ:\n{reports}");
    }

    private string? Differs(Region region, CompiledRegion compiled, int block)
    {
        RegionOutcome expected = _rig.RunTier0(region, block);
        if (RegionRig.Compare(expected, _rig.RunRegion(region, compiled, block)) is string warm)
        {
            return warm;
        }

        _rig.Cpu.Mmu.Flush(includeGlobal: true);
        return RegionRig.Compare(expected, _rig.RunRegion(region, compiled, block));
    }

    private X86State StateFor(X86State template, ulong seed, ulong entry)
    {
        var random = new CaseRandom(seed);
        new Random((int)seed).NextBytes(_rig.Page(CaseLayout.DataPage, 2));
        var state = template with { Rip = entry, Rflags = (random.Next() & 0x8d5) | 2, Gpr = [.. Enumerable.Range(0, 16).Select(_ => random.Value())] };
        state.Gpr[4] = template.Gpr[4];
        state.Gpr[14] = 1 + (random.Next() & 7);
        state.Gpr[15] = 1 + (random.Next() & 7);
        state.Gpr[12] = RegionRig.AddressOf(CaseLayout.DataPage) + 1024;
        state.Gpr[13] = RegionRig.AddressOf(CaseLayout.DataPage + 1) + 512; // some below: across the page end
        return state;
    }

    private static string Disassemble(byte[] code, ulong address)
    {
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(64, code, address);
        var text = new StringBuilder();
        while (decoder.IP < address + (uint)code.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"{decoder.IP:x} {decoder.Decode()}\n");
        }

        return text.ToString();
    }
}
