using System.Collections.Concurrent;
using System.Text;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Jit;
using Emu.Jit.Regions;

namespace Emu.Accel.Tcg;

/// <summary>What other threads may ask of a vCPU; bits of one word, looked at between blocks.</summary>
[Flags]
internal enum VcpuRequest
{
    None = 0,
    Kick = 1,
    Nmi = 2,
    Init = 4,
    Sipi = 8,
    FlushAll = 16,
    CodeWritten = 32,
    TrackPages = 64,
    RegionsCompiled = 128,
}

/// <summary>
/// A vCPU that runs translated code. <see cref="Run"/> alternates between looking at events (requests, interrupts, debug traps) and
/// executing blocks until <see cref="CpuHeader.ExitRequest"/> or an instruction brings it back.
/// </summary>
internal sealed unsafe class TcgVcpu : IVcpu, ICodePageClient
{
    private readonly X86Cpu _cpu;
    private readonly TranslationEngine _engine;
    private readonly ILocalApic _apic;
    private readonly AddressSpace _memory;
    private readonly TcgOptions _options;
    private readonly ManualResetEventSlim _wake = new(false, spinCount: 0); // spinning would burn the other host core while the guest idles
    private readonly ConcurrentQueue<(GuestRam Ram, ulong Offset, int Length)> _codeWrites = new();
    private readonly VcpuStatistics _statistics = new();
    private readonly ConcurrentQueue<ulong> _pagesToTrack = new();
    private int _requests;
    private int _executing;
    private int _tracked;
    private int _trackAsked;
    private byte _sipiVector;
    private PendingException? _pendingException;
    private byte? _pendingInterrupt;
    private bool _disposed;

    public TcgVcpu(int index, ILocalApic apic, TcgEnvironment environment, CodePageSet codePages, RegionQueue? regionQueue)
    {
        Index = index;
        _apic = apic;
        _options = environment.Options;
        _memory = environment.Memory;
        _cpu = new X86Cpu(new X86CpuEnvironment(index, environment.Memory, environment.Ports, apic, environment.Clock, environment.Model)
        {
            IsUniprocessor = environment.IsUniprocessor,
        });
        _cpu.Unimplemented = what => ReportUnimplemented($"{what} at {_engine!.CurrentPc:x16}");
        IGuestFrontend frontend = X86Frontend.Create(_cpu, environment.Memory, ReportUnimplemented, _options.Logs("in_asm") ? LogInstruction : null, _options.RelativeKernel);
        var options = new TranslationOptions
        {
            Translated = _options.Logs("op") ? LogBlock : null,
            Regions = _options.Jit ? RegionOptionsFor(environment.Memory, regionQueue) : null,
            Entered = _options.Logs("exec") ? LogEntry : null,
        };
        _engine = new TranslationEngine(&_cpu.State->Header, _cpu.Mmu, frontend, environment.Memory, codePages, options) { Client = this };
        _cpu.SoftwareInterrupted = _options.Logs("int") ? vector => LogEvent($"software interrupt {vector:x2}") : null;
        apic.Connect(this);
    }

    public int Index { get; }

    public VcpuStatistics Statistics
    {
        get
        {
            _statistics.Instructions = _cpu.State->Header.Instructions;
            _statistics.TlbMisses = _cpu.Mmu.Misses;
            _statistics.TlbFlushes = _cpu.Mmu.Flushes;
            _statistics.BlocksTranslated = _engine.BlocksTranslated;
            _statistics.BlocksInvalidated = _engine.BlocksInvalidated;
            _statistics.RegionsCompiled = _engine.Regions?.Compiled ?? 0;
            _statistics.RegionInstructions = _engine.Regions?.Instructions ?? 0;
            _statistics.RegionsDropped = _engine.Regions?.Dropped ?? 0;
            _statistics.RegionsRefused = _engine.Regions?.Refused ?? 0;
            _statistics.CompileMicroseconds = (ulong)(_engine.Regions?.CompileTime.TotalMicroseconds ?? 0);
            _statistics.MmioAccesses = _cpu.Mmu.IoAccesses;
            _statistics.PortAccesses = _cpu.PortAccesses;
            return _statistics;
        }
    }

