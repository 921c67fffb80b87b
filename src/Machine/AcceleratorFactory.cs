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

/// <summary>Makes the first accelerator of the configuration that works on this host.</summary>
public static class AcceleratorFactory
{
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
                reasons.ForEach(passed => context.Notice($"{passed}; using {accelerator.Name}"));
                return accelerator;
            }

            reasons.Add($"{spec.Name}: {reason}");
        }

        string hint = config.Accelerators.Any(spec => spec.Name == "tcg") ? "" : "; use -accel tcg, or -accel kvm:tcg to fall back";
        throw new MachineConfigException("-accel", string.Join("; ", reasons) + hint);
    }

    /// <summary>Why the accelerator called <paramref name="name"/> cannot be used here, in a few words, or null when it can.</summary>
    public static string? WhyNot(string name) => name switch
    {
        "tcg" => null,
        "kvm" => KvmAvailability.WhyNot() ?? "not built into this version yet",
        _ => "no such accelerator",
    };

    private static string? TryCreate(AcceleratorSpec spec, MachineConfig config, AcceleratorContext context, out IAccelerator? accelerator)
    {
        accelerator = null;
        switch (spec.Name)
        {
            case "tcg":
                accelerator = CreateTcg(spec, config, context);
                return null;
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
        return new TcgAccelerator(new TcgEnvironment(context.Memory, context.Ports, context.Clock, context.Model, context.Lock, options));
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
