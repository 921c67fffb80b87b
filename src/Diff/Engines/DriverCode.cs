using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Diff.Engines;

/// <summary>
/// The user-mode code around cases, the same on every engine: loads memory windows and registers from a record, jumps to the case, stores
/// everything back, takes the next record. 64-bit code at privilege level 3; cases of other modes are entered by a far jump.
/// </summary>
internal sealed partial class DriverCode
{
    /// <summary>
    /// Selectors as Linux has them: code of 32 and of 64 bits, data; code and data of 16 bits for virtual machines, and the same in a process's
    /// local descriptor table.
    /// </summary>
    public const ushort Code32Selector = 0x23;

    public const ushort DataSelector = 0x2b;
    public const ushort Code64Selector = 0x33;
    public const ushort Code16Selector = 0x4b;
    public const ushort Data16Selector = 0x53;
    public const ushort LocalCode16Selector = 0x07;
    public const ushort LocalData16Selector = 0x0f;

    /// <summary>Port whose write ends a batch.</summary>
    public const byte ExitPort = 0xf4;

    private static readonly AssemblerRegister64[] General = [rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15];
    private static readonly AssemblerRegister64[] Preserved = [rbx, rbp, r12, r13, r14, r15];
    private const int Vectors = 16;
    private readonly int _bitness;
    private readonly bool _native;
    private readonly bool _controls;

    private DriverCode(int bitness, bool native, bool controls)
    {
        _bitness = bitness;
        _native = native;
        _controls = controls;
    }

    /// <summary>The code, for the start of the memory.</summary>
    public byte[] Bytes { get; private set; } = [];

    /// <summary>Where a batch begins. Native: callable with the C convention, no arguments.</summary>
    public static ulong Start => CaseLayout.Base;

    /// <summary>Where the next record is taken.</summary>
    public ulong Next { get; private set; }

    /// <summary>Where a case has to jump at its end.</summary>
    public static ulong Return => CaseLayout.Base + ReturnOffset;

    /// <summary>Where a case goes on after an exception, with the cells filled and all registers but RSP and RFLAGS as they were.</summary>
    public ulong FaultReturn { get; private set; }

    /// <summary>Signal handler of native engines.</summary>
    public ulong SignalHandler { get; private set; }

    // Fixed, so that the same bytes of a case return on every engine.
    private const int ReturnOffset = 0x400;

    /// <summary>Interrupts of privilege level 0 that change the control registers for a case, and put them right behind it.</summary>
    public const byte ChangeControl = 0x20;

    public const byte RestoreControl = 0x21;

    /// <summary>Assembles the driver for cases of <paramref name="bitness"/> bits; with <paramref name="controls"/> it sees to <see cref="CaseState.Control"/>.</summary>
    public static DriverCode Create(int bitness, bool native, bool controls)
    {
        var driver = new DriverCode(bitness, native, controls);
        driver.Assemble();
        return driver;
    }

    private static AssemblerMemoryOperand Cell(int offset) => __qword_ptr[(long)CaseLayout.Base + offset];

    private static AssemblerRegisterYMM YmmOf(int number) => new(Register.YMM0 + number);

    private static AssemblerMemoryOperand UpperOf(int number) => __xmmword_ptr[rbx + CaseState.UpperVectorOffset + (16 * number)];

    private static AssemblerMemoryOperand GprOf(int register) => __qword_ptr[rbx + CaseState.GprOffset + (register * 8)];

    private void Assemble()
    {
        var front = new Assembler(64);
        Label next = front.CreateLabel();
        EmitStart(front);
        front.Label(ref next);
        EmitLoad(front);
        byte[] head = Encode(front, CaseLayout.Base, next, out ulong nextAddress);
        Next = nextAddress;
        var back = new Assembler(64);
        Label fault = back.CreateLabel();
        EmitReturn(back, ref fault);
        byte[] tail = Encode(back, Return, fault, out ulong faultAddress);
        FaultReturn = faultAddress;
        SignalHandler = Return + (ulong)tail.Length;
        byte[] handler = _native ? EncodeHandler() : [];
        Bytes = new byte[ReturnOffset + tail.Length + handler.Length];
        head.CopyTo(Bytes, 0);
        tail.CopyTo(Bytes, ReturnOffset);
        handler.CopyTo(Bytes, ReturnOffset + tail.Length);
        if (head.Length > ReturnOffset || Bytes.Length > CaseLayout.PageSize)
        {
            throw new InvalidOperationException("The driver does not fit its page.");
        }
    }

