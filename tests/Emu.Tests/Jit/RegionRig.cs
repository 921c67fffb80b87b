using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Jit;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;
using Emu.Diff.Cases;
using Emu.Tests.Tcg;

namespace Emu.Tests.Jit;

/// <summary>How a run of translated code ended.</summary>
/// <param name="State">The state block.</param>
/// <param name="Memory">Data and stack pages.</param>
/// <param name="Exit">The op returned, or the current one after a thrown fault.</param>
/// <param name="Threw">A helper threw.</param>
/// <param name="Fault">The recorded fault.</param>
internal sealed record RegionOutcome(byte[] State, byte[] Memory, nint Exit, bool Threw, X86Fault Fault);

/// <summary>
/// Lifts code, makes tier-0 ops and a region of it, and runs either from the same state. Linear addresses from <see cref="Base"/> have the
/// pages of <see cref="CaseLayout"/>; a page of device registers follows them.
/// </summary>
internal sealed unsafe class RegionRig : IDisposable
{
    public const ulong Base = 0x4000_0000;
    public const ulong DevicePage = 14;
    private const ulong Physical = 0x110000;
    private const int ComparedPages = 6; // data, read-only, unmapped, stack

    private readonly GuestRam _ram = new("ram", 2 << 20);
    private readonly AddressSpace _memory;
    private readonly IGuestFrontend _frontend;
    private readonly CodeArena _arena = new(int.MaxValue);
    private readonly IrBlock _ir = new();
    private readonly byte[] _start = new byte[X86CpuState.Size];
    private readonly byte[] _startMemory = new byte[ComparedPages * CaseLayout.PageSize];
    private readonly JumpCacheEntry* _jumpCache;

    public RegionRig(bool isUniprocessor = false)
    {
        var machineLock = new MachineLock();
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        root.Add(0x1000_0000, MemoryRegion.OfIo("device", 0x1000, Device, IoAccess.UpToDword));
        _memory = new AddressSpace("memory", root, machineLock);
        var ports = new AddressSpace("ports", MemoryRegion.Container("ports", 0x10000), machineLock);
        Cpu = new X86Cpu(new X86CpuEnvironment(0, _memory, ports, new FakeApic(), new ManualClock(), CpuModel.Parse("max")) { IsUniprocessor = isUniprocessor });
        _frontend = X86Frontend.Create(Cpu, _memory);
        _jumpCache = (JumpCacheEntry*)NativeMemory.AlignedAlloc((nuint)(JumpCacheEntry.Count * sizeof(JumpCacheEntry)), 64);
        ClearJumpCache();
        Cpu.State->Header.JumpCache = _jumpCache;
        MapMemory();
    }

    public X86Cpu Cpu { get; }

    public DeviceStub Device { get; } = new();

    public CpuHeader* Header => &Cpu.State->Header;

    public JumpCacheEntry* JumpCache => _jumpCache;

    public static ulong AddressOf(int page) => Base + ((ulong)page * CaseLayout.PageSize);

    public Span<byte> Page(int page, int count = 1) => _ram.Slice(Physical + (ulong)(page * CaseLayout.PageSize), count * CaseLayout.PageSize);

    /// <summary>64-bit mode at CPL 0, write protection on.</summary>
    public static X86State LongMode()
    {
        using var bench = new TcgBench();
        X86State state = bench.LongModeState();
        state.Gpr[4] = AddressOf(CaseLayout.StackPage + 1);
        return state with { Cr0 = state.Cr0 | 0x10000, Cr4 = state.Cr4 | (1 << 18), Xcr0 = 7, Rip = AddressOf(CaseLayout.CodePage) };
    }

    /// <summary>Flat 32-bit code with the same page tables.</summary>
    public static X86State Flat32()
    {
        X86State state = LongMode();
        SegmentState[] segments = [.. state.Segments];
        segments[1] = new SegmentState(8, 0, 0xffffffff, 0xc09b);
        segments[5] = new SegmentState(0x10, 0x100, 0xffffffff, 0xc093);
        state.Gpr[4] = (uint)state.Gpr[4];
        return state with { Segments = segments };
    }

    /// <summary>Sets the state that runs begin with; memory as it is now.</summary>
    public void Begin(X86State state)
    {
        Cpu.SetState(state);
        Header->JumpCache = _jumpCache;
        Remember();
    }

    /// <summary>Makes the state and memory as they are now what runs begin with.</summary>
    public void Remember()
    {
        new Span<byte>(Cpu.State, X86CpuState.Size).CopyTo(_start);
        Compared().CopyTo(_startMemory);
    }

