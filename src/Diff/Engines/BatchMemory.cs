using System.Buffers.Binary;
using Emu.Core.Cpu;
using Emu.Diff.Cases;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Diff.Engines;

/// <summary>What the exception stubs of a virtual machine do.</summary>
internal enum ExceptionStubs
{
    /// <summary>HLT: the engine sees the exit, and sends the machine back to user code.</summary>
    Halt,

    /// <summary>Fill the cells and return to user code themselves.</summary>
    Return,
}

/// <summary>
/// The memory of an engine that is a virtual machine: driver, system tables and exception stubs in 2 MiB of guest-physical memory, mapped at
/// <see cref="CaseLayout.Base"/>.
/// </summary>
internal static class BatchMemory
{
    private const int StubSize = 16;
    private const int Vectors = 32;
    private const int CommonStub = CaseLayout.StubOffset + (Vectors * StubSize);
    private const int IretFrame = CommonStub + 256;
    private const int ChangeStub = CommonStub + 512;
    private const int RestoreStub = ChangeStub + 64;
    private const ulong Cr0 = 0x8005_0033; // PG, AM, WP, NE, ET, MP, PE
    private const ulong Cr4 = 0x4_0620; // OSXSAVE, OSXMMEXCPT, OSFXSR, PAE
    private const int TssLimit = 0x2068;
    private const ushort KernelCode = 8;
    private const ushort TssSelector = 0x38;

    /// <summary>Writes everything but cases to <paramref name="memory"/>.</summary>
    public static void Initialize(Span<byte> memory, DriverCode driver, ExceptionStubs stubs)
    {
        driver.Bytes.CopyTo(memory);
        WritePageTables(memory);
        WriteGdt(memory);
        WriteStubs(memory, driver, stubs);
        Write(memory, CaseLayout.TssOffset + 4, CaseLayout.Base + CaseLayout.KernelStackTop);
        BinaryPrimitives.WriteUInt16LittleEndian(memory[(CaseLayout.TssOffset + 0x66)..], 0x68); // an I/O map of zeros: all ports allowed
        memory[CaseLayout.TssOffset + TssLimit] = 0xff;
        FillReadOnlyPage(memory);
    }

    /// <summary>The same bytes on every engine.</summary>
    public static void FillReadOnlyPage(Span<byte> memory)
    {
        var random = new CaseRandom(0x5eed);
        for (int i = 0; i < CaseLayout.PageSize; i += 8)
        {
            Write(memory, (CaseLayout.ReadOnlyPage * CaseLayout.PageSize) + i, random.Value());
        }
    }

    /// <summary>The vCPU at the start of the driver.</summary>
    public static X86State StartState(DriverCode driver)
    {
        var data = new SegmentState(DriverCode.DataSelector, 0, 0xffff_ffff, 0xc0f3);
        var state = new X86State
        {
            Rip = DriverCode.Start,
            Rflags = 0x202, // user code cannot change IF, so PUSHF and frames show what is set here; natively it is set
            Cr0 = Cr0,
            Cr3 = CaseLayout.PageTableOffset,
            Cr4 = Cr4,
            Xcr0 = 7,
            Segments = [data, new SegmentState(DriverCode.Code64Selector, 0, 0xffff_ffff, 0xa0fb), data, data, data with { Selector = 0 }, data with { Selector = 0 }],
            Ldtr = new SegmentState(0, 0, 0xffff, 0x82),
            Tr = new SegmentState(TssSelector, CaseLayout.Base + CaseLayout.TssOffset, TssLimit, 0x8b),
            Gdtr = new DescriptorTableState(CaseLayout.Base + CaseLayout.GdtOffset, 0x57),
            Idtr = new DescriptorTableState(CaseLayout.Base + CaseLayout.IdtOffset, ((DriverCode.RestoreControl + 1) * 16) - 1),
        };
        state.Gpr[4] = CaseLayout.Base + DriverCells.Stack;
        state.Dr[4] = 0xffff_0ff0;
        state.Dr[5] = 0x400;
        state.Msrs[0xc000_0080] = 0xd01; // NXE, LMA, LME, SCE
        BinaryPrimitives.WriteUInt16LittleEndian(state.Xsave, 0x37f);
        BinaryPrimitives.WriteUInt32LittleEndian(state.Xsave.AsSpan(24), 0x1f80);
        return state;
    }

