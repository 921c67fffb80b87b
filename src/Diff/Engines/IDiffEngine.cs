using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>Something that executes cases: an interpreter, compiled code, a processor.</summary>
internal unsafe interface IDiffEngine : IDisposable
{
    /// <summary>Name on the command line.</summary>
    string Name { get; }

    /// <summary>What it runs on, for reports.</summary>
    string Description { get; }

    /// <summary>True when results are a processor's.</summary>
    bool IsSilicon { get; }

    /// <summary>True when <see cref="CaseState.Control"/> takes effect: cases that have one mean nothing elsewhere.</summary>
    bool SetsControl { get; }

    /// <summary>Runs every case of <paramref name="batch"/>, each from its own input.</summary>
    void Run(CaseBatch batch);

    /// <summary>The final state of the case in slot <paramref name="slot"/>, until the next <see cref="Run"/>.</summary>
    CaseRecord* Result(int slot);
}
