using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.Debian;

/// <summary>One boot with the default CPU: the commands are run once, the tests look at what they printed.</summary>
public sealed class DebianSession
{
    private static readonly string[] Commands =
    [
        "uname -srm", "cat /proc/cpuinfo", "dd if=/dev/zero of=/tmp/zero bs=1M count=16; wc -c </tmp/zero", "sha256sum known.txt",
        "sleep 1", "date -u +%s", "dmesg", "grep MemTotal /proc/meminfo",
    ];

    private readonly Dictionary<string, CommandResult> _results = [];

    /// <summary>Boots, runs the commands, turns the guest off.</summary>
    public DebianSession()
    {
        if (DebianImage.WhySkip is not null)
        {
            return;
        }

        using var debian = new DebianMachine(new MachineConfig().CpuModel);
        debian.WaitForShell();
        foreach (string command in Commands)
        {
            _results.Add(command, debian.Run(command));
        }

        ExitCode = debian.RunToEnd("poweroff -f");
    }

    /// <summary>Exit code after <c>poweroff -f</c>.</summary>
    public int ExitCode { get; }

    internal CommandResult this[string command] => _results[command];
}

[Collection(AloneCollection.Name)]
public sealed partial class DebianBootTests(DebianSession session) : IClassFixture<DebianSession>
{
    // Linux's names where they are not QEMU's with underscores.
    private static readonly Dictionary<CpuFeature, string> LinuxNames = new()
    {
        [CpuFeature.Sse3] = "pni",
        [CpuFeature.TscDeadline] = "tsc_deadline_timer",
        [CpuFeature.Amd3dnowext] = "3dnowext",
        [CpuFeature.Amd3dnow] = "3dnow",
        [CpuFeature.Prefetchw] = "3dnowprefetch",
    };

    // Linux takes it for granted on every 64-bit CPU of AMD.
    private const CpuFeature ImpliedByLinux = CpuFeature.Prefetchw;

    [DebianFact]
    public void PowerOff_EndsWithZero() => Assert.Equal(0, session.ExitCode);

    [DebianFact]
    public void Uname_NamesTheKernel() => Assert.Matches("^Linux [0-9.]+-[0-9]+-cloud-amd64 x86_64$", Output("uname -srm"));

    [DebianFact]
    public void CpuInfo_AgreesWithTheModel()
    {
        CpuModel model = CpuModel.Parse(new MachineConfig().CpuModel);
        string info = Output("cat /proc/cpuinfo");

        HashSet<string> flags = [.. CpuInfoLine().Match(info).Groups[1].Value.Split(' ')];
        Assert.All(model.Features, feature => Assert.Contains(LinuxName(feature), flags));
        Assert.All(CpuFeatureTable.All.Where(feature => !model.Has(feature.Feature) && feature.Feature != ImpliedByLinux), feature => Assert.DoesNotContain(LinuxName(feature), flags));
        Assert.Contains($"address sizes\t: {model.PhysicalAddressBits} bits physical, {model.LinearAddressBits} bits virtual", info, StringComparison.Ordinal);
    }

    [DebianFact]
    public void Dd_CopiesAll()
    {
        CommandResult result = session["dd if=/dev/zero of=/tmp/zero bs=1M count=16; wc -c </tmp/zero"];

        Assert.Contains("16+0 records out", result.Output, StringComparison.Ordinal);
        Assert.EndsWith("\n16777216", result.Output, StringComparison.Ordinal);
    }

    [DebianFact]
    public void Sha256Sum_OfTheKnownFile_IsRight()
    {
        string content = string.Concat(Enumerable.Range(1, 131072).Select(number => number.ToString("000000\n", CultureInfo.InvariantCulture)));

        Assert.Equal($"{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(content)))}  known.txt", Output("sha256sum known.txt"));
    }

    [DebianFact]
    public void Sleep_TakesThatLongOnTheHost() => Assert.InRange(session["sleep 1"].Time.TotalSeconds, 0.9, 1.6);

    [DebianFact]
    public void Date_IsTheHosts()
    {
        CommandResult result = session["date -u +%s"];

        Assert.InRange(long.Parse(result.Output, CultureInfo.InvariantCulture) - result.Start.ToUnixTimeSeconds(), -5, 5);
    }

    [DebianFact]
    public void Memory_IsWhatTheMachineHas()
    {
        long kilobytes = long.Parse(Regex.Match(Output("grep MemTotal /proc/meminfo"), "[0-9]+").Value, CultureInfo.InvariantCulture);

        // The kernel keeps its own image and tables out of the sum.
        Assert.InRange(kilobytes, 400 << 10, 512 << 10);
    }

    [DebianFact]
    public void KernelLog_HasNoComplaint()
    {
        Assert.Contains("Run /init as init process", Output("dmesg"), StringComparison.Ordinal);
        Assert.Empty(Complaints(Output("dmesg")));
    }

    [DebianFact]
    public void CpuMax_BootsOnTwoCpus_AndARebootEndsTheMachine()
    {
        using var debian = new DebianMachine("max", cpus: 2);
        debian.WaitForShell();

        // Warnings still come to the console, but not the news that the kernel has a second after its start.
        _ = debian.Run("dmesg -n 5");
        Assert.Equal("2", debian.Run("grep -c ^processor /proc/cpuinfo").Output);

        Assert.Equal(0, debian.RunToEnd("reboot -f"));
        Assert.Empty(Complaints(debian.Text));
        Assert.Equal(1, Regex.Count(debian.Text, DebianImage.ReadyMarker));
    }

    private static string[] Complaints(string log) => [.. log.Split('\n').Where(line => Complaint().IsMatch(line))];

    private static string LinuxName(CpuFeatureInfo feature) =>
        LinuxNames.GetValueOrDefault(feature.Feature) ?? feature.Name.Replace('-', '_').Replace('.', '_');

    private string Output(string command)
    {
        CommandResult result = session[command];
        Assert.Equal(0, result.Status);
        return result.Output;
    }

    [GeneratedRegex("^flags\t+: (.*)$", RegexOptions.Multiline)]
    private static partial Regex CpuInfoLine();

    [GeneratedRegex(@"WARNING|\bBUG\b|Oops|[Uu]nexpected|Call Trace|lockup|unstable|[Ss]egfault")]
    private static partial Regex Complaint();
}
