using System.Collections;
using System.Numerics;

namespace Emu.Core.Cpu;

/// <summary>The four output registers of CPUID.</summary>
public readonly record struct CpuidResult(uint Eax, uint Ebx, uint Ecx, uint Edx);

/// <summary>What CPUID reports of the moment, not of the model.</summary>
/// <param name="ApicId">The vCPU's APIC id.</param>
/// <param name="ApicEnabled">IA32_APIC_BASE.EN.</param>
/// <param name="Osxsave">CR4.OSXSAVE.</param>
/// <param name="Xcr0">XCR0.</param>
public readonly record struct CpuidContext(uint ApicId, bool ApicEnabled, bool Osxsave, ulong Xcr0);

/// <summary>CPUID and MSR policy, given to both accelerators alike: a named set of features with the identification around it.</summary>
public sealed partial class CpuModel
{
    /// <summary>Model names and what they stand for, in the order of <c>-cpu help</c>.</summary>
    public static readonly IReadOnlyList<(string Name, string Description)> Models =
    [
        ("qemu64", "a small 64-bit CPU that every guest knows (default)"),
        ("max", "everything the emulator implements"),
        ("host", "the same as max under tcg"),
    ];

    private readonly BitArray _features;

    private CpuModel(string name, BitArray features, int processorCount)
    {
        Name = name;
        _features = features;
        ProcessorCount = processorCount;
    }

    /// <summary>The model's name.</summary>
    public string Name { get; }

    /// <summary>Number of vCPUs, reported as cores of one package.</summary>
    public int ProcessorCount { get; }

    /// <summary>MAXPHYADDR.</summary>
    public int PhysicalAddressBits { get; } = 40;

    /// <summary>Bits of a linear address.</summary>
    public int LinearAddressBits { get; } = 48;

    /// <summary>CPUID.1:EAX, also EDX after reset: family 15, model 107, stepping 1, an AMD K8 whose few quirks guests know.</summary>
    public uint Signature { get; } = 0x0006_0fb1;

    /// <summary>XCR0 bits that XSETBV accepts.</summary>
    public ulong Xcr0Mask => !Has(CpuFeature.Xsave) ? 1 : Has(CpuFeature.Avx) ? 7UL : 3;

    /// <summary>The features, in table order.</summary>
    public IEnumerable<CpuFeatureInfo> Features => CpuFeatureTable.All.Where(info => Has(info.Feature));

    /// <summary>Parses the argument of <c>-cpu</c>: a model name, then <c>+feature</c>, <c>-feature</c> or <c>feature=on|off</c>, separated by commas.</summary>
    /// <exception cref="CpuModelException">The text names something unknown or not implemented.</exception>
    public static CpuModel Parse(string text, int processorCount = 1)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(',');
        string name = parts[0].Trim();
        if (!Models.Any(model => model.Name == name))
        {
            throw new CpuModelException($"unknown CPU model '{name}'; use one of {string.Join(", ", Models.Select(model => model.Name))}");
        }

        var features = new BitArray(Enum.GetValues<CpuFeature>().Length);
        foreach (CpuFeatureInfo info in CpuFeatureTable.All)
        {
            features[(int)info.Feature] = info.Implemented && (name != "qemu64" || info.InQemu64);
        }

        foreach (string part in parts.Skip(1))
        {
            Apply(features, part.Trim());
        }

        return new CpuModel(name, features, processorCount);
    }

    /// <summary>True when the model has <paramref name="feature"/>.</summary>
    public bool Has(CpuFeature feature) => _features[(int)feature];

    /// <summary>The same model without <paramref name="features"/>.</summary>
    public CpuModel Without(IEnumerable<CpuFeatureInfo> features)
    {
        ArgumentNullException.ThrowIfNull(features);
        var left = new BitArray(_features);
        foreach (CpuFeatureInfo info in features)
        {
            left[(int)info.Feature] = false;
        }

        return new CpuModel(Name, left, ProcessorCount);
    }

    /// <summary>The same model for a machine of <paramref name="count"/> vCPUs.</summary>
    public CpuModel WithProcessorCount(int count) => new(Name, _features, count);

    private static void Apply(BitArray features, string part)
    {
        (string name, bool on) = ParseSetting(part);
        CpuFeatureInfo info = CpuFeatureTable.Find(name)
            ?? throw new CpuModelException($"unknown CPU feature '{name}'; '-cpu help' lists the known ones");
        if (on && !info.Implemented)
        {
            throw new CpuModelException($"CPU feature '{info.Name}' is not implemented by the software CPU; leave '{part}' out");
        }

        features[(int)info.Feature] = on;
    }

    private static (string Name, bool On) ParseSetting(string part)
    {
        if (part.Length > 1 && part[0] is '+' or '-')
        {
            return (part[1..], part[0] == '+');
        }

        string[] sides = part.Split('=');
        return sides is [{ Length: > 0 } name, "on" or "off"]
            ? (name, sides[1] == "on")
            : throw new CpuModelException($"cannot read CPU option '{part}'; write +feature, -feature, feature=on or feature=off");
    }

    private int ApicIdBits => ProcessorCount <= 1 ? 0 : BitOperations.Log2((uint)ProcessorCount - 1) + 1;
}

/// <summary>A <c>-cpu</c> argument is wrong; the message says how to put it right.</summary>
public sealed class CpuModelException : Exception
{
    /// <summary>Creates an instance.</summary>
    public CpuModelException()
    {
    }

    /// <summary>Creates an instance with a message.</summary>
    public CpuModelException(string message)
        : base(message)
    {
    }

    /// <summary>Creates an instance with a message and a cause.</summary>
    public CpuModelException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
