using Emu.Accel.Kvm.Native;

namespace Emu.Accel.Kvm;

/// <summary>The opened KVM device: what the host offers, and virtual machines.</summary>
internal sealed class KvmSystem : IDisposable
{
    public const string DefaultDevice = "/dev/kvm";

    private const int ApiVersion = 12;
    private const int LargestCpuid = 256;
    private const int SyncRegisters = 7;

    // Without these the accelerator has nothing to stand on; all are in Linux 4.17 (2018).
    private static readonly (KvmCapability Capability, int Least, string Name)[] Required =
    [
        (KvmCapability.UserMemory, 1, "KVM_CAP_USER_MEMORY"),
        (KvmCapability.ReadOnlyMemory, 1, "KVM_CAP_READONLY_MEM"),
        (KvmCapability.ImmediateExit, 1, "KVM_CAP_IMMEDIATE_EXIT"),
        (KvmCapability.SyncRegs, SyncRegisters, "KVM_CAP_SYNC_REGS"),
        (KvmCapability.VcpuEvents, 1, "KVM_CAP_VCPU_EVENTS"),
        (KvmCapability.DebugRegs, 1, "KVM_CAP_DEBUGREGS"),
        (KvmCapability.Xsave, 1, "KVM_CAP_XSAVE"),
        (KvmCapability.UserNmi, 1, "KVM_CAP_USER_NMI"),
    ];

    private readonly int _fd;
    private bool _disposed;

    private KvmSystem(IKvmKernel kernel, int fd)
    {
        Kernel = kernel;
        _fd = fd;
    }

    /// <summary>The kernel underneath.</summary>
    public IKvmKernel Kernel { get; }

    /// <summary>Opens <paramref name="device"/> and checks that it is a KVM that can be worked with.</summary>
    /// <exception cref="KvmException">It is not, in one line.</exception>
    public static KvmSystem Open(IKvmKernel kernel, string device = DefaultDevice)
    {
        int fd = kernel.Open(device);
        if (fd < 0)
        {
            throw -fd switch
            {
                Errno.NotFound => new KvmException($"{device} is missing"),
                Errno.AccessDenied => new KvmException($"{device} may not be opened by this user: join its group (usually kvm)"),
                _ => KvmException.Failed($"{device} cannot be opened", -fd),
            };
        }

        var system = new KvmSystem(kernel, fd);
        try
        {
            system.Check(device);
            return system;
        }
        catch
        {
            system.Dispose();
            throw;
        }
    }

    /// <summary>The answer of KVM_CHECK_EXTENSION: 0 when the capability is missing.</summary>
    public int Has(KvmCapability capability) => Math.Max(0, Kernel.Ioctl(_fd, KvmIoctl.CheckExtension, (nint)capability));

    /// <summary>What KVM_GET_API_VERSION says.</summary>
    public int GetApiVersion() => Kernel.Ioctl(_fd, KvmIoctl.GetApiVersion, 0);

    /// <summary>Bytes of a vCPU's shared memory.</summary>
    public int GetVcpuMapSize() => Kernel.Ioctl(_fd, KvmIoctl.GetVcpuMmapSize, 0);

    /// <summary>Creates an empty virtual machine.</summary>
    public KvmVm CreateVm()
    {
        int vm;
        do
        {
            vm = Kernel.Ioctl(_fd, KvmIoctl.CreateVm, 0);
        }
        while (vm == -Errno.Interrupted);
        return vm >= 0 ? new KvmVm(this, vm) : throw KvmException.Failed("KVM cannot create a virtual machine", -vm);
    }

    /// <summary>The CPUID leaves that this host can give a guest.</summary>
    public unsafe KvmCpuidEntry[] GetSupportedCpuid()
    {
        Span<byte> buffer = new byte[8 + (LargestCpuid * sizeof(KvmCpuidEntry))];
        fixed (byte* start = buffer)
        {
            *(uint*)start = LargestCpuid;
            int result = Kernel.Ioctl(_fd, KvmIoctl.GetSupportedCpuid, (nint)start);
            return result >= 0
                ? new ReadOnlySpan<KvmCpuidEntry>(start + 8, (int)Math.Min(*(uint*)start, LargestCpuid)).ToArray()
                : throw KvmException.Failed("KVM does not say what CPUID it supports", -result);
        }
    }

    /// <summary>The MSRs that hold guest state on this host.</summary>
    public unsafe uint[] GetMsrIndices()
    {
        uint count = 0;
        int result = Kernel.Ioctl(_fd, KvmIoctl.GetMsrIndexList, (nint)(&count));
        if (result < 0 && result != -Errno.TooBig)
        {
            throw KvmException.Failed("KVM does not list its MSRs", -result);
        }

        uint[] buffer = new uint[count + 1];
        buffer[0] = count;
        fixed (uint* start = buffer)
        {
            result = Kernel.Ioctl(_fd, KvmIoctl.GetMsrIndexList, (nint)start);
        }

        return result >= 0 ? buffer[1..] : throw KvmException.Failed("KVM does not list its MSRs", -result);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            Kernel.Close(_fd);
        }
    }

    private void Check(string device)
    {
        int version = GetApiVersion();
        if (version != ApiVersion)
        {
            throw version == -Errno.NoTty
                ? new KvmException($"{device} is not a KVM device")
                : new KvmException($"{device} has version {version} of the KVM API, not {ApiVersion}");
        }

        string[] missing = [.. Required.Where(row => (Has(row.Capability) & row.Least) != row.Least).Select(row => row.Name)];
        if (missing.Length > 0)
        {
            throw new KvmException($"{device} lacks {string.Join(", ", missing)}: the host's kernel is too old");
        }
    }
}