    /// <summary>The region of all blocks that are reached from the program counter inside its page.</summary>
    public Region Build(int maxBlocks = 40, int maxInstructions = IrBlock.MaxInstructions, bool allEntries = false)
    {
        ulong entry = Header->Pc;
        List<ulong> order = [entry];
        var lifted = new List<(ulong Pc, IrOp[] Ops, nint Code, ushort[] Instructions, ulong Mask)>();
        for (int i = 0; i < order.Count; i++)
        {
            lifted.Add(Lift(order[i], maxInstructions));
            foreach ((_, ulong target) in JumpsOf(lifted[i].Ops, lifted[i].Pc, lifted[i].Mask))
            {
                if ((target ^ entry) >> 12 == 0 && !order.Contains(target) && order.Count < maxBlocks)
                {
                    order.Add(target);
                }
            }
        }

        Header->Pc = entry;
        RegionBlock[] blocks = new RegionBlock[order.Count];
        for (int i = 0; i < blocks.Length; i++)
        {
            (ulong pc, IrOp[] ops, nint code, ushort[] instructions, ulong mask) = lifted[i];
            var edges = new List<RegionEdge>();
            foreach ((int op, ulong target) in JumpsOf(ops, pc, mask))
            {
                int number = order.IndexOf(target);
                edges.Add(new RegionEdge(op, number, number >= 0 && target <= pc));
                ((Op*)code)[op].Target = number >= 0 ? lifted[number].Code : 0;
            }

            blocks[i] = new RegionBlock { Pc = pc, Ops = ops, Tier0 = (Op*)code, Instructions = instructions, Edges = [.. edges] };
        }

        return new Region { Blocks = blocks, PcMask = lifted[0].Mask, Entries = allEntries ? [.. Enumerable.Range(0, blocks.Length)] : [0] };
    }

    /// <summary>Runs code from the state of <see cref="Begin"/>.</summary>
    /// <param name="code">Address of a function like a tier-0 handler.</param>
    /// <param name="op">The op it stands for.</param>
    /// <param name="region">The region it belongs to.</param>
    public RegionOutcome Run(nint code, Op* op, Region region)
    {
        Reset();
        nint exit;
        bool threw = false;
        try
        {
            exit = (nint)((delegate*<Op*, byte*, Op*>)code)(op, (byte*)Cpu.State);
        }
        catch (GuestFaultException)
        {
            threw = true;
            exit = Header->CurrentOp;
        }

        if (!threw && exit != 0 && Header->Leave == LeaveReason.BlockEnd && TargetOf(region, (Op*)exit) is ulong target)
        {
            (exit, Header->Pc) = (0, target);
        }

        // A conditional jump to another page returns to the engine to be looked up in tier 0, and is looked up by a region.
        Header->Leave = Header->Leave == LeaveReason.Lookup ? LeaveReason.BlockEnd : Header->Leave;

        return new RegionOutcome(new Span<byte>(Cpu.State, X86CpuState.Size).ToArray(), Compared().ToArray(), exit, threw, Cpu.PendingFault);
    }

    public RegionOutcome RunTier0(Region region, int block = 0) => Run(region.Blocks[block].Tier0->Handler, region.Blocks[block].Tier0, region);

    public RegionOutcome RunRegion(Region region, CompiledRegion compiled, int block = 0) => Run(compiled.Entry, region.Blocks[block].Tier0 - 1, region);

    /// <summary>Back to the state and memory of <see cref="Begin"/>; the TLB stays.</summary>
    public void Reset()
    {
        _start.CopyTo(new Span<byte>(Cpu.State, X86CpuState.Size));
        _startMemory.CopyTo(Compared());
        Cpu.PendingFault = default;
        Device.Reset();
    }

    /// <summary>What differs between two outcomes, or null.</summary>
    public static string? Compare(RegionOutcome expected, RegionOutcome actual)
    {
        var text = new StringBuilder();
        if (expected.Exit != actual.Exit || expected.Threw != actual.Threw || !expected.Fault.Equals(actual.Fault))
        {
            text.Append(CultureInfo.InvariantCulture, $"end: {expected.Exit:x} {expected.Threw} {expected.Fault}, {actual.Exit:x} {actual.Threw} {actual.Fault}\n");
        }

        fixed (byte* e = expected.State, a = actual.State)
        {
            ulong expectedFlags = LazyFlags.Evaluate((CpuHeader*)e);
            ulong actualFlags = LazyFlags.Evaluate((CpuHeader*)a);
            if (expectedFlags != actualFlags)
            {
                text.Append(CultureInfo.InvariantCulture, $"flags: {expectedFlags:x}, {actualFlags:x}\n");
            }

            for (int offset = 0; offset < X86CpuState.Size; offset += 8)
            {
                if (IsCompared(offset) && *(ulong*)(e + offset) != *(ulong*)(a + offset))
                {
                    text.Append(CultureInfo.InvariantCulture, $"state {offset:x}: {*(ulong*)(e + offset):x}, {*(ulong*)(a + offset):x}\n");
                }
            }
        }

        int memory = expected.Memory.AsSpan().CommonPrefixLength(actual.Memory);
        if (memory != expected.Memory.Length)
        {
            text.Append(CultureInfo.InvariantCulture, $"memory {memory:x}: {expected.Memory[memory]:x}, {actual.Memory[memory]:x}\n");
        }

        return text.Length == 0 ? null : text.ToString();
    }

    public void ClearJumpCache()
    {
        for (int i = 0; i < JumpCacheEntry.Count; i++)
        {
            _jumpCache[i] = new JumpCacheEntry { ModeKey = JumpCacheEntry.NoMode };
        }
    }

