using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Iced.Intel;

namespace Emu.Accel.Tcg;

/// <summary>Text form of the host code of a compiled method, for <c>-d out_asm</c>: address, size, bytes, and on x64 hosts instructions.</summary>
internal static unsafe class HostCodeDump
{
    private const int BytesPerLine = 32;

    /// <summary>
    /// The code of the region at <paramref name="pc"/>, at <paramref name="address"/>, which the .NET compiler made: it must stay there meanwhile. .NET does not tell how long a
    /// method is; its jumps do.
    /// </summary>
    public static string Format(ulong pc, nint address)
    {
        Architecture host = RuntimeInformation.ProcessArchitecture;
        HostCodeReader? read = HostCodeExtent.ReaderFor(host);
        if (read is null)
        {
            return string.Create(CultureInfo.InvariantCulture, $"out_asm {pc:x}: at {address:x}; how long code is cannot be told on {host} hosts\n");
        }

        int length = HostCodeExtent.Of(address, read);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"out_asm {pc:x}: {length} bytes at {address:x}\n");
        // Invariant: the extent was found by reading all of it.
        var code = new ReadOnlySpan<byte>((void*)address, length);
        if (host == Architecture.X64)
        {
            AppendInstructions(text, address, code);
        }
        else
        {
            text.Append(CultureInfo.InvariantCulture, $"  there is no disassembler for {host} hosts\n");
            AppendBytes(text, address, code);
        }

        return text.ToString();
    }

    private static void AppendBytes(StringBuilder text, nint address, ReadOnlySpan<byte> code)
    {
        for (int at = 0; at < code.Length; at += BytesPerLine)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {address + at:x}: {Convert.ToHexStringLower(code.Slice(at, Math.Min(BytesPerLine, code.Length - at)))}\n");
        }
    }

    private static void AppendInstructions(StringBuilder text, nint address, ReadOnlySpan<byte> code)
    {
        var decoder = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(code.ToArray()), (ulong)address);
        var formatter = new NasmFormatter();
        var output = new StringOutput();
        for (int at = 0; at < code.Length;)
        {
            decoder.Decode(out Instruction instruction);
            formatter.Format(instruction, output);
            text.Append(CultureInfo.InvariantCulture, $"  {address + at:x}: {Convert.ToHexStringLower(code.Slice(at, instruction.Length)),-24} {output.ToStringAndReset()}\n");
            at += instruction.Length;
        }
    }
}