    private bool InterruptsOpen => (_cpu.State->SystemFlags & Rflags.If) != 0 && _cpu.State->InterruptShadow == 0;

    private bool NmiReady => _cpu.State->NmiPending != 0 && _cpu.State->NmiBlocked == 0;

    public VcpuExit Run()
    {
        while (true)
        {
            if (TakeRequests() is { } exit)
            {
                return exit;
            }

            if (IsWaiting())
            {
                _wake.Wait();
                _wake.Reset();
                continue;
            }

            if (!DeliverEvents() || !Execute(single: false))
            {
                return new VcpuExit(VcpuExitReason.Shutdown);
            }
        }
    }

    public VcpuExit Step()
    {
        if (TakeRequests() is { } exit)
        {
            return exit;
        }

        bool alive = IsWaiting() || (DeliverEvents() && Execute(single: true));
        return new VcpuExit(alive ? VcpuExitReason.Stepped : VcpuExitReason.Shutdown);
    }

    public void Kick() => Post(VcpuRequest.Kick);

    public void NotifyInterrupt() => Post(VcpuRequest.None);

    public void RaiseNmi() => Post(VcpuRequest.Nmi);

    public void RaiseInit() => Post(VcpuRequest.Init);

    public void RaiseSipi(byte vector)
    {
        Volatile.Write(ref _sipiVector, vector);
        Post(VcpuRequest.Sipi);
    }

    public X86State GetState() => _cpu.GetState() with { PendingException = _pendingException, PendingInterrupt = _pendingInterrupt };

    public void SetState(X86State state)
    {
        // What was latched belongs to the state that goes; NMI comes with the new one.
        Interlocked.And(ref _requests, (int)~(VcpuRequest.Init | VcpuRequest.Sipi | VcpuRequest.Nmi));
        _cpu.SetState(state);
        _pendingException = state.PendingException;
        _pendingInterrupt = state.PendingInterrupt;
        _engine.FlushAll();
    }

    /// <summary>Leaves a request for the vCPU's thread and makes it look. Any thread.</summary>
    internal void Post(VcpuRequest request)
    {
        PostQuietly(request);
        _wake.Set();
    }

    // What a halted CPU need not be woken for.
    private void PostQuietly(VcpuRequest request)
    {
        if (request != VcpuRequest.None)
        {
            Interlocked.Or(ref _requests, (int)request);
        }

        Volatile.Write(ref _cpu.State->Header.ExitRequest, 1);
    }

    /// <inheritdoc/>
    public void TrackPage(ulong page)
    {
        _pagesToTrack.Enqueue(page);
        int ticket = Interlocked.Increment(ref _trackAsked);
        Post(VcpuRequest.TrackPages);

        // Either this vCPU answers, or it is not executing and looks before it does.
        var spin = new SpinWait();
        while (Volatile.Read(ref _executing) != 0 && Volatile.Read(ref _tracked) - ticket < 0)
        {
            spin.SpinOnce();
        }
    }

    /// <inheritdoc/>
    public void LeaveGuest() => Interlocked.Exchange(ref _executing, 0);

    /// <inheritdoc/>
    public void EnterGuest()
    {
        // A full fence between saying so and looking: TrackPage does the same in the other order.
        Interlocked.Exchange(ref _executing, 1);
        TrackPages();
    }

