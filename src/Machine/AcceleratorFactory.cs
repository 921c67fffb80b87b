using Emu.Accel.Kvm;
using Emu.Accel.Tcg;
using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;
using Emu.Core.Time;

namespace Emu.Machine;

/// <summary>The parts of a machine that an accelerator works on.</summary>
/// <param name="Memory">Guest-physical memory.</param>
/// <param name="Ports">The port space.</param>
/// <param name="Clock">Virtual time.</param>
/// <param name="Model">CPUID and feature policy.</param>
/// <param name="Lock">The machine lock.</param>
/// <param name="Notice">Takes one line for the user.</param>
/// <param name="Log">Takes the lines of <c>-d</c>, or null when nothing is logged.</param>
public sealed record AcceleratorContext(
    AddressSpace Memory, AddressSpace Ports, IClock Clock, CpuModel Model, MachineLock Lock, Action<string> Notice, Action<string>? Log);

/// <summary>Makes the first accelerator of the configuration that works on this host and for this guest.</summary>
public static class AcceleratorFactory
{
    private const string IrqChipProperty = "kernel-irqchip";

    /// <summary>Tries the accelerators in order, saying why one is passed over.</summary>
    /// <exception cref="MachineConfigException">None works.</exception>
    public static IAccelerator Create(MachineConfig config, AcceleratorContext context)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(context);
        var reasons = new List<string>();
        foreach (AcceleratorSpec spec in config.Accelerators)
        {
            string? reason = TryCreate(spec, config, context, out IAccelerator? accelerator);
            if (accelerator is not null)
            {
                if (!config.FallsBackSilently)
                {
                    reasons.ForEach(passed => context.Notice($"{passed}; using {accelerator.Name}"));
                }

                return accelerator;
            }

            reasons.Add($"{spec.Name}: {reason}");
        }

        string hint = config.Accelerators.Any(spec => spec.Name == "tcg") ? "" : "; use -accel tcg, or -accel kvm:tcg to fall back";
        throw new MachineConfigException("-accel", string.Join("; ", reasons) + hint);
    }

    /// <summary>Why the accelerator called <paramref name="name"/> cannot be used on this host, in a few words, or null when it can.</summary>
    public static string? WhyNot(string name) => name switch
    {
        "tcg" => null,
        "kvm" => KvmAvailability.WhyNot() ?? KvmProbe.Host.Problem,
        _ => "no such accelerator",
    };

    /// <summary>True when the accelerator called <paramref name="name"/> works on this host but cannot run all guests.</summary>
    public static bool IsPartial(string name) => name == "kvm" && KvmProbe.Host is { Problem: null, RunsPrivilegedCode: false };

    private static string? TryCreate(AcceleratorSpec spec, MachineConfig config, AcceleratorContext context, out IAccelerator? accelerator)
    {
        accelerator = null;
        switch (spec.Name)
        {
            case "tcg":
                accelerator = CreateTcg(spec, config, context);
                return null;
            case "kvm":
                return TryCreateKvm(spec, config, context, out accelerator);
            default:
                return WhyNot(spec.Name);
        }
    }

    private static TcgAccelerator CreateTcg(AcceleratorSpec spec, MachineConfig config, AcceleratorContext context)
    {
        if (spec.Properties.GetValueOrDefault("thread") == "single" && config.Smp.Cpus > 1)
        {
            context.Notice("-accel tcg: thread=single is not there yet; each CPU gets a thread");
        }

        TcgOptions options = TcgSettings.Read(spec, config, context.Log);
        return new TcgAccelerator(new TcgEnvironment(context.Memory, context.Ports, context.Clock, context.Model, context.Lock, options)
        {
            IsUniprocessor = config.Smp.Cpus == 1,
        });
    }

    private static string? TryCreateKvm(AcceleratorSpec spec, MachineConfig config, AcceleratorContext context, out IAccelerator? accelerator)
    {
        accelerator = null;
        if ((KvmAvailability.WhyNot() ?? KvmUsability.WhyNot(KvmProbe.Host, config)) is string reason)
        {
            return reason;
        }

        try
        {
            accelerator = new KvmAccelerator(
                new KvmEnvironment(context.Memory, context.Ports, context.Clock, context.Model, context.Lock, IrqChipOf(spec, config)));
            return null;
        }
        catch (KvmException exception)
        {
            return exception.Message;
        }
    }

    // -accel kvm,kernel-irqchip= is QEMU's place for it, -machine kernel-irqchip= the older one.
    private static KernelIrqChipMode IrqChipOf(AcceleratorSpec spec, MachineConfig config)
    {
        string? text = spec.Properties.GetValueOrDefault(IrqChipProperty) ?? config.Machine.Properties.GetValueOrDefault(IrqChipProperty);
        return text switch
        {
            "on" => KernelIrqChipMode.On,
            "off" => KernelIrqChipMode.Off,
            _ => KernelIrqChipMode.Split,
        };
    }
}

/// <summary>Whether KVM can run the guest of a configuration.</summary>
internal static class KvmUsability
{
    /// <summary>Why <paramref name="config"/> is not to be run on a KVM that behaves as <paramref name="probe"/> says, or null.</summary>
    public static string? WhyNot(KvmProbe probe, MachineConfig config)
    {
        if (probe.Problem is not null || probe.RunsPrivilegedCode)
        {
            return probe.Problem;
        }

        // Raw images may be of the kind that runs there; whoever asks for nothing but kvm gets to try.
        bool mayTry = config.Accelerators.Count == 1 && config.Boot.Kernel is null && config.Boot.Bios is null;
        return mayTry ? null : KvmProbe.EmulatesPrivilegedCode;
    }
}

/// <summary>Whether this host offers KVM to this user.</summary>
public static class KvmAvailability
{
    private const string DefaultDevice = "/dev/kvm";

    /// <summary>Why KVM cannot be used, with what to do about it, or null when <paramref name="device"/> can be opened.</summary>
    public static string? WhyNot(string device = DefaultDevice)
    {
        if (!OperatingSystem.IsLinux())
        {
            return "KVM is a part of Linux; this host has none";
        }

        if (!File.Exists(device))
        {
            return $"{device} is missing: turn virtualisation on in the host's firmware, or nested virtualisation in its hypervisor";
        }

        try
        {
            using var handle = File.OpenHandle(device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            return null;
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return exception is UnauthorizedAccessException
                ? $"{device} may not be opened by this user: join its group (usually kvm)"
                : $"{device} cannot be opened: {exception.Message.TrimEnd('.')}";
        }
    }
}
