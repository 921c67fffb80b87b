using System.Globalization;
using System.Text;
using System.Text.Json;
using Emu.Cli.Options;
using Emu.Machine;

namespace Emu.Cli;

/// <summary><c>emu doctor [--json]</c>: what this host offers, and what would be chosen.</summary>
internal static class DoctorCommand
{
    /// <summary>The first word of the command line that asks for it.</summary>
    public const string Name = "doctor";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The report; <paramref name="args"/> is the command line with the word itself.</summary>
    /// <exception cref="OptionException">There is more on the command line than it takes.</exception>
    public static string Run(IReadOnlyList<string> args)
    {
        bool json = args.Count == 2 && args[1] is "--json" or "-json";
        if (args.Count > 1 && !json)
        {
            throw new OptionException($"doctor: '{args[1]}' is not known; it takes --json or nothing");
        }

        HostReport report = HostReport.Create();
        return json ? JsonSerializer.Serialize(report, Json) + "\n" : Format(report);
    }

    /// <summary>The report as people read it.</summary>
    public static string Format(HostReport report)
    {
        HostKvm kvm = report.Kvm;
        var text = new StringBuilder();
        Line("host", $"{report.Architecture}, {report.OperatingSystem}, {report.Processors} processors");
        Line("processor", report.ProcessorFlag is string flag ? $"announces {flag}" : "announces neither vmx nor svm");
        Line(kvm.Device, kvm.Problem ?? $"opens, API version {kvm.ApiVersion}");
        if (kvm.Observation is not null)
        {
            string kind = kvm.Kind == "hardware" ? "runs guests on the processor" : "emulates privileged code, as KVM without hardware virtualisation does";
            Line("kind of KVM", $"{kind}: {kvm.Observation} ({kvm.ProbeMilliseconds.ToString("0.0", CultureInfo.InvariantCulture)} ms)");
        }

        foreach (HostCapability capability in kvm.Capabilities)
        {
            string answer = capability.Value switch { 0 => "no", 1 => "yes", int value => $"yes, {value}" };
            text.Append(CultureInfo.InvariantCulture, $"  {capability.Name,-22} {answer,-12} {capability.Use}\n");
        }

        Line("-accel kvm:tcg", $"would take {report.Choice} for a Linux guest: {report.Reason}");
        return text.ToString();

        void Line(string name, string value) => text.Append(CultureInfo.InvariantCulture, $"{name + ":",-16} {value}\n");
    }
}
