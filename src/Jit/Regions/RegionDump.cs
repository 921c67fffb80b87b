using System.Globalization;
using System.Text;
using Emu.Frontend.Ir;

namespace Emu.Jit.Regions;

/// <summary>Text form of a region, for <c>-d op_opt</c>.</summary>
internal static class RegionDump
{
    /// <summary>The blocks in order, each with its ops and where its jumps lead inside the region.</summary>
    public static string Format(Region region)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"region {region.FormedAt:x}: {region.Blocks.Length} blocks, {region.InstructionCount} instructions\n");
        for (int i = 0; i < region.Blocks.Length; i++)
        {
            RegionBlock block = region.Blocks[i];
            text.Append(CultureInfo.InvariantCulture, $"block {i} {region.Origin + block.Pc:x}\n");
            for (int op = 0; op < block.Ops.Length; op++)
            {
                text.Append(block.Instructions.Contains((ushort)op) ? "- " : "  ").Append(IrDump.Format(block.Ops[op], region.Origin + block.Pc, region.PcMask));
                foreach (RegionEdge edge in block.Edges.Where(edge => edge.Op == op && edge.Block >= 0))
                {
                    text.Append(CultureInfo.InvariantCulture, $" (block {edge.Block}{(edge.IsBackward ? ", looks for requests" : "")})");
                }

                text.Append('\n');
            }
        }

        return text.ToString();
    }
}
