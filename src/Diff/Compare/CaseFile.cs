using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Diff.Compare;

/// <summary>
/// Cases as text: a line a fact, a name and a value in hexadecimal. What stands behind a <c>#</c> is for people. Registers and memory that
/// are not named are zero.
/// </summary>
internal static unsafe class CaseFile
{
    private const string Header = "emu-diff-case 1";
    private const int MemoryLine = 32;

    /// <summary>Names of the general registers, in encoding order.</summary>
    public static IReadOnlyList<string> RegisterNames { get; } =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    /// <summary>Writes a case, without a report.</summary>
    public static string Format(StoredCase subject)
    {
        var text = new StringBuilder(Header).Append('\n');
        Line($"mode {subject.Bitness}");
        Line($"engines {string.Join(' ', subject.Engines)}");
        Line($"origin {subject.Seed} {subject.Number}");
        Line($"entry {subject.Entry:x}");
        int offset = 0;
        foreach (Instruction instruction in subject.Decode())
        {
            Line($"code {Convert.ToHexStringLower(subject.Code.AsSpan(offset, instruction.Length)),-32} # {subject.EntryPointer + (uint)offset:x}: {instruction}");
            offset += instruction.Length;
        }

        fixed (byte* bytes = subject.Input)
        {
            AppendState(text, (CaseRecord*)bytes);
        }

        return text.ToString();

        void Line(FormattableString line) => text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
    }

    /// <summary>Reads a case.</summary>
    /// <exception cref="DiffOptionException">The text is no case; the message names the line.</exception>
    public static StoredCase Parse(string text, string name)
    {
        string[] lines = text.Split('\n');
        if (lines[0].Trim() != Header)
        {
            throw new DiffOptionException($"{name}: no case file; the first line is not '{Header}'");
        }

        var reader = new Reader();
        for (int i = 1; i < lines.Length; i++)
        {
            string line = lines[i].Split('#')[0].Trim();
            if (line.Length > 0 && !reader.TryRead(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)))
            {
                throw new DiffOptionException($"{name}, line {i + 1}: cannot be read: {line}");
            }
        }

        return reader.Case() ?? throw new DiffOptionException($"{name}: mode, entry or code is missing, or the entry lies outside the slots");
    }

    private static void AppendState(StringBuilder text, CaseRecord* record)
    {
        CaseState* state = &record->State;
        for (int i = 0; i < 16; i++)
        {
            AppendNonZero(RegisterNames[i], state->Gpr[i]);
        }

        AppendNonZero("control", state->Control);
        AppendNonZero("rflags", state->Rflags);
        AppendNonZero("fcw", state->X87Control);
        AppendNonZero("fsw", state->X87Status);
        AppendNonZero("ftw", state->X87Tags);
        AppendNonZero("mxcsr", state->Mxcsr);
        for (int i = 0; i < 24; i++)
        {
            AppendBytes(i < 8 ? $"st{i}" : $"xmm{i - 8}", new ReadOnlySpan<byte>(state->Fx + 32 + (16 * i), i < 8 ? 10 : 16));
        }

        for (int i = 0; i < 16; i++)
        {
            AppendBytes($"ymm{i}h", new ReadOnlySpan<byte>(state->UpperVector + (16 * i), 16));
        }

        for (int i = 0; i < CaseLayout.WindowBytes; i += MemoryLine)
        {
            AppendBytes($"memory {i:x3}", new ReadOnlySpan<byte>(record->Memory + i, MemoryLine));
        }

        void AppendNonZero(string name, ulong value)
        {
            if (value != 0)
            {
                text.Append(CultureInfo.InvariantCulture, $"{name} {value:x}\n");
            }
        }

        void AppendBytes(string name, ReadOnlySpan<byte> bytes)
        {
            if (bytes.ContainsAnyExcept((byte)0))
            {
                text.Append(CultureInfo.InvariantCulture, $"{name} {Convert.ToHexStringLower(bytes)}\n");
            }
        }
    }

    /// <summary>Collects the lines of a file.</summary>
    private sealed class Reader
    {
        private readonly byte[] _input = new byte[CaseRecord.Size];
        private readonly List<byte> _code = [];
        private int _mode;
        private ulong _entry;
        private ulong _seed;
        private ulong _number;
        private string[] _engines = [];

        public StoredCase? Case()
        {
            ref CaseState state = ref MemoryMarshal.AsRef<CaseState>(_input.AsSpan());
            state.Fault = CaseState.NoFault;
            ulong offset = _entry - CaseLayout.Base - CaseLayout.SlotsOffset;
            bool complete = _mode is 16 or 32 or 64 && _code.Count is > 0 and <= CaseLayout.SlotSize - 16 && offset <= CaseLayout.SlotsBytes - CaseLayout.SlotSize;
            return complete
                ? new StoredCase { Bitness = _mode, Seed = _seed, Number = _number, Entry = _entry, Code = [.. _code], Input = _input, Engines = _engines }
                : null;
        }

        public bool TryRead(string[] words)
        {
            try
            {
                return words.Length >= 2 && Read(words);
            }
            catch (FormatException)
            {
                return false;
            }
        }

        private bool Read(string[] words)
        {
            string value = words[^1];
            switch (words[0])
            {
                case "mode":
                    return int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _mode);
                case "engines":
                    _engines = words[1..];
                    return true;
                case "origin":
                    return words.Length == 3 && ulong.TryParse(words[1], CultureInfo.InvariantCulture, out _seed) && ulong.TryParse(words[2], CultureInfo.InvariantCulture, out _number);
                case "entry":
                    return TryHex(value, out _entry);
                case "code":
                    _code.AddRange(Convert.FromHexString(value));
                    return true;
                case "memory":
                    return words.Length == 3 && TryHex(words[1], out ulong offset) && Put(CaseRecord.MemoryOffset + (int)Math.Min(offset, CaseLayout.WindowBytes), value);
                default:
                    return ReadRegister(words[0], value);
            }
        }

        private bool ReadRegister(string name, string value)
        {
            for (int i = 0; i < 16; i++)
            {
                if (name == $"st{i}" || name == $"xmm{i}")
                {
                    return Put((name[0] == 's' ? 32 : 160) + (16 * i), value);
                }

                if (name == $"ymm{i}h")
                {
                    return Put(CaseState.UpperVectorOffset + (16 * i), value);
                }
            }

            if (!TryHex(value, out ulong number))
            {
                return false;
            }

            ref CaseState state = ref MemoryMarshal.AsRef<CaseState>(_input.AsSpan());
            switch (name)
            {
                case "control": state.Control = number; return true;
                case "rflags": state.Rflags = number; return true;
                case "fcw": state.X87Control = (ushort)number; return true;
                case "fsw": state.X87Status = (ushort)number; return true;
                case "ftw": state.X87Tags = (byte)number; return true;
                case "mxcsr": state.Mxcsr = (uint)number; return true;
            }

            int register = RegisterNames.ToList().IndexOf(name);
            if (register >= 0)
            {
                state.Gpr[register] = number;
            }

            return register >= 0;
        }

        private bool Put(int offset, string hex)
        {
            byte[] bytes = Convert.FromHexString(hex);
            bool fits = offset + bytes.Length <= CaseRecord.Size;
            if (fits)
            {
                bytes.CopyTo(_input, offset);
            }

            return fits;
        }

        private static bool TryHex(string text, out ulong value) => ulong.TryParse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out value);
    }
}
