using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;

namespace Emu.Compare;

/// <summary>The machine and the programs of a comparison, without names that identify a particular machine.</summary>
/// <param name="Cpu">Model of the processor.</param>
/// <param name="Cpus">Number of processors.</param>
/// <param name="MemoryGib">RAM in GiB.</param>
/// <param name="System">Operating system.</param>
/// <param name="DotNet">Version of .NET.</param>
/// <param name="Qemu">Version of QEMU, or null when it was left out.</param>
internal sealed partial record HostDescription(string Cpu, int Cpus, int MemoryGib, string System, string DotNet, string? Qemu)
{
    /// <summary>A short name for files: letters, digits and hyphens.</summary>
    public string FileName => string.Create(CultureInfo.InvariantCulture, $"{NotInName().Replace(Cpu, "-").Trim('-').ToLowerInvariant()}-{Cpus}cpu");

    /// <summary>This machine.</summary>
    public static HostDescription Here(ComparisonOptions options)
    {
        string cpu = Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string system = Field("/etc/os-release", "PRETTY_NAME")?.Trim('"') ?? RuntimeInformation.OSDescription;
        long bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        return new HostDescription(cpu, Environment.ProcessorCount, (int)Math.Round(bytes / (double)(1 << 30)), system, Environment.Version.ToString(),
            options.Qemu ? Checkout.Need(Checkout.QemuProgram, "--version", "qemu-system-x86") : null);
    }

    private static string? Field(string file, string key) => !File.Exists(file)
        ? null
        : File.ReadLines(file).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split([':', '='], 2)[1].Trim();

    [GeneratedRegex("[^A-Za-z0-9]+")]
    private static partial Regex NotInName();
}
