using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using HostArchitecture = System.Runtime.InteropServices.Architecture;

namespace Emu.Tests.VexOracle;

/// <summary>
/// Runs snippets of 64-bit user code on the host's own processor, inside this process. A stub loads all registers, jumps to the
/// snippet and stores them back; a signal handler turns exceptions of the snippet into a result. The memory a snippet may use
/// lies below 2 GiB, so that 32-bit addressing reaches it too, and the emulated run maps the same linear addresses.
/// </summary>
internal sealed unsafe class NativeSnippet
{
    public const int PageSize = 4096;
    public const int Pages = 16;

    /// <summary>First of two pages of snippet code.</summary>
    public const int CodePage = 2;

    /// <summary>First of two writable data pages; a read-only one and an unmapped one follow.</summary>
    public const int DataPage = 5;

    /// <summary>The read-only page.</summary>
    public const int ReadOnlyPage = 7;

    /// <summary>First of two stack pages.</summary>
    public const int StackPage = 9;

    private const int CellsPage = 1;
    private const int SaOnStack = 0x08000000;
    private const int SaSigInfo = 4;
    private static readonly int[] Signals = [4, 5, 7, 8, 11];
    private static NativeSnippet? s_instance;

    private readonly byte* _base;
    private readonly Cells* _cells;
    private readonly delegate* unmanaged<OracleState*, void> _run;

    private NativeSnippet()
    {
        // MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT; twice the size, to align it.
        nint memory = mmap(0, 2 * Pages * PageSize, 7, 0x62, -1, 0);
        if (memory == -1)
        {
            throw new InvalidOperationException("No executable memory below 2 GiB.");
        }

        _base = (byte*)((memory + (Pages * PageSize) - 1) & ~((Pages * PageSize) - 1));
        _cells = (Cells*)(_base + (CellsPage * PageSize));
        _run = (delegate* unmanaged<OracleState*, void>)_base;
        nint handler = EmitDriver();
        Protect(CodePage + 2, 1, 0);
        Protect(ReadOnlyPage, 1, 1);
        Protect(ReadOnlyPage + 1, 1, 0);
        Protect(StackPage + 2, Pages - StackPage - 2, 0);
        InstallHandler(handler);
    }

    /// <summary>Vector registers whose upper halves the host has.</summary>
    public static int UpperHalves => Avx2.IsSupported ? 16 : 0;

    /// <summary>Why snippets cannot run here, or null.</summary>
    public static string? Unavailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == HostArchitecture.X64 && Sse41.IsSupported
        ? null
        : "needs an x64 Linux host: snippets run on its processor";

    /// <summary>The one instance: signal handlers belong to the process. Tests that use it share a collection.</summary>
    public static NativeSnippet Instance => s_instance ??= new NativeSnippet();

    /// <summary>Linear address of page 0.</summary>
    public ulong Base => (ulong)_base;

    /// <summary>Where a snippet has to jump at its end.</summary>
    public ulong ReturnAddress { get; private set; }

    /// <summary>A page or more of the snippet's memory.</summary>
    public Span<byte> Page(int page, int count = 1) => new(_base + (page * PageSize), count * PageSize);

    /// <summary>Copies data to the read-only page.</summary>
    public void FillReadOnlyPage(ReadOnlySpan<byte> data)
    {
        Protect(ReadOnlyPage, 1, 3);
        data.CopyTo(Page(ReadOnlyPage));
        Protect(ReadOnlyPage, 1, 1);
    }

    /// <summary>Runs the snippet at <paramref name="entry"/> from <paramref name="state"/> and stores the result there.</summary>
    public void Run(OracleState* state, ulong entry)
    {
        _cells->Entry = entry;
        _cells->Fault = OracleState.NoFault;
        _run(state);
        state->Fault = _cells->Fault;
        if (state->Fault != OracleState.NoFault)
        {
            state->FaultRip = _cells->FaultRip;
            state->FaultError = _cells->FaultError;
            state->FaultAddress = _cells->FaultAddress;
        }
    }

    private nint EmitDriver()
    {
        var assembler = new Assembler(64);
        Label back = assembler.CreateLabel();
        Label handler = assembler.CreateLabel();
        EmitEntry(assembler);
        assembler.Label(ref back);
        EmitReturn(assembler);
        assembler.Label(ref handler);
        EmitHandler(assembler, back);
        using var stream = new MemoryStream();
        AssemblerResult result = assembler.Assemble(new StreamCodeWriter(stream), (ulong)_base, BlockEncoderOptions.ReturnNewInstructionOffsets);
        stream.ToArray().CopyTo(Page(0));
        ReturnAddress = result.GetLabelRIP(back);
        return (nint)result.GetLabelRIP(handler);
    }

    // rdi = OracleState. Everything the C ABI preserves is pushed; the stack pointer is kept in a cell.
    private void EmitEntry(Assembler a)
    {
        foreach (AssemblerRegister64 register in (AssemblerRegister64[])[rbx, rbp, r12, r13, r14, r15])
        {
            a.push(register);
        }

        a.fxrstor64(__[rdi]);
        for (int i = 0; i < UpperHalves; i++)
        {
            a.vinsertf128(Wide(i), Wide(i), __xmmword_ptr[rdi + OracleState.UpperOffset + (16 * i)], 1);
        }

        a.mov(__[Cell(nameof(Cells.Record))], rdi);
        a.mov(__[Cell(nameof(Cells.HostStack))], rsp);
        a.push(__qword_ptr[rdi + OracleState.RflagsOffset]);
        a.popfq();
        for (int i = 0; i < 16; i++)
        {
            if (i != 7)
            {
                a.mov(General(i), __[rdi + GprOffset(i)]);
            }
        }

        a.mov(rdi, __[rdi + GprOffset(7)]);
        a.jmp(__qword_ptr[Cell(nameof(Cells.Entry))]);
    }

