using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Diff.Engines;

/// <content>The signal handler of native engines.</content>
internal sealed partial class DriverCode
{
    // (signal, siginfo*, ucontext*): if the interrupted RIP is in this memory, or the code is none of 64 bits, note the exception and resume at
    // FaultReturn; else the handler that was there before (the runtime's) gets the signal. Offsets: Linux x86-64 struct ucontext, gregs at 40.
    private byte[] EncodeHandler()
    {
        const int Gregs = 40;
        const int RipIndex = 16;
        const int RspIndex = 15;
        const int FlagsIndex = 17;
        const int CodeSelector = Gregs + (18 * 8);
        const int StackSelector = CodeSelector + 6;
        var a = new Assembler(64);
        Label chain = a.CreateLabel();
        Label ours = a.CreateLabel();
        a.cmp(__word_ptr[rdx + CodeSelector], Code64Selector);
        a.jne(ours);
        a.mov(rax, __[rdx + Gregs + (RipIndex * 8)]);
        a.mov(rcx, rax);
        a.sub(rcx, (int)CaseLayout.Base);
        a.cmp(rcx, CaseLayout.Size);
        a.jae(chain);
        a.Label(ref ours);
        foreach ((int register, int cell) in (ReadOnlySpan<(int, int)>)[(RipIndex, DriverCells.Rip), (RspIndex, DriverCells.Rsp), (FlagsIndex, DriverCells.Rflags),
            (19, DriverCells.Error), (20, DriverCells.Vector), (22, DriverCells.Address)])
        {
            a.mov(rax, __[rdx + Gregs + (register * 8)]);
            a.mov(Cell(cell), rax);
        }

        a.mov(eax, (int)FaultReturn);
        a.mov(__[rdx + Gregs + (RipIndex * 8)], rax);
        a.mov(eax, (int)CaseLayout.Base + DriverCells.Stack);
        a.mov(__[rdx + Gregs + (RspIndex * 8)], rax);
        a.mov(__qword_ptr[rdx + Gregs + (FlagsIndex * 8)], 0x202);
        a.mov(__word_ptr[rdx + CodeSelector], Code64Selector);
        a.mov(__word_ptr[rdx + StackSelector], DataSelector);
        a.ret();
        a.Label(ref chain);
        a.movsxd(rdi, edi);
        a.jmp(__qword_ptr[(rdi * 8) + (long)CaseLayout.Base + DriverCells.OldHandlers]);
        using var stream = new MemoryStream();
        _ = a.Assemble(new StreamCodeWriter(stream), SignalHandler);
        return stream.ToArray();
    }
}
