using System.Runtime.InteropServices;

namespace Emu.Diff.Cases;

/// <summary>
/// The cases that engines run in one go, and their inputs in native memory. A case lies in the slot of its number, so that its addresses
/// do not depend on what runs with it. Buffers are used again: nothing is allocated per case.
/// </summary>
internal sealed unsafe class CaseBatch : IDisposable
{
    private CaseRecord* _inputs;
    private byte* _code;

    /// <summary>Creates an empty batch for code of <paramref name="bitness"/> bits.</summary>
    public CaseBatch(int bitness)
    {
        Bitness = bitness;
        for (int i = 0; i < Cases.Length; i++)
        {
            Cases[i] = new DiffCase();
        }

        _inputs = (CaseRecord*)NativeMemory.AlignedAlloc(CaseLayout.BatchSize * CaseRecord.Size, 64);
        _code = (byte*)NativeMemory.AlignedAlloc(CaseLayout.SlotsBytes, 64);
        new Span<byte>(_inputs, CaseLayout.BatchSize * CaseRecord.Size).Clear();
        new Span<byte>(_code, CaseLayout.SlotsBytes).Clear();
    }

    /// <summary>16, 32 or 64.</summary>
    public int Bitness { get; }

    /// <summary>The cases by slot.</summary>
    public DiffCase[] Cases { get; } = new DiffCase[CaseLayout.BatchSize];

    /// <summary>First slot in use.</summary>
    public int First { get; set; }

    /// <summary>Number of slots in use.</summary>
    public int Count { get; set; }

    /// <summary>Code of all slots; its first byte is at <see cref="CaseLayout.SlotsOffset"/>.</summary>
    public Span<byte> Code => new(_code, CaseLayout.SlotsBytes);

    /// <summary>The input of the case in <paramref name="slot"/>.</summary>
    public CaseRecord* Input(int slot) => _inputs + slot;

    /// <summary>The inputs of <paramref name="count"/> slots.</summary>
    public ReadOnlySpan<byte> Inputs(int first, int count) => new(_inputs + first, count * CaseRecord.Size);

    /// <summary>Code from <paramref name="entry"/> on.</summary>
    public Span<byte> CodeAt(ulong entry) => Code[(int)(entry - CaseLayout.Base - CaseLayout.SlotsOffset)..];

    /// <inheritdoc/>
    public void Dispose()
    {
        // SAFETY: nobody keeps the pointers; both are set to null, so a second call frees nothing.
        NativeMemory.AlignedFree(_inputs);
        NativeMemory.AlignedFree(_code);
        _inputs = null;
        _code = null;
    }
}
