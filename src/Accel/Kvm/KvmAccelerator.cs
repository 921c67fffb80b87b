using Emu.Accel.Kvm.Native;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <summary>The host's virtualisation: every vCPU runs guest code on the processor itself, by KVM.</summary>
public sealed class KvmAccelerator : IAccelerator, IMemoryListener
{
    private readonly KvmSystem _system;
    private readonly KvmVm _vm;
    private readonly KvmContext _context;
    private readonly KvmMemory _memory;
    private readonly KvmEventThread _events;
    private readonly KvmDoorbells _memoryDoorbells;
    private readonly KvmPorts _ports;
    private readonly List<KvmVcpu> _vcpus = [];
    private ulong? _stoppedClock;
    private bool _disposed;

    /// <summary>Creates a virtual machine on <c>/dev/kvm</c> that follows the address spaces of <paramref name="environment"/>.</summary>
    /// <exception cref="KvmException">The host cannot give one; the message is one line.</exception>
    public KvmAccelerator(KvmEnvironment environment)
        : this(environment, HostKernel.Instance)
    {
    }

    internal KvmAccelerator(KvmEnvironment environment, IKvmKernel kernel, string device = KvmSystem.DefaultDevice)
    {
        ArgumentNullException.ThrowIfNull(environment);
        KickSignal.Install();
        var built = new Stack<IDisposable>();
        try
        {
            built.Push(_system = KvmSystem.Open(kernel, device));
            built.Push(_vm = _system.CreateVm());
            built.Push(_events = new KvmEventThread(environment.Lock));
            _context = new KvmContext(_vm, environment);
            _memory = new KvmMemory(_vm);
            _memoryDoorbells = new KvmDoorbells(_vm, _events, isPort: false);
            _ports = new KvmPorts(_vm, _events, _context);
            _vm.ReservePages();
            _context.IrqChip = environment.IrqChip == KernelIrqChipMode.Off
                ? null : KvmIrqChip.Create(_vm, environment.IrqChip == KernelIrqChipMode.On, _events, environment.Lock);
            environment.Memory.AddListener(this);
            environment.Ports.AddListener(_ports);
        }
        catch
        {
            environment.Memory.RemoveListener(this);
            while (built.TryPop(out IDisposable? part))
            {
                part.Dispose();
            }

            throw;
        }
    }

    /// <inheritdoc/>
    public string Name => "kvm";

    /// <inheritdoc/>
    public IKernelIrqChip? IrqChip => _context.IrqChip;

    /// <summary>Memory slots in use.</summary>
    internal int SlotCount => _memory.Count;

    /// <inheritdoc/>
    public IVcpu CreateVcpu(int index, ILocalApic? apic)
    {
        if (apic is null != (_context.IrqChip is not null))
        {
            throw new ArgumentException("The local APIC is either the board's or KVM's.", nameof(apic));
        }

        // The 8259s' INT goes to the boot processor.
        IInterruptSource? pic = _context.IrqChip is { HasIoChips: false } chip && index == 0 ? chip : null;
        var vcpu = new KvmVcpu(index, _context, apic, pic);
        _context.IrqChip?.Add(vcpu);
        _context.Gate.Add(vcpu);
        _vcpus.Add(vcpu);
        return vcpu;
    }

    /// <inheritdoc/>
    public void SetClockRunning(bool running)
    {
        // kvm-clock goes on from where it stopped, and the guest's watchdogs are told that it was not running.
        if (!running)
        {
            _stoppedClock = _vm.GetClock();
        }
        else if (_stoppedClock is ulong clock)
        {
            _stoppedClock = null;
            _vm.SetClock(clock);
            foreach (KvmVcpu vcpu in _vcpus)
            {
                _ = vcpu.Ioctl(KvmIoctl.KvmClockCtrl, 0); // EINVAL from guests that do not use kvm-clock
            }
        }
    }

    /// <inheritdoc/>
    public void OnMapChanged(FlatView before, FlatView after, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added)
    {
        ArgumentNullException.ThrowIfNull(after);
        _context.Coalesced.Update(isPort: false, removed, added);
        _memoryDoorbells.Update(after);
        if (removed.Any(range => KvmMemory.HasSlot(range)))
        {
            _context.Gate.RunExclusively(() =>
            {
                _memory.Remove(removed);
                _memory.Add(added);
            });
        }
        else
        {
            _memory.Add(added);
        }
    }

    /// <summary>
    /// Turns the log of the pages that the guest writes on or off, beside <see cref="GuestRam.SetDirtyLogging"/> for those that
    /// devices write. The machine lock must be held.
    /// </summary>
    public void SetDirtyLogging(bool enabled) => _memory.SetDirtyLogging(enabled);

    /// <summary>Moves what the guest has written into the dirty flags of its RAM, where <see cref="GuestRam.TakeDirtyPages"/> finds them. The machine lock must be held.</summary>
    public void CollectDirtyPages() => _memory.CollectDirtyPages();

    /// <summary>Hands writes that KVM has collected to their devices, for those that look at them on their own (a display).</summary>
    public void FlushCoalescedWrites() => _context.Coalesced.Drain();

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _context.Environment.Memory.RemoveListener(this);
            _context.Environment.Ports.RemoveListener(_ports);
            _events.Dispose();
            _memoryDoorbells.Clear();
            _ports.Clear();
            _vm.Dispose();
            _system.Dispose();
        }
    }
}
