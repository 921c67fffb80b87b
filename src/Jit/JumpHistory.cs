using Emu.Jit.Interpreter;

namespace Emu.Jit;

/// <summary>
/// Where an indirect jump went lately, in native memory behind its block's ops: so that a region can follow it. A cell holds the last
/// target of those that fall on it, in relative blocks less the page of the block. Written by the vCPU's thread alone, by tier 0 and by compiled code that guessed wrong.
/// </summary>
internal static unsafe class JumpHistory
{
    /// <summary>Number of cells of 8 bytes; a power of two.</summary>
    public const int Cells = 8;

    /// <summary>Room that a history takes in a <see cref="CodeArena"/>, in ops.</summary>
    public const int Ops = Cells * sizeof(ulong) / Op.SizeInBytes;

    /// <summary>The targets of <see cref="IndexOf"/>: the program counter shifted by each is combined.</summary>
    public const int FirstShift = 1;

    /// <summary>See <see cref="FirstShift"/>.</summary>
    public const int SecondShift = 4;

    /// <summary>The cell for <paramref name="pc"/>.</summary>
    public static int IndexOf(ulong pc) => (int)((pc >> FirstShift) ^ (pc >> SecondShift)) & (Cells - 1);

    /// <summary>Gives the op of an indirect jump its history.</summary>
    /// <param name="jump">The op.</param>
    /// <param name="room">Room for <see cref="Ops"/> ops.</param>
    public static void Attach(Op* jump, Op* room)
    {
        new Span<Op>(room, Ops).Clear();
        jump->Target = (nint)room;
    }

    /// <summary>The different targets of the jump at the end of <paramref name="block"/>, when that is at <paramref name="pc"/>.</summary>
    public static ulong[] Read(TranslationBlock block, ulong pc)
    {
        if (block.History == 0)
        {
            return [];
        }

        ulong page = block.IsRelative ? pc & ~0xfffUL : 0;
        return [.. new ReadOnlySpan<ulong>((void*)block.History, Cells).ToArray().Where(noted => noted != 0).Select(noted => noted + page)];
    }
}