    /// <inheritdoc/>
    public void PostCodeWrite(GuestRam ram, ulong offset, int length)
    {
        _codeWrites.Enqueue((ram, offset, length));
        Post(VcpuRequest.CodeWritten);
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _engine.Dispose();
            _cpu.Dispose();
            _wake.Dispose();
        }
    }

    /// <summary>Handles what other threads asked for. Non-null ends <see cref="Run"/>.</summary>
    private VcpuExit? TakeRequests()
    {
        // Cleared first: a request posted after this line sets it again and is seen at the next block end.
        Interlocked.Exchange(ref _cpu.State->Header.ExitRequest, 0);
        var requests = (VcpuRequest)Interlocked.Exchange(ref _requests, 0);
        if (requests == VcpuRequest.None)
        {
            return null;
        }

        TrackPages();
        if ((requests & VcpuRequest.FlushAll) != 0)
        {
            _cpu.Mmu.Flush(includeGlobal: true);
            _engine.FlushAll();
        }

        while (_codeWrites.TryDequeue(out (GuestRam Ram, ulong Offset, int Length) write))
        {
            _engine.InvalidateRam(write.Ram, write.Offset, write.Length);
        }

        if ((requests & VcpuRequest.RegionsCompiled) != 0)
        {
            _engine.InstallRegions();
        }

        if ((requests & VcpuRequest.Init) != 0)
        {
            _apic.InitReset();
            _cpu.InitReset();
        }

        if ((requests & VcpuRequest.Sipi) != 0 && _cpu.State->WaitForSipi != 0)
        {
            _cpu.StartFromSipi(Volatile.Read(ref _sipiVector));
        }

        if ((requests & VcpuRequest.Nmi) != 0)
        {
            _cpu.State->NmiPending = 1;
        }

        return (requests & VcpuRequest.Kick) != 0 ? new VcpuExit(VcpuExitReason.Kicked) : null;
    }

    private void TrackPages()
    {
        while (_pagesToTrack.TryDequeue(out ulong page))
        {
            _cpu.Mmu.TrackWrites(page);
            Interlocked.Increment(ref _tracked);
        }
    }

    private bool IsWaiting()
    {
        if (_cpu.State->WaitForSipi != 0)
        {
            return true;
        }

        if (_cpu.State->Halted == 0 || _pendingException.HasValue || _pendingInterrupt.HasValue)
        {
            return false;
        }

        if (NmiReady || (InterruptsOpen && _apic.HasPendingInterrupt))
        {
            _cpu.State->Halted = 0;
            return false;
        }

        _statistics.Halts++;
        return true;
    }

    /// <summary>Delivers what is due before the next instruction, in order of priority (SDM vol. 3, table 6-2). False on a triple fault.</summary>
    private bool DeliverEvents()
    {
        if ((_pendingException.HasValue || _pendingInterrupt.HasValue) && !DeliverPending())
        {
            return false;
        }

        if (_cpu.State->PendingDebugTraps != 0)
        {
            _statistics.Exceptions++;
            LogEvent("debug trap");
            if (!_cpu.TakeDebugTrap())
            {
                return false;
            }
        }

        if (NmiReady && _cpu.State->InterruptShadow == 0)
        {
            _cpu.State->NmiPending = 0;
            LogEvent("NMI");
            return _cpu.DeliverNmi();
        }

        if (InterruptsOpen && _apic.HasPendingInterrupt)
        {
            int vector = _apic.AcknowledgeInterrupt();
            if (vector >= 0)
            {
                _statistics.Interrupts++;
                LogEvent($"interrupt {vector:x2}");
                return _cpu.DeliverInterrupt((byte)vector);
            }
        }

        return true;
    }

    // What another accelerator had raised and not delivered when its state was taken; here both are delivered at once.
    private bool DeliverPending()
    {
        PendingException? exception = _pendingException;
        byte? interrupt = _pendingInterrupt;
        _pendingException = null;
        _pendingInterrupt = null;
        return (exception is not { } raised || _cpu.DeliverException(new X86Fault((X86Vector)raised.Vector, raised.ErrorCode ?? 0, LinearAddress: _cpu.State->Cr2)))
            && (interrupt is not byte vector || _cpu.DeliverInterrupt(vector));
    }

    /// <summary>Executes until something must be looked at. False on a triple fault.</summary>
    private bool Execute(bool single)
    {
        CpuHeader* header = &_cpu.State->Header;
        do
        {
            bool alone = single || NeedsStepping();
            ulong breakpoints = _cpu.HasInstructionBreakpoints ? _cpu.MatchInstructionBreakpoint(_cpu.LinearPc) : 0;
            if (breakpoints != 0)
            {
                _statistics.Exceptions++;
                return _cpu.DeliverException(new X86Fault(X86Vector.Debug, 0, breakpoints));
            }

            bool trap = (_cpu.State->SystemFlags & Rflags.Tf) != 0;
            _cpu.State->SystemFlags &= ~Rflags.Rf;
            _cpu.State->InterruptShadow = 0;
            if (!ExecuteCode(alone, out bool completed))
            {
                return false;
            }

            if (trap && completed)
            {
                _cpu.NoteSingleStep();
            }
        }
        while (!single && header->ExitRequest == 0 && _cpu.State->Halted == 0 && _cpu.State->PendingDebugTraps == 0
            && !(InterruptsOpen && _apic.HasPendingInterrupt));

        return true;
    }

    // One instruction at a time: trap flag, breakpoints (data breakpoints trap right behind the access), and the shadow of STI and MOV SS.
    private bool NeedsStepping() =>
        (_cpu.State->SystemFlags & Rflags.Tf) != 0 || _cpu.HasBreakpoints || _cpu.State->InterruptShadow != 0;

    private bool ExecuteCode(bool alone, out bool completed)
    {
        LeaveReason reason = Enter(alone);
        if (reason == LeaveReason.SelfModify)
        {
            _engine.RewindToCurrentInstruction();
            reason = Enter(alone: true);
        }

        completed = reason == LeaveReason.BlockEnd;
        if (completed)
        {
            return true;
        }

        _engine.RewindToCurrentInstruction();
        _statistics.Exceptions++;
        LogEvent(_cpu.PendingFault);
        return _cpu.DeliverException(StackReference.Resolve(_cpu, _memory, _cpu.PendingFault));
    }

    private LeaveReason Enter(bool alone)
    {
        EnterGuest();
        try
        {
            return alone ? _engine.RunSingle() : _engine.Run();
        }
        catch (GuestFaultException)
        {
            bool selfModify = _cpu.Mmu.HitCurrentBlock;
            _cpu.Mmu.HitCurrentBlock = false;
            return selfModify ? LeaveReason.SelfModify : LeaveReason.Fault;
        }
        finally
        {
            LeaveGuest();
        }
    }

    private RegionOptions RegionOptionsFor(AddressSpace memory, RegionQueue? queue) => new()
    {
        Frontend = X86Frontend.Create(_cpu, memory, relativeKernel: _options.RelativeKernel),
        Queue = queue,
        Threshold = _options.Threshold,
        MaxInstructions = _options.RegionSize,
        Excluded = OpFamily.Parse(_options.JitOff),
        Compile = _options.Logs("op_opt") || _options.Logs("il") || _options.Logs("out_asm") ? CompileAndLog : _options.CompileRegion,
        Finished = () => PostQuietly(VcpuRequest.RegionsCompiled),
        Failed = what => _options.Log?.Invoke($"cpu{Index}: {what}"),
    };

    private void ReportUnimplemented(string what)
    {
        _statistics.Unimplemented++;
        if (_options.Logs("unimp"))
        {
            _options.Log!($"NotSupported: {what}");
        }
    }

    // At the program counter that the guest's handler will see as its way back, or for software interrupts that of the instruction.
    private void LogEvent<T>(T what)
    {
        if (_options.Logs("int"))
        {
            _options.Log!($"cpu{Index}: {what} at {_engine.CurrentPc:x16}");
        }
    }

    private void LogInstruction(ulong pc, string text) => LogCode(pc, $"0x{pc:x16}: {text}");

    private void LogEntry(ulong pc) => LogCode(pc, $"cpu{Index}: exec {pc:x16}");

    private void LogBlock(IrBlock block) => LogCode(block.StartPc, IrDump.Format(block));

    // One message, so that what belongs together stays together: the thread may not be the vCPU's.
    private CompiledRegion? CompileAndLog(Region region)
    {
        ulong pc = region.FormedAt;
        var text = new StringBuilder();
        text.Append(_options.Logs("op_opt") ? RegionDump.Format(region) : "");
        text.Append(_options.Logs("il") ? $"il {pc:x}\n{RegionCompiler.Describe(region)}" : "");
        try
        {
            CompiledRegion? code = _options.CompileRegion(region);
            if (_options.Logs("out_asm"))
            {
                text.Append(code is null ? $"out_asm {pc:x}: not compiled\n" : HostCodeDump.Format(pc, code.Entry));
                GC.KeepAlive(code);
            }

            return code;
        }
        finally
        {
            LogCode(pc, text.ToString());
        }
    }

    private void LogCode(ulong pc, string text)
    {
        if (_options.LogsCodeAt(pc))
        {
            _options.Log!(text);
        }
    }
}