    private static byte[] Encode(Assembler assembler, ulong address, Label label, out ulong labelAddress)
    {
        using var stream = new MemoryStream();
        AssemblerResult result = assembler.Assemble(new StreamCodeWriter(stream), address, BlockEncoderOptions.ReturnNewInstructionOffsets);
        labelAddress = result.GetLabelRIP(label);
        return stream.ToArray();
    }

    private void EmitStart(Assembler a)
    {
        if (!_native)
        {
            a.nop();
            return;
        }

        foreach (AssemblerRegister64 register in Preserved)
        {
            a.push(register);
        }

        a.mov(Cell(DriverCells.HostStack), rsp);
    }

    private void EmitLoad(Assembler a)
    {
        a.mov(rbx, Cell(DriverCells.Record));
        foreach ((int offset, int saved, int bytes, _) in CaseLayout.Windows)
        {
            a.lea(rsi, __[rbx + CaseRecord.MemoryOffset + saved]);
            a.mov(edi, (int)CaseLayout.Base + offset);
            a.mov(ecx, bytes / 8);
            a.rep.movsq();
        }

        a.mov(rax, __qword_ptr[rbx + CaseState.RipOffset]);
        a.mov(Cell(DriverCells.Entry), rax);
        if (_bitness != 64)
        {
            EmitSelectors(a);
        }

        a.fxrstor64(__[rbx]);
        for (int i = 0; i < Vectors; i++)
        {
            a.vinsertf128(YmmOf(i), YmmOf(i), UpperOf(i), 1);
        }

        a.mov(esp, (int)CaseLayout.Base + DriverCells.Stack);
        EmitControl(a, ChangeControl);
        a.push(__qword_ptr[rbx + CaseState.RflagsOffset]);
        a.popfq();
        for (int i = 0; i < 16; i++)
        {
            if (i != 3)
            {
                a.mov(General[i], GprOf(i));
            }
        }

        a.mov(rbx, GprOf(3));
        if (_bitness == 64)
        {
            a.jmp(Cell(DriverCells.Entry));
        }
        else
        {
            a.jmp(__fword_ptr[(long)CaseLayout.Base + DriverCells.Entry]);
        }
    }

    // A 16-bit case sees the memory through segments that begin at it; the entry is an offset in the slots' segment.
    private void EmitSelectors(Assembler a)
    {
        bool narrow = _bitness == 16;
        ushort code = !narrow ? Code32Selector : _native ? LocalCode16Selector : Code16Selector;
        ushort data = !narrow ? DataSelector : _native ? LocalData16Selector : Data16Selector;
        a.mov(__word_ptr[(long)CaseLayout.Base + DriverCells.EntrySelector], code);
        a.mov(eax, data);
        EmitDataSelectors(a);
        a.mov(ss, ax);
        if (narrow)
        {
            a.sub(__dword_ptr[(long)CaseLayout.Base + DriverCells.Entry], (int)CaseLayout.Base + CaseLayout.SlotsOffset);
        }
    }

    private static void EmitDataSelectors(Assembler a)
    {
        a.mov(ds, ax);
        a.mov(es, ax);
        a.mov(gs, ax);
    }