    /// <summary>The vector whose stub <paramref name="rip"/> lies in, or -1.</summary>
    public static int VectorAt(ulong rip)
    {
        ulong offset = rip - CaseLayout.Base - CaseLayout.StubOffset;
        return offset < Vectors * StubSize ? (int)(offset / StubSize) : -1;
    }

    /// <summary>True when the processor pushes an error code for <paramref name="vector"/> (SDM vol. 3, table 7-1).</summary>
    public static bool HasErrorCode(int vector) => vector is 8 or (>= 10 and <= 14) or 17 or 21;

    private static void WritePageTables(Span<byte> memory)
    {
        const int Table = CaseLayout.PageTableOffset;
        Write(memory, Table + ((int)(CaseLayout.Base >> 39) * 8), (Table + 0x1000) | 7);
        Write(memory, Table + 0x1000 + ((int)(CaseLayout.Base >> 30 & 511) * 8), (Table + 0x2000) | 7);
        Write(memory, Table + 0x2000 + ((int)(CaseLayout.Base >> 21 & 511) * 8), (Table + 0x3000) | 7);
        for (int page = 0; page < CaseLayout.Size / CaseLayout.PageSize; page++)
        {
            // Accessed and dirty from the start: an engine may or may not set them, and the tables are not compared.
            ulong flags = CaseLayout.AccessOf(page) switch { PageAccess.None => 0, PageAccess.Read => 0x25, PageAccess.System => 0x63, _ => 0x67 };
            Write(memory, Table + 0x3000 + (page * 8), flags == 0 ? 0 : ((ulong)page * CaseLayout.PageSize) | flags);
        }
    }

    private static void WriteGdt(Span<byte> memory)
    {
        const uint Tss = (uint)CaseLayout.Base + CaseLayout.TssOffset;
        ReadOnlySpan<ulong> descriptors =
        [
            0,
            0x00af_9b00_0000_ffff,
            0x00cf_9300_0000_ffff,
            0,
            0x00cf_fb00_0000_ffff,
            0x00cf_f300_0000_ffff,
            0x00af_fb00_0000_ffff,
            TssLimit | ((ulong)(Tss & 0xff_ffff) << 16) | (0x8bUL << 40) | ((ulong)(Tss >> 24) << 56),
            0,
            Narrow((uint)CaseLayout.Base + CaseLayout.SlotsOffset, 0xfb),
            Narrow((uint)CaseLayout.Base, 0xf3),
        ];
        for (int i = 0; i < descriptors.Length; i++)
        {
            Write(memory, CaseLayout.GdtOffset + (i * 8), descriptors[i]);
        }
    }

    // A 16-bit segment of 64 KiB.
    private static ulong Narrow(uint start, byte access) =>
        0xffff | ((ulong)(start & 0xff_ffff) << 16) | ((ulong)access << 40) | ((ulong)(start >> 24) << 56);

