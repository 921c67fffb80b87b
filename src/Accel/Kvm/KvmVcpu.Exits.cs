using System.Buffers.Binary;
using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <content>What each exit of KVM_RUN means. Null goes on; anything else ends <see cref="Run"/>.</content>
internal sealed partial class KvmVcpu
{
    private const uint SuberrorEmulation = 1;

    private VcpuExit? HandleRun(int result)
    {
        if (_context.Coalesced.HasEntries)
        {
            _context.Coalesced.Drain();
        }

        FollowApicRegisters();
        return result switch
        {
            >= 0 => HandleExit(_run.ExitReason),

            // A kick, or a CPU that has just been started by its INIT or start-up IPI.
            -Errno.Interrupted or -Errno.Again => null,
            -Errno.NoMemory => Fail("KVM is out of memory while it runs the guest"),
            _ => throw KvmException.Failed($"KVM_RUN of vCPU {Index} failed", -result),
        };
    }

    private VcpuExit? HandleExit(KvmExitReason reason)
    {
        CountExit(reason);
        return reason switch
        {
            KvmExitReason.Io => HandleIo(),
            KvmExitReason.Mmio => HandleMmio(),
            KvmExitReason.Hlt => HandleHlt(),
            KvmExitReason.IoApicEoi => HandleEoi(),

            // All three only let the loop look at interrupts again; the task priority has been followed already.
            KvmExitReason.IrqWindowOpen or KvmExitReason.Intr or KvmExitReason.SetTpr => null,
            KvmExitReason.Shutdown => new VcpuExit(VcpuExitReason.Shutdown),
            KvmExitReason.SystemEvent => HandleSystemEvent(),
            KvmExitReason.Debug => new VcpuExit(VcpuExitReason.Stepped),
            KvmExitReason.InternalError => HandleInternalError(),
            KvmExitReason.FailEntry => Fail($"the host's processor refuses to enter the guest, hardware reason 0x{_run.Reason:x}"),
            KvmExitReason.Unknown => Fail($"KVM does not know why the guest was left, hardware reason 0x{_run.Reason:x}"),
            KvmExitReason.Exception => Fail($"unexpected exception {_run.Code} in the guest, error code 0x{_run.Count:x}"),
            KvmExitReason.Hypercall => Fail($"KVM hands on hypercall {_run.Reason}, which was not asked for"),
            _ => Fail($"exit reason {(int)reason} of KVM is not known"),
        };
    }

    private VcpuExit? HandleIo()
    {
        Span<byte> data = _run.IoData;
        int size = _run.IoSize;
        ushort port = _run.IoPort;
        if (data.IsEmpty || size is not (1 or 2 or 4))
        {
            return Fail($"KVM reports port I/O of {_run.IoCount} × {size} bytes, which cannot be");
        }

        bool write = _run.IoIsWrite;
        _statistics.PortAccesses += (ulong)_run.IoCount;
        AddressSpace ports = _context.Environment.Ports;
        int never = 0; // KVM has counted all of them already
        while (!data.IsEmpty)
        {
            int elements = write ? ports.WriteRepeated(port, data, size, in never) : ports.ReadRepeated(port, data, size, in never);
            data = data[(elements * size)..];
        }

        return null;
    }

    private VcpuExit? HandleMmio()
    {
        Span<byte> data = _run.MmioData;
        AddressSpace memory = _context.Environment.Memory;
        _statistics.MmioAccesses++;
        if (_run.MmioIsWrite)
        {
            memory.WriteAnySize(_run.MmioAddress, Load(data, data.Length), data.Length);
        }
        else
        {
            Store(data, memory.ReadAnySize(_run.MmioAddress, data.Length), data.Length);
        }

        return null;
    }

    private VcpuExit? HandleHlt()
    {
        // With the local APIC in the kernel there is no such exit: KVM waits itself.
        _halted = _apic is not null;
        return null;
    }

    private VcpuExit? HandleEoi()
    {
        byte vector = _run.EoiVector;
        using (_context.Environment.Lock.Enter())
        {
            _context.IrqChip?.RaiseEndOfInterrupt(vector);
        }

        return null;
    }

    private VcpuExit? HandleSystemEvent()
    {
        const uint ShutDown = 1;
        const uint Reset = 2;
        return _run.Code switch
        {
            ShutDown => new VcpuExit(VcpuExitReason.Shutdown, "the guest asked KVM to shut down"),
            Reset => new VcpuExit(VcpuExitReason.Shutdown, "the guest asked KVM for a reset"),
            uint type => Fail($"system event {type} of KVM, data 0x{_run.Data(0):x}"),
        };
    }

    private VcpuExit? HandleInternalError()
    {
        if (_run.Code == SuberrorEmulation)
        {
            string bytes = _run.InstructionBytes.IsEmpty ? "" : $" ({Convert.ToHexStringLower(_run.InstructionBytes)})";
            return Fail($"KVM cannot run the guest's instruction{bytes}", addAddress: true);
        }

        string data = string.Join(' ', Enumerable.Range(0, (int)Math.Min(_run.Count, 16)).Select(i => $"{_run.Data(i):x}"));
        return Fail($"internal error {_run.Code} of KVM{(data.Length == 0 ? "" : ", data " + data)}");
    }

    // One line, and the registers as they are.
    private VcpuExit Fail(string what, bool addAddress = false)
    {
        SyncRegisters(dispatch: false);
        string where = addAddress ? $" at {_run.Sregs.Cs.Selector:x4}:{_run.Regs.Rip:x}" : "";
        return new VcpuExit(VcpuExitReason.InternalError, what + where, KvmRegisterDump.Format(_run.Regs, _run.Sregs));
    }

    private static ulong Load(ReadOnlySpan<byte> data, int size)
    {
        Span<byte> value = stackalloc byte[8];
        value.Clear();
        data[..size].CopyTo(value);
        return BinaryPrimitives.ReadUInt64LittleEndian(value);
    }

    private static void Store(Span<byte> data, ulong value, int size)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        bytes[..size].CopyTo(data);
    }
}
