using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Accel.Tcg;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;
using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>The software CPU, interpreting or compiling everything.</summary>
internal sealed unsafe class SoftwareEngine : IDiffEngine
{
    private readonly MachineLock _lock = new();
    private readonly GuestRam _ram = new("cases", CaseLayout.Size);
    private readonly TcgAccelerator _accelerator;
    private readonly IVcpu _vcpu;
    private readonly DriverCode _driver;
    private readonly X86State _start;
    private readonly EngineWatchdog _watchdog;
    private readonly byte* _memory;
    private bool _ended;

    private SoftwareEngine(string name, string description, int bitness, TcgOptions options, bool isUniprocessor)
    {
        Name = name;
        Description = description;
        _memory = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(_ram.Slice(0, CaseLayout.Size)));
        MemoryRegion root = MemoryRegion.Container("memory", 1UL << 40);
        root.Add(0, MemoryRegion.OfRam("ram", _ram, 0, _ram.Size));
        MemoryRegion ports = MemoryRegion.Container("ports", 0x10000);
        ports.Add(DriverCode.ExitPort, MemoryRegion.OfIo("end", 1, new EndPort(this), IoAccess.Bytes));
        var environment = new TcgEnvironment(new AddressSpace("memory", root, _lock), new AddressSpace("ports", ports, _lock),
            new ManualClock(), CpuModel.Parse("max"), _lock, options)
        {
            IsUniprocessor = isUniprocessor,
        };
        _accelerator = new TcgAccelerator(environment);
        _vcpu = _accelerator.CreateVcpu(0, new NoApic());
        _driver = DriverCode.Create(bitness, native: false, SetsControl);
        BatchMemory.Initialize(new Span<byte>(_memory, CaseLayout.Size), _driver, ExceptionStubs.Return);
        _start = BatchMemory.StartState(_driver);
        _watchdog = new EngineWatchdog(_vcpu.Kick);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public string Description { get; }

    /// <inheritdoc/>
    public bool IsSilicon => false;

    /// <inheritdoc/>
    public bool SetsControl => true;

    /// <summary>The interpreter. It is the only CPU of its machine, so that locked instructions are executed as plain ones.</summary>
    public static SoftwareEngine Tier0(int bitness, TcgOptions? options = null) =>
        new("tier0", "the interpreter", bitness, (options ?? new TcgOptions()) with { Jit = false }, isUniprocessor: true);

    /// <summary>Everything compiled before it runs for the first time, locked instructions as atomic ones.</summary>
    public static SoftwareEngine Compiled(int bitness, TcgOptions? options = null) =>
        new("jit", "compiled before it runs for the first time", bitness, (options ?? new TcgOptions()) with { Threshold = 0 }, isUniprocessor: false);

    /// <inheritdoc/>
    public void Run(CaseBatch batch)
    {
        batch.Code.CopyTo(new Span<byte>(_memory + CaseLayout.SlotsOffset, CaseLayout.SlotsBytes));
        batch.Inputs(batch.First, batch.Count).CopyTo(new Span<byte>(Result(batch.First), batch.Count * CaseRecord.Size));
        *(ulong*)(_memory + DriverCells.Record) = CaseLayout.Base + CaseLayout.RecordsOffset + (ulong)(batch.First * CaseRecord.Size);
        *(ulong*)(_memory + DriverCells.Count) = (ulong)batch.Count;
        _ended = false;
        while (!_ended)
        {
            // Drops every translation: the code is another than before.
            _vcpu.SetState(_start);
            _watchdog.Begin(batch.Count);
            VcpuExit exit = _vcpu.Run();
            bool stuck = _watchdog.End();
            if (!_ended && (stuck || exit.Reason != VcpuExitReason.Kicked))
            {
                SkipCase(stuck ? CaseState.Stuck : CaseState.EngineFailed);
            }
        }
    }

    /// <inheritdoc/>
    public CaseRecord* Result(int slot) => (CaseRecord*)(_memory + CaseLayout.RecordsOffset) + slot;

    /// <inheritdoc/>
    public void Dispose()
    {
        _watchdog.Dispose();
        _vcpu.Dispose();
        _accelerator.Dispose();
        _ram.Dispose();
    }

    // The case in work has no end: say so, and go on with the next.
    private void SkipCase(long outcome)
    {
        ulong* cells = (ulong*)(_memory + DriverCells.Record);
        int slot = (int)((cells[0] - CaseLayout.Base - CaseLayout.RecordsOffset) / CaseRecord.Size);
        if ((uint)slot < CaseLayout.BatchSize)
        {
            Result(slot)->State.Fault = outcome;
        }

        // Whatever the case did to the system tables must not last.
        BatchMemory.Initialize(new Span<byte>(_memory, CaseLayout.Size), _driver, ExceptionStubs.Return);

        cells[0] += CaseRecord.Size;
        _ended = --cells[1] == 0;
    }

    private sealed class EndPort(SoftwareEngine engine) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => 0xff;

        public void Write(ulong offset, ulong value, int size)
        {
            engine._ended = true;
            engine._vcpu.Kick();
        }
    }

    /// <summary>A local APIC without interrupts.</summary>
    private sealed class NoApic : ILocalApic
    {
        public bool HasPendingInterrupt => false;

        public ulong BaseMsr => 0xfee0_0900;

        public byte TaskPriorityClass { get; set; }

        public int AcknowledgeInterrupt() => -1;

        public bool TryWriteBaseMsr(ulong value) => true;

        public bool TryReadMsr(uint index, out ulong value)
        {
            value = 0;
            return false;
        }

        public bool TryWriteMsr(uint index, ulong value) => false;

        public LocalApicState GetState() => new() { BaseMsr = BaseMsr };

        public void SetState(LocalApicState state)
        {
        }

        public void Connect(IInterruptTarget target)
        {
        }

        public void InitReset()
        {
        }
    }
}
