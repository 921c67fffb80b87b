using System.Globalization;
using Emu.Cli.Options;

namespace Emu.Tests.Guests;

/// <summary>How a guest ends.</summary>
public enum GuestEnd
{
    /// <summary>It may end in any way, or not at all.</summary>
    Any,

    /// <summary>By the exit device, with a code.</summary>
    ExitCode,

    /// <summary>HLT with interrupts off.</summary>
    Halt,

    /// <summary>It does not end.</summary>
    Hang,

    /// <summary>The CPU shuts down.</summary>
    TripleFault,
}

/// <summary>What the header of a guest's source says (guests/README.md).</summary>
public sealed record GuestSpec
{
    /// <summary>Name of the guest.</summary>
    public required string Name { get; init; }

    /// <summary>Path of the source.</summary>
    public required string Source { get; init; }

    /// <summary>Address of the first byte.</summary>
    public required ushort LoadAddress { get; init; }

    /// <summary>RAM in bytes.</summary>
    public ulong MemoryBytes { get; init; } = 16UL << 20;

    /// <summary>How it ends.</summary>
    public GuestEnd End { get; init; }

    /// <summary>Code of <see cref="GuestEnd.ExitCode"/>.</summary>
    public int ExitCode { get; init; }

    /// <summary>The whole serial output, or null when only parts are known.</summary>
    public string? Serial { get; init; }

    /// <summary>Parts of the serial output in order.</summary>
    public IReadOnlyList<string> SerialHas { get; init; } = [];

    /// <summary>Registers that are not zero at the start.</summary>
    public IReadOnlyDictionary<string, ulong> Registers { get; init; } = new Dictionary<string, ulong>();

    /// <summary>The image as the header spells it, or null.</summary>
    public byte[]? Bytes { get; init; }

    /// <summary>Path of the checked-in image.</summary>
    public string ImagePath => Path.ChangeExtension(Source, ".bin");

    /// <summary>Reads the header of the source at <paramref name="path"/>.</summary>
    /// <exception cref="FormatException">A key is unknown, or a needed one is missing.</exception>
    public static GuestSpec Load(string path) => Parse(path, File.ReadLines(path));

    /// <summary>Reads a header from <paramref name="lines"/>.</summary>
    /// <exception cref="FormatException">A key is unknown, or a needed one is missing.</exception>
    public static GuestSpec Parse(string path, IEnumerable<string> lines)
    {
        var spec = new GuestSpec { Name = "", Source = path, LoadAddress = 0 };
        bool ends = false;
        // The header is the block of keys that begins with "guest"; what comes before and after it is prose.
        foreach (string line in lines.SkipWhile(line => !line.StartsWith("; guest:", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith("; ", StringComparison.Ordinal)))
        {
            int colon = line.IndexOf(": ", StringComparison.Ordinal);
            string key = colon < 0 ? line : line[1..colon].Trim();
            spec = spec.With(key, colon < 0 ? "" : line[(colon + 2)..].Trim());
            ends |= key == "exit";
        }

        return spec.Name.Length > 0 && spec.LoadAddress > 0 && ends
            ? spec
            : throw new FormatException($"{path}: the header needs guest, load and exit.");
    }

    private GuestSpec With(string key, string value) => key switch
    {
        "guest" => this with { Name = value },
        "load" => this with { LoadAddress = (ushort)ValueParsers.Number(key, value, ushort.MaxValue) },
        "memory" => this with { MemoryBytes = ValueParsers.MemorySize(value) },
        "set" => this with { Registers = ParseRegisters(value) },
        "bytes" => this with { Bytes = Convert.FromHexString(value.Replace(" ", "", StringComparison.Ordinal)) },
        "serial" => this with { Serial = Unquote(value) },
        "serial-has" => this with { SerialHas = [.. SerialHas, Unquote(value)] },
        "exit" => WithEnd(value),
        "qemu" => this,
        _ => throw new FormatException($"{Source}: unknown key '{key}'."),
    };

    private GuestSpec WithEnd(string value) => value switch
    {
        "any" => this with { End = GuestEnd.Any },
        "halt" => this with { End = GuestEnd.Halt },
        "hang" => this with { End = GuestEnd.Hang },
        "triple-fault" => this with { End = GuestEnd.TripleFault },
        _ => this with { End = GuestEnd.ExitCode, ExitCode = int.Parse(value, CultureInfo.InvariantCulture) },
    };

    private static Dictionary<string, ulong> ParseRegisters(string value) =>
        value.Split(' ').Select(part => part.Split('=')).ToDictionary(pair => pair[0], pair => ValueParsers.Number(pair[0], pair[1], ulong.MaxValue));

    private static string Unquote(string value) =>
        value.Length >= 2 && value[0] == '"' && value[^1] == '"'
            ? value[1..^1].Replace("\\n", "\n", StringComparison.Ordinal).Replace("\\r", "\r", StringComparison.Ordinal).Replace("\\\\", "\\", StringComparison.Ordinal)
            : throw new FormatException($"{value} is not a quoted text.");
}
