using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Tests.MachineTests;

/// <summary>What a scripted guest does after a step.</summary>
internal readonly record struct GuestStep(bool Halt, VcpuExit? Exit)
{
    /// <summary>Go on.</summary>
    public static readonly GuestStep Next = default;

    /// <summary>HLT with interrupts on.</summary>
    public static readonly GuestStep Hlt = new(true, null);

    /// <summary>Triple fault.</summary>
    public static readonly GuestStep TripleFault = new(false, new VcpuExit(VcpuExitReason.Shutdown));
}

/// <summary>An accelerator whose CPUs run a C# script instead of guest code, from its start after each change of state.</summary>
internal sealed class FakeAccelerator(Func<FakeVcpu, IEnumerable<GuestStep>> script, AddressSpace memory, AddressSpace ports) : IAccelerator
{
    public string Name => "fake";

    public AddressSpace Memory { get; } = memory;

    public AddressSpace Ports { get; } = ports;

    public List<FakeVcpu> Vcpus { get; } = [];

    public bool Disposed { get; private set; }

    public IKernelIrqChip? IrqChip => null;

    public IVcpu CreateVcpu(int index, ILocalApic? apic)
    {
        var vcpu = new FakeVcpu(this, index, apic!, script);
        Vcpus.Add(vcpu);
        return vcpu;
    }

    public void SetClockRunning(bool running)
    {
    }

    public void Dispose() => Disposed = true;
}

internal sealed class FakeVcpu(FakeAccelerator owner, int index, ILocalApic apic, Func<FakeVcpu, IEnumerable<GuestStep>> script) : IVcpu
{
    private readonly ManualResetEventSlim _wake = new();
    private IEnumerator<GuestStep>? _steps;
    private X86State _state = new();
    private int _kicked;
    private int _running;

    public int Index { get; } = index;

    public ILocalApic Apic { get; } = apic;

    public VcpuStatistics Statistics { get; } = new();

    public List<X86State> States { get; } = [];

    public bool Disposed { get; private set; }

    public List<string> Signals { get; } = [];

    public void Out(ushort port, uint value, int size = 1) => owner.Ports.Write(port, value, size);

    public uint In(ushort port, int size = 1) => (uint)owner.Ports.Read(port, size);

    public ulong Load(ulong address, int size = 1) => owner.Memory.Read(address, size);

    public void Store(ulong address, ulong value, int size = 1) => owner.Memory.Write(address, value, size);

    public VcpuExit Run()
    {
        Assert.Equal(0, Interlocked.Exchange(ref _running, 1));
        Assert.Equal(Index, CurrentVcpu.Index);
        try
        {
            while (Interlocked.Exchange(ref _kicked, 0) == 0)
            {
                if (_state.WaitForSipi || !_steps!.MoveNext() || _steps.Current.Halt)
                {
                    Wait();
                }
                else if (_steps.Current.Exit is VcpuExit exit)
                {
                    return exit;
                }

                Statistics.Instructions++;
            }

            return new VcpuExit(VcpuExitReason.Kicked);
        }
        finally
        {
            Volatile.Write(ref _running, 0);
        }
    }

    public void Kick()
    {
        ObjectDisposedException.ThrowIf(Disposed, this);
        Volatile.Write(ref _kicked, 1);
        _wake.Set();
    }

    public VcpuExit Step() => throw new NotSupportedException();

    public X86State GetState() => _state;

    public void SetState(X86State state)
    {
        Assert.Equal(0, Volatile.Read(ref _running));
        _state = state;
        States.Add(state);
        _steps = script(this).GetEnumerator();
    }

    public void NotifyInterrupt()
    {
        ObjectDisposedException.ThrowIf(Disposed, this);
        _wake.Set();
    }

    public void RaiseNmi() => Signals.Add("nmi");

    public void RaiseInit() => Signals.Add("init");

    public void RaiseSipi(byte vector) => Signals.Add($"sipi {vector:x2}");

    public void Dispose()
    {
        Disposed = true;
        _wake.Dispose();
    }

    private void Wait()
    {
        while (Volatile.Read(ref _kicked) == 0 && !Apic.HasPendingInterrupt)
        {
            _wake.Wait();
            _wake.Reset();
        }
    }
}