    private void EmitReturn(Assembler a, ref Label fault)
    {
        Label floating = a.CreateLabel();
        a.mov(Cell(DriverCells.Rbx), rbx);
        a.mov(rbx, Cell(DriverCells.Record));
        EmitStoreGeneral(a);
        if (_bitness != 64)
        {
            a.mov(eax, esp);
            a.mov(rsp, rax); // behind a 16-bit stack Linux leaves bits of its own in the upper half
        }

        a.mov(GprOf(4), rsp);
        if (_bitness != 64)
        {
            // Before the stack is used: a 16-bit stack segment means nothing in 64-bit code, but an exception would reload it.
            a.mov(eax, DataSelector);
            a.mov(ss, ax);
        }

        a.mov(esp, (int)CaseLayout.Base + DriverCells.Stack);
        a.pushfq();
        a.pop(__qword_ptr[rbx + CaseState.RflagsOffset]);
        a.mov(__qword_ptr[rbx + CaseState.FaultOffset], (int)CaseState.NoFault);
        a.jmp(floating);
        a.Label(ref fault);
        a.mov(Cell(DriverCells.Rbx), rbx);
        a.mov(rbx, Cell(DriverCells.Record));
        EmitStoreGeneral(a);
        foreach ((int cell, int field) in (ReadOnlySpan<(int, int)>)[(DriverCells.Vector, CaseState.FaultOffset), (DriverCells.Error, CaseState.FaultErrorOffset),
            (DriverCells.Address, CaseState.FaultAddressOffset), (DriverCells.Rip, CaseState.RipOffset), (DriverCells.Rflags, CaseState.RflagsOffset),
            (DriverCells.Rsp, CaseState.GprOffset + 32)])
        {
            a.mov(rax, Cell(cell));
            a.mov(__qword_ptr[rbx + field], rax);
        }

        if (_bitness != 64)
        {
            a.mov(eax, eax); // RSP, as above
            a.mov(GprOf(4), rax);
        }

        a.Label(ref floating);
        EmitStoreMemory(a);
        EmitNext(a);
    }

    private static void EmitStoreGeneral(Assembler a)
    {
        for (int i = 0; i < 16; i++)
        {
            if (i is not (3 or 4))
            {
                a.mov(GprOf(i), General[i]);
            }
        }

        a.mov(rax, Cell(DriverCells.Rbx));
        a.mov(GprOf(3), rax);
    }

    private void EmitControl(Assembler a, byte interrupt)
    {
        if (_controls)
        {
            Label unchanged = a.CreateLabel();
            a.cmp(__qword_ptr[rbx + CaseState.ControlOffset], 0);
            a.je(unchanged);
            a.@int(interrupt);
            a.Label(ref unchanged);
            a.nop();
        }
    }

    private void EmitStoreMemory(Assembler a)
    {
        a.push(0x202);
        a.popfq();
        EmitControl(a, RestoreControl);
        a.fxsave64(__[rbx]);
        for (int i = 0; i < Vectors; i++)
        {
            a.vextractf128(UpperOf(i), YmmOf(i), 1);
        }

        foreach ((int offset, int saved, int bytes, _) in CaseLayout.Windows)
        {
            a.lea(rdi, __[rbx + CaseRecord.MemoryOffset + saved]);
            a.mov(esi, (int)CaseLayout.Base + offset);
            a.mov(ecx, bytes / 8);
            a.rep.movsq();
        }
    }

    private void EmitNext(Assembler a)
    {
        a.add(rbx, CaseRecord.Size);
        a.mov(Cell(DriverCells.Record), rbx);
        a.dec(Cell(DriverCells.Count));
        a.mov(eax, (int)Next);
        Label end = a.CreateLabel();
        a.je(end);
        a.jmp(rax);
        a.Label(ref end);
        if (!_native)
        {
            a.@out(ExitPort, al);
            a.jmp(Return);
            return;
        }

        if (_bitness != 64)
        {
            a.xor(eax, eax);
            EmitDataSelectors(a);
        }

        a.vzeroupper();
        a.fninit();
        a.push(0x1f80);
        a.ldmxcsr(__dword_ptr[rsp]);
        a.mov(rsp, Cell(DriverCells.HostStack));
        foreach (AssemblerRegister64 register in Preserved.Reverse())
        {
            a.pop(register);
        }

        a.ret();
    }
}
