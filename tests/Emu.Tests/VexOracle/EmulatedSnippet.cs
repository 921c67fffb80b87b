using Emu.Accel.Tcg;
using Emu.Core.Cpu;
using Emu.Tests.Tcg;

namespace Emu.Tests.VexOracle;

/// <summary>
/// Runs snippets on the emulated CPU at CPL 3, with the memory of <see cref="NativeSnippet"/> at the same linear addresses. The end of
/// the snippet, and each exception vector, is an OUT that stops the vCPU.
/// </summary>
internal sealed unsafe class EmulatedSnippet : IDisposable
{
    private const ulong Idt = 0x2000;
    private const ulong Gdt = 0x2800;
    private const ulong Tss = 0x3000;
    private const ulong HandlerCode = 0x8000;
    private const ulong KernelStack = 0xa000;
    private const ulong PageTable = 0x103000;
    private const ulong SecondDirectory = 0x104000;
    private const ulong Physical = 0x110000;

    private readonly TcgBench _bench;
    private readonly NativeSnippet _native;
    private readonly X86State _template;
    private readonly Timer _watchdog;
    private int _runs;
    private int _runsSeen;

    public EmulatedSnippet(NativeSnippet native, TcgOptions? options = null, bool isUniprocessor = false)
    {
        _native = native;
        _bench = new TcgBench(options: options, isUniprocessor: isUniprocessor);
        X86State start = _bench.LongModeState();
        MapSnippetMemory();
        WriteSystemTables();
        var data = new SegmentState(0x1b, 0, 0xffffffff, 0xc0f3);
        _template = start with
        {
            Cr4 = start.Cr4 | (1 << 18),
            Xcr0 = 7,
            Segments = [data, new SegmentState(0x23, 0, 0xffffffff, 0xa0fb), data, data, data with { Selector = 0 }, data with { Selector = 0 }],
            Gdtr = new DescriptorTableState(Gdt, 0x3f),
            Idtr = new DescriptorTableState(Idt, 0x1ff),
            Tr = new SegmentState(0x28, Tss, 0x2068, 0x8b),
        };

        // OUT imm8, AL; JMP $: where native snippets return to.
        WritePage(0, (int)(native.ReturnAddress - native.Base), [0xe6, 0xf4, 0xeb, 0xfe]);
        _watchdog = new Timer(_ => KickWhenStuck(), null, 5000, 5000);
    }

    /// <summary>A page or more of the snippet's memory.</summary>
    public Span<byte> Page(int page, int count = 1) => _bench.Ram.Slice(Physical + (ulong)(page * NativeSnippet.PageSize), count * NativeSnippet.PageSize);

    /// <summary>Runs the snippet at <paramref name="entry"/> from <paramref name="state"/> and stores the result there.</summary>
    public void Run(OracleState* state, ulong entry)
    {
        X86State start = _template with { Rip = entry, Rflags = (state->Rflags & 0xcd5) | 0x202, Gpr = new Span<ulong>(state->Gpr, 16).ToArray() };
        new Span<byte>(state->Fx, 512).CopyTo(start.Xsave);
        new Span<byte>(state->Upper, 256).CopyTo(start.Xsave.AsSpan(576));
        Interlocked.Increment(ref _runs);
        _bench.Vcpu.SetState(start);
        _ = _bench.Vcpu.Run();
        X86State end = _bench.Vcpu.GetState();
        end.Gpr.CopyTo(new Span<ulong>(state->Gpr, 16));
        end.Xsave.AsSpan(0, 416).CopyTo(new Span<byte>(state->Fx, 416));
        end.Xsave.AsSpan(576, 256).CopyTo(new Span<byte>(state->Upper, 256));
        state->Rflags = end.Rflags;
        state->Fault = OracleState.NoFault;
        if (end.Rip >= HandlerCode && end.Rip < HandlerCode + 0x200)
        {
            NoteFault(state, end);
        }
        else if (end.Rip != _native.ReturnAddress + 2)
        {
            state->Fault = 255; // neither the end nor an exception: the watchdog, or a shutdown
            state->FaultRip = end.Rip;
        }
    }

    public void Dispose()
    {
        _watchdog.Dispose();
        _bench.Dispose();
    }

    // No run takes two periods of the timer.
    private void KickWhenStuck()
    {
        if (Interlocked.Exchange(ref _runsSeen, Volatile.Read(ref _runs)) == _runs)
        {
            _bench.Vcpu.Kick();
        }
    }

    // The frame on the kernel stack: error code where the vector has one, RIP, CS, RFLAGS, RSP, SS.
    private void NoteFault(OracleState* state, X86State end)
    {
        ulong frame = end.Gpr[4];
        state->Fault = (long)(end.Rip - HandlerCode) / 16;
        bool hasError = state->Fault is 8 or (>= 10 and <= 14) or 17;
        state->FaultError = hasError ? _bench.Ram.ReadValue(frame, 8) : 0;
        frame += hasError ? 8UL : 0;
        state->FaultRip = _bench.Ram.ReadValue(frame, 8);
        state->Rflags = _bench.Ram.ReadValue(frame + 16, 8);
        state->Gpr[4] = _bench.Ram.ReadValue(frame + 24, 8);
        state->FaultAddress = end.Cr2;
    }

    private void WritePage(int page, int offset, ReadOnlySpan<byte> data) => data.CopyTo(Page(page)[offset..]);

    private void MapSnippetMemory()
    {
        ulong linear = _native.Base;
        ulong directory = linear >> 30 == 0 ? 0x102000 : SecondDirectory;
        _bench.Ram.WriteValue(0x101000 + ((linear >> 30) * 8), directory | 7, 8);
        _bench.Ram.WriteValue(directory + ((linear >> 21 & 511) * 8), PageTable | 7, 8);
        for (int page = 0; page < NativeSnippet.Pages; page++)
        {
            ulong flags = page switch
            {
                0 or NativeSnippet.CodePage or NativeSnippet.CodePage + 1 => 7,
                NativeSnippet.DataPage or NativeSnippet.DataPage + 1 or NativeSnippet.StackPage or NativeSnippet.StackPage + 1 => 7,
                NativeSnippet.ReadOnlyPage => 5,
                _ => 0,
            };
            ulong entry = flags == 0 ? 0 : (Physical + (ulong)(page * NativeSnippet.PageSize)) | flags;
            _bench.Ram.WriteValue(PageTable + (((linear >> 12 & 511) + (uint)page) * 8), entry, 8);
        }
    }

    private void WriteSystemTables()
    {
        _bench.Ram.WriteValue(Gdt + 8, 0x00af9b000000ffff, 8);
        _bench.Ram.WriteValue(Gdt + 0x10, 0x00cf93000000ffff, 8);
        _bench.Ram.WriteValue(Gdt + 0x18, 0x00cff3000000ffff, 8);
        _bench.Ram.WriteValue(Gdt + 0x20, 0x00affb000000ffff, 8);
        _bench.Ram.WriteValue(Tss + 4, KernelStack, 8);
        _bench.Ram.WriteValue(Tss + 0x66, 0x68, 2); // an I/O map of zeros: all ports allowed
        for (ulong vector = 0; vector < 32; vector++)
        {
            ulong handler = HandlerCode + (vector * 16);
            _bench.Ram.WriteValue(Idt + (vector * 16), (handler & 0xffff) | (8 << 16) | (0x8eUL << 40), 8);
            _bench.Ram.WriteValue(handler, 0xfeebf4e6, 4);
        }
    }
}