    private static void WriteStubs(Span<byte> memory, DriverCode driver, ExceptionStubs stubs)
    {
        for (int vector = 0; vector < Vectors; vector++)
        {
            int stub = CaseLayout.StubOffset + (vector * StubSize);
            // Breakpoint and overflow may be raised by instructions of user code.
            WriteGate(memory, vector, stub, fromUser: vector is 3 or 4);
            byte[] code = stubs == ExceptionStubs.Halt ? [0xf4, 0xeb, 0xfd] : ReturnStub(vector, stub);
            code.CopyTo(memory[stub..]);
        }

        ChangeControl().CopyTo(memory[ChangeStub..]);
        RestoreControl().CopyTo(memory[RestoreStub..]);
        WriteGate(memory, DriverCode.ChangeControl, ChangeStub, fromUser: true);
        WriteGate(memory, DriverCode.RestoreControl, RestoreStub, fromUser: true);
        if (stubs == ExceptionStubs.Return)
        {
            CommonReturn().CopyTo(memory[CommonStub..]);
            ReadOnlySpan<ulong> frame = [driver.FaultReturn, DriverCode.Code64Selector, 0x202, CaseLayout.Base + DriverCells.Stack, DriverCode.DataSelector];
            for (int i = 0; i < frame.Length; i++)
            {
                Write(memory, IretFrame + (i * 8), frame[i]);
            }
        }
    }

    private static void WriteGate(Span<byte> memory, int vector, int stub, bool fromUser)
    {
        ulong address = CaseLayout.Base + (ulong)stub;
        ulong type = fromUser ? 0xeeUL : 0x8e;
        Write(memory, CaseLayout.IdtOffset + (vector * 16), (address & 0xffff) | (KernelCode << 16) | (type << 40) | ((address >> 16 & 0xffff) << 48));
        Write(memory, CaseLayout.IdtOffset + (vector * 16) + 8, address >> 32);
    }

    // RBX: the record. RAX and RCX are free: the driver loads the case's registers later.
    private static byte[] ChangeControl()
    {
        var a = new Iced.Intel.Assembler(64);
        a.mov(rax, cr0);
        a.or(eax, __dword_ptr[rbx + CaseState.ControlOffset]);
        a.mov(cr0, rax);
        a.mov(ecx, __dword_ptr[rbx + CaseState.ControlOffset + 4]);
        a.not(ecx);
        a.mov(rax, cr4);
        a.and(eax, ecx);
        a.mov(cr4, rax);
        a.iretq();
        return Assemble(a, ChangeStub);
    }

    private static byte[] RestoreControl()
    {
        var a = new Iced.Intel.Assembler(64);
        a.mov(eax, (uint)Cr0);
        a.mov(cr0, rax);
        a.mov(eax, (uint)Cr4);
        a.mov(cr4, rax);
        a.iretq();
        return Assemble(a, RestoreStub);
    }

    private static byte[] Assemble(Iced.Intel.Assembler assembler, int offset)
    {
        using var stream = new MemoryStream();
        _ = assembler.Assemble(new Iced.Intel.StreamCodeWriter(stream), CaseLayout.Base + (ulong)offset);
        return stream.ToArray();
    }

    // push 0 (where the processor pushes no code); push vector; jmp common.
    private static byte[] ReturnStub(int vector, int stub)
    {
        byte[] head = HasErrorCode(vector) ? [0x6a, (byte)vector] : [0x6a, 0, 0x6a, (byte)vector];
        int distance = CommonStub - (stub + head.Length + 5);
        return [.. head, 0xe9, (byte)distance, (byte)(distance >> 8), (byte)(distance >> 16), (byte)(distance >> 24)];
    }

    private static byte[] CommonReturn()
    {
        var a = new Iced.Intel.Assembler(64);
        a.push(rax);
        a.mov(rax, cr2);
        Store(DriverCells.Address);
        foreach ((int offset, int cell) in (ReadOnlySpan<(int, int)>)[(8, DriverCells.Vector), (16, DriverCells.Error), (24, DriverCells.Rip),
            (40, DriverCells.Rflags), (48, DriverCells.Rsp)])
        {
            a.mov(rax, __[rsp + offset]);
            Store(cell);
        }

        a.pop(rax);
        a.mov(esp, (int)CaseLayout.Base + IretFrame);
        a.iretq();
        return Assemble(a, CommonStub);

        void Store(int cell) => a.mov(__qword_ptr[(long)CaseLayout.Base + cell], rax);
    }

    private static void Write(Span<byte> memory, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(memory[offset..], value);
}