    public void Dispose()
    {
        Cpu.Dispose();
        _arena.Dispose();
        _ram.Dispose();
        NativeMemory.AlignedFree(_jumpCache);
    }

    // The lazy triple is compared by value; temporaries are nobody's, and the page is that of relative blocks alone.
    private static bool IsCompared(int offset) =>
        offset is not ((>= 0x40 and < 0x60) or (>= CpuHeader.PcPageSlot and < CpuHeader.Size) or 0x18)
        && offset is not (>= CpuHeader.ScalarEnd + (CpuHeader.VectorTemporary * CpuHeader.VectorStride) and < CpuHeader.VectorEnd)
        && offset is not (>= CpuHeader.UnusedVectorSlot and < CpuHeader.UnusedVectorSlot + CpuHeader.VectorStride);

    private static IEnumerable<(int Op, ulong Target)> JumpsOf(IrOp[] ops, ulong pc, ulong mask)
    {
        for (int i = 0; i < ops.Length; i++)
        {
            if (ops[i].Opcode is IrOpcode.Jump or IrOpcode.JumpIf or IrOpcode.CompareJump or IrOpcode.TestJump)
            {
                yield return (i, IrBlock.JumpTarget(pc, mask, ops[i].Imm));
            }
        }
    }

    // As the engine does with a jump it cannot link; regions look those that leave the page up at once.
    private static ulong? TargetOf(Region region, Op* exit)
    {
        foreach (RegionBlock block in region.Blocks)
        {
            long index = exit - block.Tier0;
            if (index >= 0 && index < block.Ops.Length)
            {
                ulong target = IrBlock.JumpTarget(block.Pc, region.PcMask, block.Ops[index].Imm);
                return (target ^ block.Pc) >> 12 != 0 ? target : null;
            }
        }

        return null;
    }

    private (ulong Pc, IrOp[] Ops, nint Code, ushort[] Instructions, ulong Mask) Lift(ulong pc, int maxInstructions)
    {
        Header->Pc = pc;
        Assert.True(_frontend.TryGetFetchAddress(out ulong linear));
        Assert.True(Cpu.Mmu.TryTranslateCode(linear, out PageTranslation page));
        Assert.True(_frontend.TryLift(_ir, pc, (page.PhysicalPage & ~0xfffUL) | (linear & 0xfff), maxInstructions));
        IrOptimizer.Run(_ir);
        IrOp[] ops = [.. _ir.Ops.ToArray().Where(op => op.Opcode != IrOpcode.Nop)];
        Op* code = _arena.Allocate(ops.Length + 2 + JumpHistory.Ops);
        *code = default; // the head
        code++;
        for (int i = 0; i < ops.Length; i++)
        {
            OpEncoder.Encode(ops[i], code + i, _ir);
        }

        code[ops.Length] = default;
        if (ops[^1].Opcode == IrOpcode.JumpIndirect)
        {
            JumpHistory.Attach(code + ops.Length - 1, code + ops.Length + 1);
        }

        var instructions = new ushort[_ir.InstructionCount];
        for (int i = 0; i < instructions.Length; i++)
        {
            int first = _ir.Instructions[i].FirstOp;
            instructions[i] = (ushort)_ir.Ops[..first].ToArray().Count(op => op.Opcode != IrOpcode.Nop);
        }

        return (pc, ops, (nint)code, instructions, _ir.PcMask);
    }

    private Span<byte> Compared() => Page(CaseLayout.DataPage, ComparedPages);

    // Long-mode tables at 100000h as TcgBench has them, with 4 KiB pages for the snippets' memory.
    private void MapMemory()
    {
        _ram.WriteValue(0x100000, 0x101000 | 7, 8);
        _ram.WriteValue(0x101000, 0x102000 | 7, 8);
        _ram.WriteValue(0x102000, 0x87, 8);
        _ram.WriteValue(0x101000 + ((Base >> 30) * 8), 0x104000 | 7, 8);
        _ram.WriteValue(0x104000, 0x103000 | 7, 8);
        for (int page = 0; page < CaseLayout.Pages; page++)
        {
            ulong flags = page switch
            {
                CaseLayout.ReadOnlyPage => 0x65,
                0 or 1 or 4 or CaseLayout.ReadOnlyPage + 1 or CaseLayout.StackPage + 2 => 0,
                _ => 0x67,
            };
            ulong physical = (ulong)page == DevicePage ? 0x1000_0000 : Physical + (ulong)(page * CaseLayout.PageSize);
            _ram.WriteValue(0x103000 + ((ulong)page * 8), flags == 0 ? 0 : physical | flags, 8);
        }
    }

    /// <summary>A register that counts its accesses.</summary>
    internal sealed class DeviceStub : IIoHandler
    {
        public int Reads { get; private set; }

        public List<ulong> Written { get; } = [];

        public void Reset()
        {
            Reads = 0;
            Written.Clear();
        }

        public ulong Read(ulong offset, int size) => 0x11223344UL + (ulong)Reads++;

        public void Write(ulong offset, ulong value, int size) => Written.Add(value);
    }
}
