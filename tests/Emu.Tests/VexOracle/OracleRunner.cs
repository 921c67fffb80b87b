using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Emu.Accel.Tcg;
using Emu.Diff.Cases;
using Iced.Intel;

namespace Emu.Tests.VexOracle;

/// <summary>Runs snippets on silicon and on the emulator and describes what differs.</summary>
internal sealed unsafe class OracleRunner : IDisposable
{
    private const int DataBytes = 2 * NativeSnippet.PageSize;

    private static readonly string[] RegisterNames =
        ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"];

    private readonly NativeSnippet _native = NativeSnippet.Instance;
    private readonly EmulatedSnippet _oneOfMany;
    private readonly EmulatedSnippet _alone; // needs no atomics for locked instructions
    private EmulatedSnippet _emulated; // what the case at hand runs on
    private readonly SnippetGenerator _generator;
    private readonly byte[] _data = new byte[DataBytes];
    private readonly OracleState* _expected;
    private readonly OracleState* _actual;
    private ulong _dataSeed = ulong.MaxValue;

    public OracleRunner()
    {
        _oneOfMany = new EmulatedSnippet(_native);
        _alone = new EmulatedSnippet(_native, isUniprocessor: true);
        _emulated = _oneOfMany;
        _generator = new SnippetGenerator(_native.Base, _native.ReturnAddress);
        _expected = (OracleState*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(OracleState.Size, 64);
        _actual = (OracleState*)System.Runtime.InteropServices.NativeMemory.AlignedAlloc(OracleState.Size, 64);
    }

    /// <summary>Cases that ended in an exception on silicon.</summary>
    public int Faults { get; private set; }

    /// <summary>Runs the case of <paramref name="seed"/>. Returns null when both agree, else the case.</summary>
    public Snippet? Differs(SnippetFamily family, ulong seed)
    {
        Snippet snippet = _generator.Generate(family, seed);
        _emulated = IsAlone(seed) ? _alone : _oneOfMany;
        Execute(snippet, snippet.Code, _emulated);
        return Equal(snippet.UndefinedFlags) ? null : snippet;
    }

    /// <summary>All that is needed to understand a mismatch.</summary>
    public string Report(SnippetFamily family, Snippet snippet)
    {
        int length = FirstDifferingPrefix(snippet);
        SnippetInstruction last = snippet.Instructions[length - 1];
        var log = new StringBuilder();
        using (var traced = new EmulatedSnippet(_native, new TcgOptions { Log = line => log.AppendLine(line), DebugLogItems = new HashSet<string> { "op" } }, IsAlone(snippet.Seed)))
        {
            Execute(snippet, Prefix(snippet, length), traced);
        }

        var text = new StringBuilder($"family {family.Name} seed {snippet.Seed}: differs after {length} of {snippet.Instructions.Count} instructions\n");
        for (int i = 0; i < snippet.Instructions.Count; i++)
        {
            SnippetInstruction instruction = snippet.Instructions[i];
            string bytes = Convert.ToHexString(snippet.Code.AsSpan(instruction.Offset, instruction.End - instruction.Offset));
            text.AppendLine(CultureInfo.InvariantCulture, $"{(i == length - 1 ? "=>" : "  ")} {snippet.Entry + (uint)instruction.Offset:x8} {bytes,-24} {instruction.Instruction}");
        }

        text.AppendLine("            input            silicon          emulator");
        OracleState input = snippet.Input;
        for (int i = 0; i < 16; i++)
        {
            AddRow(text, RegisterNames[i], input.Gpr[i], _expected->Gpr[i], _actual->Gpr[i], ulong.MaxValue);
        }

        AddRow(text, "rflags", input.Rflags, _expected->Rflags, _actual->Rflags, FlagMask(length == snippet.Instructions.Count ? snippet.UndefinedFlags : last.UndefinedFlags));
        AddRow(text, "fault", ulong.MaxValue, (ulong)_expected->Fault, (ulong)_actual->Fault, ulong.MaxValue);
        if (_expected->Fault != OracleState.NoFault || _actual->Fault != OracleState.NoFault)
        {
            AddRow(text, "rip", 0, _expected->FaultRip, _actual->FaultRip, ulong.MaxValue);
            AddRow(text, "error", 0, _expected->FaultError, _actual->FaultError, ulong.MaxValue);
            AddRow(text, "cr2", 0, _expected->FaultAddress, _actual->FaultAddress, ulong.MaxValue);
        }

        AddFloating(text, input);
        AddUpper(text, input);
        AddMemory(text);
        return text.Append(log).ToString();
    }

    public void Dispose()
    {
        _oneOfMany.Dispose();
        _alone.Dispose();
        System.Runtime.InteropServices.NativeMemory.AlignedFree(_expected);
        System.Runtime.InteropServices.NativeMemory.AlignedFree(_actual);
    }

    private static bool IsAlone(ulong seed) => (seed & 1) != 0;

    private void Execute(Snippet snippet, byte[] code, EmulatedSnippet emulated)
    {
        MakeData(snippet.Seed);
        int offset = (int)(snippet.Entry - _native.Base);
        foreach (int page in (ReadOnlySpan<int>)[NativeSnippet.DataPage, NativeSnippet.StackPage])
        {
            _data.CopyTo(_native.Page(page, 2));
            _data.CopyTo(emulated.Page(page, 2));
        }

        _data.AsSpan(0, NativeSnippet.PageSize).CopyTo(emulated.Page(NativeSnippet.ReadOnlyPage));
        code.CopyTo(_native.Page(0, NativeSnippet.Pages)[offset..]);
        code.CopyTo(emulated.Page(0, NativeSnippet.Pages)[offset..]);
        *_expected = snippet.Input;
        *_actual = snippet.Input;
        _native.Run(_expected, snippet.Entry);
        emulated.Run(_actual, snippet.Entry);
    }

    // The same data for 256 neighbouring seeds: filling the read-only page costs system calls.
    private void MakeData(ulong seed)
    {
        if (_dataSeed == seed >> 8)
        {
            return;
        }

        _dataSeed = seed >> 8;
        var random = new CaseRandom(~_dataSeed);
        Span<ulong> words = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, ulong>(_data.AsSpan());
        foreach (ref ulong word in words)
        {
            word = random.Value();
        }

        _native.FillReadOnlyPage(_data.AsSpan(0, NativeSnippet.PageSize));
    }

    private bool Equal(RflagsBits undefined)
    {
        Faults += _expected->Fault != OracleState.NoFault ? 1 : 0;
        bool fault = _expected->Fault == _actual->Fault;
        if (fault && _expected->Fault != OracleState.NoFault)
        {
            // After a fault the flags are those before the instruction, which may be undefined too: only the place and kind count.
            fault = _expected->FaultRip == _actual->FaultRip && (_expected->Fault != 14 || (_expected->FaultAddress == _actual->FaultAddress && (_expected->FaultError & 6) == (_actual->FaultError & 6)));
            undefined = ~RflagsBits.None;
        }

        return fault && new Span<ulong>(_expected->Gpr, 16).SequenceEqual(new Span<ulong>(_actual->Gpr, 16))
            && ((_expected->Rflags ^ _actual->Rflags) & FlagMask(undefined)) == 0
            && FloatingEqual(new Span<byte>(_expected->Fx, 416), new Span<byte>(_actual->Fx, 416))
            && new Span<byte>(_expected->Upper, 256).SequenceEqual(new Span<byte>(_actual->Upper, 256))
            && _native.Page(NativeSnippet.DataPage, 2).SequenceEqual(_emulated.Page(NativeSnippet.DataPage, 2))
            && _native.Page(NativeSnippet.StackPage, 2).SequenceEqual(_emulated.Page(NativeSnippet.StackPage, 2));
    }

    private static ulong FlagMask(RflagsBits undefined) => 0xcd5 & ~UndefinedFlags.Mask(undefined);

    // FOP, FIP and FDP (bytes 6–23) are kept by some processors only while an exception is pending; MXCSR_MASK (28) is constant.
    private static bool FloatingEqual(Span<byte> expected, Span<byte> actual) =>
        expected[..5].SequenceEqual(actual[..5]) && expected[24..28].SequenceEqual(actual[24..28]) && expected[32..].SequenceEqual(actual[32..]);

    /// <summary>How many instructions it takes to differ; leaves both results of that run.</summary>
    private int FirstDifferingPrefix(Snippet snippet)
    {
        bool branches = snippet.Instructions.Exists(i => i.Instruction.FlowControl != FlowControl.Next);
        for (int length = branches ? snippet.Instructions.Count : 1; length < snippet.Instructions.Count; length++)
        {
            Execute(snippet, Prefix(snippet, length), _emulated);
            if (!Equal(snippet.Instructions[length - 1].UndefinedFlags))
            {
                return length;
            }
        }

        Execute(snippet, snippet.Code, _emulated);
        return snippet.Instructions.Count;
    }

    /// <summary>The code of the first instructions, with the jump back behind them.</summary>
    private byte[] Prefix(Snippet snippet, int length)
    {
        int end = snippet.Instructions[length - 1].End;
        var jump = new byte[5];
        jump[0] = 0xe9;
        Unsafe.WriteUnaligned(ref jump[1], (int)(_native.ReturnAddress - (snippet.Entry + (uint)end + 5)));
        return [.. snippet.Code.AsSpan(0, end), .. jump];
    }

    private void AddFloating(StringBuilder text, in OracleState input)
    {
        fixed (byte* before = input.Fx)
        {
            for (int i = 0; i < 416; i += 8)
            {
                ulong expected = *(ulong*)(_expected->Fx + i);
                ulong actual = *(ulong*)(_actual->Fx + i);
                bool status = i is 0 or 24;
                if (status || (expected != actual && i is not (8 or 16)))
                {
                    AddRow(text, i < 32 ? (i == 0 ? "fcw/fsw" : "mxcsr") : i < 160 ? $"st{(i - 32) / 16}+{i & 8}" : $"xmm{(i - 160) / 16}+{i & 8}", *(ulong*)(before + i), expected, actual, i == 24 ? 0xffff : i == 0 ? 0xff_ffff_ffff : ulong.MaxValue);
                }
            }
        }
    }

    private void AddUpper(StringBuilder text, in OracleState input)
    {
        fixed (byte* before = input.Upper)
        {
            for (int i = 0; i < 256; i += 8)
            {
                (ulong expected, ulong actual) = (*(ulong*)(_expected->Upper + i), *(ulong*)(_actual->Upper + i));
                if (expected != actual)
                {
                    AddRow(text, $"ymm{i / 16}+{16 + (i & 8)}", *(ulong*)(before + i), expected, actual, ulong.MaxValue);
                }
            }
        }
    }

    private void AddMemory(StringBuilder text)
    {
        foreach (int page in (ReadOnlySpan<int>)[NativeSnippet.DataPage, NativeSnippet.StackPage])
        {
            Span<byte> expected = _native.Page(page, 2);
            Span<byte> actual = _emulated.Page(page, 2);
            int shown = 0;
            for (int i = 0; i < expected.Length && shown < 16; i++)
            {
                if (expected[i] != actual[i])
                {
                    shown++;
                    text.AppendLine(CultureInfo.InvariantCulture, $"* {_native.Base + (uint)((page * NativeSnippet.PageSize) + i):x8} {_data[i]:x2} {expected[i]:x2} {actual[i]:x2}");
                }
            }
        }
    }

    private static void AddRow(StringBuilder text, string name, ulong input, ulong expected, ulong actual, ulong mask) =>
        text.AppendLine(CultureInfo.InvariantCulture, $"{(((expected ^ actual) & mask) != 0 ? "*" : " ")} {name,-8} {input:x16} {expected:x16} {actual:x16}");
}
