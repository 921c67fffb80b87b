using System.Buffers.Binary;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Text;

namespace Emu.Jit.Regions;

/// <summary>Text form of a region's method, for <c>-d il</c>.</summary>
internal static class IlDump
{
    private static readonly Dictionary<ushort, OpCode> Instructions = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (ushort)code.Value);

    /// <summary>An instruction a line, with its offset.</summary>
    public static string Format(ReadOnlySpan<byte> code, RegionTokens tokens)
    {
        var text = new StringBuilder();
        for (int at = 0; at < code.Length;)
        {
            int start = at;
            ushort value = code[at++];
            OpCode instruction = Instructions[value == 0xfe ? (ushort)((value << 8) | code[at++]) : value];
            text.Append(CultureInfo.InvariantCulture, $"  IL_{start:x4}: {instruction.Name}{Operand(instruction.OperandType, code, ref at, tokens)}\n");
        }

        return text.ToString();
    }

    private static string Operand(OperandType type, ReadOnlySpan<byte> code, ref int at, RegionTokens tokens)
    {
        ReadOnlySpan<byte> rest = code[at..];
        switch (type)
        {
            case OperandType.InlineNone:
                return "";
            case OperandType.ShortInlineVar:
                at += 1;
                return string.Create(CultureInfo.InvariantCulture, $" {rest[0]}");
            case OperandType.ShortInlineI:
                at += 1;
                return string.Create(CultureInfo.InvariantCulture, $" {(sbyte)rest[0]}");
            case OperandType.InlineVar:
                at += 2;
                return string.Create(CultureInfo.InvariantCulture, $" {BinaryPrimitives.ReadUInt16LittleEndian(rest)}");
            case OperandType.InlineI8:
                at += 8;
                return string.Create(CultureInfo.InvariantCulture, $" 0x{BinaryPrimitives.ReadInt64LittleEndian(rest):x}");
            default:
                at += 4;
                int value = BinaryPrimitives.ReadInt32LittleEndian(rest);
                return type switch
                {
                    OperandType.InlineBrTarget => string.Create(CultureInfo.InvariantCulture, $" IL_{at + value:x4}"),
                    OperandType.InlineI => string.Create(CultureInfo.InvariantCulture, $" {value}"),
                    _ => " " + tokens.NameOf(value),
                };
        }
    }
}
