using Emu.Core.Cpu;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Jit;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;
using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>The places where compiled code must stop, and go on, exactly where tier 0 would.</summary>
public sealed unsafe class RegionEdgeTests : IDisposable
{
    private static readonly ulong Data = RegionRig.AddressOf(CaseLayout.DataPage);
    private static readonly ulong Code = RegionRig.AddressOf(CaseLayout.CodePage);

    private readonly RegionRig _rig = new();

    [Fact]
    public void Load_MissesInTheMiddle_TierZeroFinishesTheInstruction()
    {
        Region region = Prepare(c =>
        {
            c.add(rax, 5);
            c.mov(rbx, __[r12]);
            c.add(rax, rbx);
            c.jmp(RegionRig.AddressOf(15));
        });
        RegionOutcome expected = _rig.RunTier0(region);
        CompiledRegion code = RegionCompiler.Compile(region)!;
        _rig.Cpu.Mmu.Flush(includeGlobal: true);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, code)));
        Assert.Equal(4UL, Instructions(expected));
    }

    [Theory]
    [InlineData(CaseLayout.ReadOnlyPage, 0)]
    [InlineData(CaseLayout.ReadOnlyPage + 1, 0)]
    [InlineData(CaseLayout.ReadOnlyPage, -4)]
    public void Store_FaultsInTheMiddle_StateIsThatOfTheInstruction(int page, int offset)
    {
        Region region = Prepare(
            c =>
            {
                c.add(rax, 5);
                c.sub(rcx, rax);
                c.mov(__[r12], rax);
                c.add(rax, 1);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => gpr[12] = RegionRig.AddressOf(page) + (ulong)offset);
        RegionOutcome expected = _rig.RunTier0(region);

        RegionOutcome actual = _rig.RunRegion(region, RegionCompiler.Compile(region)!);

        Assert.Null(RegionRig.Compare(expected, actual));
        Assert.Equal((nint)(region.Blocks[0].Tier0 + 2), actual.Exit);
        Assert.Equal((int)LeaveReason.Fault, BitConverter.ToInt32(actual.State, 4));
    }

    [Fact]
    public void ReadModifyWrite_AcrossAPageEnd_ChangesBothPages()
    {
        Region region = Prepare(
            c =>
            {
                c.add(__qword_ptr[r12 - 3], rax);
                c.mov(rbx, __[r12 - 5]);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => gpr[12] = Data + 0x1000);
        RegionOutcome expected = _rig.RunTier0(region);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, RegionCompiler.Compile(region)!)));
    }

    /// <summary>One look at the TLB serves them all, unless a page ends between them; the unmapped page faults at its own access.</summary>
    [Theory]
    [InlineData(CaseLayout.DataPage, 0x200)]
    [InlineData(CaseLayout.DataPage, 0xfdc)]
    [InlineData(CaseLayout.DataPage, 0xff1)]
    [InlineData(CaseLayout.ReadOnlyPage - 1, 0xff0)]
    [InlineData(CaseLayout.ReadOnlyPage, 0xff0)]
    public void AccessesOffOneBase_AreThoseOfTierZero(int page, int offset)
    {
        Region region = Prepare(
            c =>
            {
                c.mov(rax, __[r12 + 8]);
                c.add(r12, 16);
                c.mov(ebx, __dword_ptr[r12 - 16]);
                c.lea(r13, __[r12 + 8]);
                c.movsx(rcx, __byte_ptr[r13 - 9]);
                c.mov(__[r13 - 8], rax);
                c.add(__dword_ptr[r13 - 8], ebx);
                c.mov(rdx, __[r12]);
                c.mov(__word_ptr[r12 + 3], dx);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => gpr[12] = RegionRig.AddressOf(page) + (ulong)offset);
        RegionOutcome expected = _rig.RunTier0(region);
        CompiledRegion code = RegionCompiler.Compile(region)!;

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, code)));
        _rig.Cpu.Mmu.Flush(includeGlobal: true);
        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, code)));
    }

    [Fact]
    public void AddressesModulo32Bits_AreFollowedThroughTheWrap()
    {
        var assembler = new Assembler(32);
        assembler.mov(eax, __dword_ptr[edi + esi * 4 + 0x40]);
        assembler.add(esi, -4);
        assembler.mov(edx, __dword_ptr[edi + esi * 4 + 0x40]);
        assembler.push(edx);
        assembler.push(eax);
        assembler.inc(edi);
        assembler.mov(ebx, __dword_ptr[edi + esi * 4 + 0x50]);
        assembler.ret();
        X86State state = RegionRig.Flat32();
        (state.Gpr[6], state.Gpr[7]) = (2, (uint)Data + 0x200);
        Region region = Prepare(assembler, state);
        RegionOutcome expected = _rig.RunTier0(region);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, RegionCompiler.Compile(region)!)));
    }

    [Fact]
    public void DeviceRegisters_AreAccessedOnce()
    {
        Region region = Prepare(
            c =>
            {
                c.mov(eax, __dword_ptr[r12]);
                c.add(__dword_ptr[r12 + 4], ebx);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => gpr[12] = RegionRig.AddressOf((int)RegionRig.DevicePage));
        RegionOutcome expected = _rig.RunTier0(region);
        (int reads, List<ulong> written) = (_rig.Device.Reads, [.. _rig.Device.Written]);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, RegionCompiler.Compile(region)!)));

        Assert.Equal(reads, _rig.Device.Reads);
        Assert.Equal(written, _rig.Device.Written);
        Assert.Single(written);
    }

    [Fact]
    public void ExitRequest_AtABackEdge_LeavesAfterOneIteration()
    {
        Region region = Prepare(
            c =>
            {
                Label top = c.CreateLabel();
                c.Label(ref top);
                c.add(rax, 3);
                c.dec(rcx);
                c.jnz(top);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => gpr[1] = 1UL << 40);
        _rig.Header->ExitRequest = 1;
        _rig.Remember();
        RegionOutcome expected = _rig.RunTier0(region);

        RegionOutcome actual = _rig.RunRegion(region, RegionCompiler.Compile(region)!);

        Assert.Null(RegionRig.Compare(expected, actual));
        Assert.Equal(3UL, Instructions(actual));
    }

    [Fact]
    public void IndirectJump_KnownTarget_GoesThroughTheJumpCache()
    {
        Region region = Prepare(c =>
        {
            c.add(rax, 3);
            c.jmp(rbx);
        });
        _rig.Cpu.State->Gpr[X86Gpr.Rbx] = Code + 0x100;
        _rig.Remember();
        Op* target = stackalloc Op[1];
        *target = *(region.Blocks[0].Tier0 + region.Blocks[0].Ops.Length - 1);
        IrOp exit = new() { Opcode = IrOpcode.Exit };
        target->Handler = HandlerTable.For(exit);
        target->Dst = 100;
        ref JumpCacheEntry entry = ref _rig.JumpCache[JumpCacheEntry.IndexOf(Code + 0x100)];
        (entry.Pc, entry.ModeKey, entry.Code) = (Code + 0x100, _rig.Header->ModeKey, (nint)target);
        RegionOutcome expected = _rig.RunTier0(region);

        RegionOutcome actual = _rig.RunRegion(region, RegionCompiler.Compile(region)!);

        Assert.Null(RegionRig.Compare(expected, actual));
        Assert.Equal(102UL, Instructions(actual));
    }

    [Fact]
    public void Exit_FirstInstruction_IsNotCompiled()
    {
        Region region = Prepare(c => c.sti());

        Assert.Null(RegionCompiler.Compile(region));
    }

    [Fact]
    public void HelperFaults_InALaterBlock_CountsTheBlocksBefore()
    {
        Region region = Prepare(
            c =>
            {
                Label over = c.CreateLabel();
                c.add(rax, 3);
                c.jz(over);
                c.nop();
                c.Label(ref over);
                c.add(rbx, rax);
                c.xor(edx, edx);
                c.div(rdx);
                c.jmp(RegionRig.AddressOf(15));
            });
        RegionOutcome expected = _rig.RunTier0(region);

        RegionOutcome actual = _rig.RunRegion(region, RegionCompiler.Compile(region)!);

        Assert.True(expected.Threw);
        Assert.Null(RegionRig.Compare(expected, actual));
    }

    [Fact]
    public void FlatCode32_WrapsAddressesAndAddsSegments()
    {
        var assembler = new Assembler(32);
        Label top = assembler.CreateLabel();
        assembler.Label(ref top);
        assembler.mov(eax, __dword_ptr[edi + esi * 4 + 0x40]);
        assembler.mov(__dword_ptr.gs[edi], eax);
        assembler.push(eax);
        assembler.add(ah, cl);
        assembler.pop(edx);
        assembler.dec(ecx);
        assembler.jnz(top);
        assembler.ret();
        X86State state = RegionRig.Flat32();
        (state.Gpr[1], state.Gpr[6], state.Gpr[7]) = (5, 0x4000_0000, (uint)Data + 0x200);
        state.Gpr[6] = 0xffff_fff0;
        Region region = Prepare(assembler, state);
        RegionOutcome expected = _rig.RunTier0(region);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, RegionCompiler.Compile(region)!)));
        Assert.True(Instructions(expected) > 30);
    }

    [Fact]
    public void RepeatedString_LoopsInsideTheRegion()
    {
        Region region = Prepare(
            c =>
            {
                c.add(rcx, 1);
                c.rep.movsb();
                c.mov(rbx, rdi);
                c.jmp(RegionRig.AddressOf(15));
            },
            gpr => (gpr[1], gpr[6], gpr[7]) = (300, Data + 0xf80, Data + 0x20));
        RegionOutcome expected = _rig.RunTier0(region);

        Assert.Null(RegionRig.Compare(expected, _rig.RunRegion(region, RegionCompiler.Compile(region)!)));
    }

    public void Dispose() => _rig.Dispose();

    private static ulong Instructions(RegionOutcome outcome) => BitConverter.ToUInt64(outcome.State, 0x10);

    private Region Prepare(Action<Assembler> code, Action<ulong[]>? registers = null)
    {
        var assembler = new Assembler(64);
        code(assembler);
        X86State state = RegionRig.LongMode();
        state.Gpr[12] = Data + 0x100;
        registers?.Invoke(state.Gpr);
        return Prepare(assembler, state);
    }

    private Region Prepare(Assembler assembler, X86State state)
    {
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), Code);
        stream.ToArray().CopyTo(_rig.Page(CaseLayout.CodePage));
        new Random(3).NextBytes(_rig.Page(CaseLayout.DataPage, 2));
        _rig.Begin(state);
        return _rig.Build();
    }
}
