using Emu.Diff.Cases;
using Emu.Diff.Engines;

namespace Emu.Diff.Compare;

/// <summary>How two engines ended one case.</summary>
/// <param name="Expected">The reference's <see cref="CaseRecord"/>.</param>
/// <param name="Actual">The other's.</param>
/// <param name="Flags">RFLAGS bits that count.</param>
/// <param name="Differs">They are not the same.</param>
/// <param name="Deviation">Why that is known, or null.</param>
internal sealed record PairOutcome(byte[] Expected, byte[] Actual, ulong Flags, bool Differs, KnownDeviation? Deviation);

/// <summary>Runs single cases on two engines.</summary>
internal sealed unsafe class PairTester(IDiffEngine reference, IDiffEngine other, int bitness) : IDisposable
{
    private readonly CaseBatch _batch = new(bitness);

    /// <summary>Runs <paramref name="subject"/>; null when it makes no sense, because it reads undefined flags.</summary>
    public PairOutcome? Run(StoredCase subject)
    {
        if (!subject.TryLoad(_batch))
        {
            return null;
        }

        int slot = subject.Slot;
        reference.Run(_batch);
        byte[] expected = new ReadOnlySpan<byte>(reference.Result(slot), CaseRecord.Size).ToArray();
        other.Run(_batch);
        byte[] actual = new ReadOnlySpan<byte>(other.Result(slot), CaseRecord.Size).ToArray();
        fixed (byte* e = expected, a = actual)
        {
            var x = (CaseRecord*)e;
            var y = (CaseRecord*)a;
            ulong flags = StateComparer.FlagMask(_batch.Cases[slot], x->State.Fault);
            bool differs = !StateComparer.Equal(x, y, flags);
            KnownDeviation? deviation = differs ? KnownDeviations.Explain(reference, other, _batch.Cases[slot], x, y) : null;
            return new PairOutcome(expected, actual, flags, differs, deviation);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _batch.Dispose();
}
