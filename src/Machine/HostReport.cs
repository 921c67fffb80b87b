using System.Runtime.InteropServices;
using Emu.Accel.Kvm;

namespace Emu.Machine;

/// <summary>One capability of the host's KVM.</summary>
/// <param name="Name">Name as in linux/kvm.h, without KVM_CAP_.</param>
/// <param name="Value">KVM's answer; 0 is no.</param>
/// <param name="Use">What it is for here.</param>
public sealed record HostCapability(string Name, int Value, string Use);

/// <summary>What the host's KVM is.</summary>
/// <param name="Device">Path of the device.</param>
/// <param name="Problem">Why it cannot be used at all, or null.</param>
/// <param name="Kind"><c>hardware</c>, <c>emulating</c>, or <c>none</c>.</param>
/// <param name="Observation">What was seen that says so.</param>
/// <param name="ProbeMilliseconds">Time that took.</param>
/// <param name="ApiVersion">Version of the KVM API, or null.</param>
/// <param name="Capabilities">Capabilities that matter.</param>
public sealed record HostKvm(
    string Device, string? Problem, string Kind, string? Observation, double ProbeMilliseconds, int? ApiVersion, IReadOnlyList<HostCapability> Capabilities);

/// <summary>What this host offers and what would be chosen: <c>emu doctor</c>.</summary>
/// <param name="Architecture">Processor architecture.</param>
/// <param name="OperatingSystem">Operating system.</param>
/// <param name="Processors">Logical processors.</param>
/// <param name="ProcessorFlag"><c>vmx</c>, <c>svm</c> or null: what the processor says of hardware virtualisation.</param>
/// <param name="Kvm">The state of KVM.</param>
/// <param name="Choice">What <c>-accel kvm:tcg</c> takes for a Linux guest.</param>
/// <param name="Reason">Why.</param>
public sealed record HostReport(
    string Architecture, string OperatingSystem, int Processors, string? ProcessorFlag, HostKvm Kvm, string Choice, string Reason)
{
    private const string Device = "/dev/kvm";

    /// <summary>Looks at this host.</summary>
    public static HostReport Create()
    {
        HostKvm kvm = ReadKvm();
        var linux = new MachineConfig { Accelerators = [new AcceleratorSpec("kvm"), AcceleratorSpec.Tcg], Boot = new BootSpec { Kernel = "vmlinuz" } };
        string? against = kvm.Problem ?? KvmUsability.WhyNot(KvmProbe.Host, linux);
        return new HostReport(
            RuntimeInformation.OSArchitecture.ToString(),
            RuntimeInformation.OSDescription,
            Environment.ProcessorCount,
            ReadProcessorFlag(),
            kvm,
            against is null ? "kvm" : "tcg",
            against ?? "this host's KVM runs privileged code on the processor");
    }

    private static HostKvm ReadKvm()
    {
        if (KvmAvailability.WhyNot(Device) is string reason)
        {
            return new HostKvm(Device, reason, "none", null, 0, null, []);
        }

        try
        {
            KvmHostFacts facts = KvmHostFacts.Read();
            string kind = facts.Probe.Problem is not null ? "none" : facts.Probe.RunsPrivilegedCode ? "hardware" : "emulating";
            return new HostKvm(
                Device, facts.Probe.Problem, kind, facts.Probe.Observation, facts.Probe.Duration.TotalMilliseconds, facts.ApiVersion,
                [.. facts.Capabilities.Select(fact => new HostCapability(fact.Name, fact.Value, fact.Use))]);
        }
        catch (KvmException exception)
        {
            return new HostKvm(Device, exception.Message, "none", null, 0, null, []);
        }
    }

    private static string? ReadProcessorFlag()
    {
        const string Info = "/proc/cpuinfo";
        if (!File.Exists(Info))
        {
            return null;
        }

        string[] flags = File.ReadLines(Info).FirstOrDefault(line => line.StartsWith("flags", StringComparison.Ordinal))?.Split(' ') ?? [];
        return flags.FirstOrDefault(flag => flag is "vmx" or "svm");
    }
}
