using Emu.Diff.Cases;

namespace Emu.Diff;

/// <summary>What a comparison did.</summary>
internal sealed class DiffSummary(InstructionForm[] forms, TimeSpan elapsed, ulong mismatches)
{
    /// <summary>Cases generated.</summary>
    public ulong Cases { get; set; }

    /// <summary>Cases that the reference engine ended in an exception.</summary>
    public ulong Faults { get; set; }

    /// <summary>Wall-clock time.</summary>
    public TimeSpan Elapsed => elapsed;

    /// <summary>Results that differ.</summary>
    public ulong Mismatches => mismatches;

    /// <summary>The forms that cases were about.</summary>
    public InstructionForm[] Forms => forms;

    /// <summary>Cases by form, in the order of <see cref="Forms"/>.</summary>
    public ulong[] CasesByForm { get; } = new ulong[forms.Length];

    /// <summary>Of <see cref="CasesByForm"/> those with an instruction of the form whose results are the same on every engine.</summary>
    public ulong[] AgreedByForm { get; } = new ulong[forms.Length];

    /// <summary>Cases by engine, and the time it took for them.</summary>
    public SortedDictionary<string, (ulong Cases, TimeSpan Time)> Engines { get; } = new(StringComparer.Ordinal);

    /// <summary>Cases that a known deviation explains, by its name.</summary>
    public SortedDictionary<string, ulong> Excluded { get; } = new(StringComparer.Ordinal);

    /// <summary>Exceptions of the reference engine by vector.</summary>
    public ulong[] FaultsByVector { get; } = new ulong[33];

    /// <summary>Cases a second, end to end.</summary>
    public double Rate => elapsed.TotalSeconds > 0 ? Cases / elapsed.TotalSeconds : 0;
}
