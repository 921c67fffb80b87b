using System.IO.Compression;
using System.Text;

namespace Emu.Compare;

/// <summary>What a case gave on one machine.</summary>
/// <param name="Machine">Name of the machine.</param>
/// <param name="Outcome">Exit status and digest of what was printed; what must agree.</param>
/// <param name="Seconds">Time by the host's clock.</param>
/// <param name="Failure">Why there is no outcome, or what the guest's kernel complains of; null when all went well.</param>
internal sealed record ProgramRun(string Machine, string Outcome, double Seconds, string? Failure)
{
    /// <summary>All that was printed, for runs that are shown; null where there is nothing.</summary>
    public string? Text { get; init; }
}

/// <summary>A machine that runs cases one after the other. It is started anew after one that it did not survive.</summary>
internal sealed class ProgramMachine(MachineSpec spec, string cpuModel) : IDisposable
{
    private const string Output = "/tmp/output";

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(180);
    private static readonly TimeSpan ShortLimit = TimeSpan.FromSeconds(120);

    private AgentMachine? _machine;

    /// <summary>Name of the machine.</summary>
    public string Name => spec.Name;

    /// <summary>Runs <paramref name="program"/>.</summary>
    public ProgramRun Run(ProgramCase program)
    {
        string folder = $"/tmp/{program.Name}";
        try
        {
            _machine ??= AgentMachine.Boot(spec, BootLimit);
            CommandResult before = _machine.Run($"rm -rf {folder} && mkdir {folder} && sync", ShortLimit);
            CommandResult result = _machine.Run($"cd {folder} && MODEL={cpuModel} exec sh /cases/{program.Name}.sh </dev/null >{Output} 2>&1", program.Limit);
            CommandResult digest = _machine.Run($"sha256sum <{Output}; rm -rf {folder}", ShortLimit);
            string kernel = string.Join('\n', ((string[])[before.KernelMessages, result.KernelMessages, digest.KernelMessages]).Where(text => text.Length > 0));
            return new ProgramRun(Name, $"status {result.Status}, {digest.Output}", result.HostSeconds, kernel.Length > 0 ? $"the guest's kernel says: {kernel}" : null);
        }
        catch (MachineFailure failure)
        {
            Dispose();
            return new ProgramRun(Name, "none", 0, failure.Message);
        }
    }

    /// <summary>What the last case printed; why that cannot be told, where it cannot.</summary>
    public string LastOutput()
    {
        if (_machine is null)
        {
            return "(the machine is gone)\n";
        }

        try
        {
            byte[] packed = Convert.FromBase64String(_machine.Run($"gzip -c {Output} | base64", ShortLimit).Output);
            using var unpacked = new StreamReader(new GZipStream(new MemoryStream(packed), CompressionMode.Decompress), Encoding.Latin1);
            return unpacked.ReadToEnd();
        }
        catch (Exception exception) when (exception is MachineFailure or FormatException or InvalidDataException)
        {
            Dispose();
            return $"(not to be had: {exception.Message})\n";
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _machine?.Dispose();
        _machine = null;
    }
}