    private void EmitReturn(Assembler a)
    {
        a.mov(__[Cell(nameof(Cells.Rdi))], rdi);
        a.mov(rdi, __[Cell(nameof(Cells.Record))]);
        for (int i = 0; i < 16; i++)
        {
            if (i != 7)
            {
                a.mov(__[rdi + GprOffset(i)], General(i));
            }
        }

        a.mov(rsp, __[Cell(nameof(Cells.HostStack))]);
        a.pushfq();
        a.pop(__qword_ptr[rdi + OracleState.RflagsOffset]);
        a.mov(rax, __[Cell(nameof(Cells.Rdi))]);
        a.mov(__[rdi + GprOffset(7)], rax);
        a.push(0x202);
        a.popfq();
        a.fxsave64(__[rdi]);
        for (int i = 0; i < UpperHalves; i++)
        {
            a.vextractf128(__xmmword_ptr[rdi + OracleState.UpperOffset + (16 * i)], Wide(i), 1);
        }

        if (UpperHalves > 0)
        {
            a.vzeroupper();
        }

        a.fninit();
        a.push(0x1f80);
        a.ldmxcsr(__dword_ptr[rsp]);
        a.pop(rax);
        foreach (AssemblerRegister64 register in (AssemblerRegister64[])[r15, r14, r13, r12, rbp, rbx])
        {
            a.pop(register);
        }

        a.ret();
    }

    // (signal, siginfo*, ucontext*): if the interrupted RIP is in this memory, note the trap and resume at the stub's second half; else
    // the handler that was there before (the runtime's) gets the signal. Offsets: Linux x86-64 struct ucontext, gregs at 40.
    private void EmitHandler(Assembler a, Label back)
    {
        const int Gregs = 40;
        Label chain = a.CreateLabel();
        a.mov(rax, __[rdx + Gregs + (16 * 8)]);
        a.mov(rcx, rax);
        a.sub(rcx, (int)(nint)_base);
        a.cmp(rcx, Pages * PageSize);
        a.jae(chain);
        a.mov(__[Cell(nameof(Cells.FaultRip))], rax);
        foreach ((int register, string cell) in (ReadOnlySpan<(int, string)>)[(19, nameof(Cells.FaultError)), (20, nameof(Cells.Fault)), (22, nameof(Cells.FaultAddress))])
        {
            a.mov(rax, __[rdx + Gregs + (register * 8)]);
            a.mov(__[Cell(cell)], rax);
        }

        a.lea(rax, __[back]);
        a.mov(__[rdx + Gregs + (16 * 8)], rax);
        a.ret();
        a.Label(ref chain);
        a.movsxd(rdi, edi);
        a.jmp(__qword_ptr[(rdi * 8) + Cell(nameof(Cells.OldHandlers))]);
    }

    private void InstallHandler(nint handler)
    {
        foreach (int signal in Signals)
        {
            var action = new SignalAction { Handler = handler, Flags = SaOnStack | SaSigInfo };
            SignalAction old = default;
            if (sigaction(signal, &action, &old) != 0)
            {
                throw new InvalidOperationException($"sigaction {signal} failed.");
            }

            _cells->OldHandlers[signal] = (ulong)old.Handler;
        }
    }

    private static AssemblerRegisterYMM Wide(int number) =>
        ((AssemblerRegisterYMM[])[ymm0, ymm1, ymm2, ymm3, ymm4, ymm5, ymm6, ymm7, ymm8, ymm9, ymm10, ymm11, ymm12, ymm13, ymm14, ymm15])[number];

    private static int GprOffset(int register) => OracleState.GprOffset + (register * 8);

    private static AssemblerRegister64 General(int number) =>
        ((AssemblerRegister64[])[rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15])[number];

    private long Cell(string name) => (nint)_cells + Marshal.OffsetOf<Cells>(name);

    private void Protect(int page, int count, int protection) => _ = mprotect((nint)_base + (page * PageSize), count * PageSize, protection);

    [DllImport("libc")]
    private static extern nint mmap(nint address, nint length, int protection, int flags, int file, nint offset);

    [DllImport("libc")]
    private static extern int mprotect(nint address, nint length, int protection);

    [DllImport("libc")]
    private static extern int sigaction(int signal, SignalAction* action, SignalAction* old);

    /// <summary>What the stub and the signal handler share with this class.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Cells
    {
        public ulong Entry;
        public ulong Record;
        public ulong HostStack;
        public ulong Rdi;
        public long Fault;
        public ulong FaultRip;
        public ulong FaultError;
        public ulong FaultAddress;
        public fixed ulong OldHandlers[64];
    }

    /// <summary>glibc's struct sigaction.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SignalAction
    {
        public nint Handler;
        public fixed ulong Mask[16];
        public int Flags;
        public nint Restorer;
    }
}
