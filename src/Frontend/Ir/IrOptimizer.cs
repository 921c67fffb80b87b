namespace Emu.Frontend.Ir;

/// <summary>Improves a lifted block before it is consumed; shared by all tiers.</summary>
public static class IrOptimizer
{
    /// <summary>Runs all passes.</summary>
    public static void Run(IrBlock block) => RemoveDeadFlags(block.Ops);

    /// <summary>
    /// Backward over the block: flags that are replaced before anything reads them need not be set. A possible fault counts
    /// as a read, because it makes them visible; so does the end of the block.
    /// </summary>
    internal static void RemoveDeadFlags(Span<IrOp> ops)
    {
        bool live = true;
        for (int i = ops.Length - 1; i >= 0; i--)
        {
            ref IrOp op = ref ops[i];
            if (op.IsBlockEnd)
            {
                live = true;
            }

            if (!live && op.OnlyChangesFlags)
            {
                op = default;
            }
            else if (!live && op.SetsFlags)
            {
                op.SetsFlags = false;
            }

            if (op.ReplacesFlags)
            {
                live = false;
            }

            if (op.ReadsFlags || op.MayFault)
            {
                live = true;
            }
        }
    }
}
