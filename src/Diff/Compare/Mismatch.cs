using System.Text;
using Emu.Diff.Cases;
using Emu.Diff.Engines;

namespace Emu.Diff.Compare;

/// <summary>A case that two engines end differently.</summary>
/// <param name="Original">As generated.</param>
/// <param name="Shrunk">As small as it got.</param>
/// <param name="Outcome">How the engines ended the shrunk case; null when it only differs beside other cases of its batch.</param>
/// <param name="Text">The case file with the report in comments.</param>
internal sealed record Mismatch(StoredCase Original, StoredCase Shrunk, PairOutcome? Outcome, string Text)
{
    /// <summary>Looks into the case in <paramref name="slot"/>, whose results the two engines hold.</summary>
    public static Mismatch Of(DiffOptions options, CaseBatch batch, int slot, IDiffEngine reference, IDiffEngine other)
    {
        StoredCase original = StoredCase.Of(batch, slot, options.Seed, [reference.Name, other.Name]);
        (byte[] savedExpected, byte[] savedActual) = (Results(reference), Results(other));
        var first = new PairOutcome(At(savedExpected), At(savedActual), StateComparer.ComparedFlags, Differs: true, Deviation: null);
        using var tester = new PairTester(reference, other, batch.Bitness);
        StoredCase shrunk = new Shrinker(tester).Shrink(original);
        PairOutcome? outcome = tester.Run(shrunk) is { Differs: true } differs ? differs : null;
        Restore(reference, savedExpected);
        Restore(other, savedActual);
        var text = new StringBuilder(CaseFile.Format(shrunk));
        if (outcome is null)
        {
            text.Append("# Alone the engines agree: it takes the cases in front of it in its batch. There, it was:\n");
        }

        text.Append(CaseReport.Comment(shrunk, outcome ?? first));
        return new Mismatch(original, shrunk, outcome, text.ToString());

        byte[] At(byte[] results) => results[(slot * CaseRecord.Size)..((slot + 1) * CaseRecord.Size)];

        // Shrinking runs the engines, and the rest of the batch has not been compared yet.
        static unsafe byte[] Results(IDiffEngine engine) => new ReadOnlySpan<byte>(engine.Result(0), CaseLayout.BatchSize * CaseRecord.Size).ToArray();
        static unsafe void Restore(IDiffEngine engine, byte[] results) => results.CopyTo(new Span<byte>(engine.Result(0), results.Length));
    }
}
