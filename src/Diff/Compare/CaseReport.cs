using System.Globalization;
using System.Text;
using Emu.Accel.Tcg;
using Emu.Diff.Cases;
using Emu.Diff.Engines;

namespace Emu.Diff.Compare;

/// <summary>All that is needed to understand a mismatch, as the comment lines of a case file.</summary>
internal static unsafe class CaseReport
{
    /// <summary>Input and both results with differences marked, and what each software engine translates the case to.</summary>
    public static string Comment(StoredCase subject, PairOutcome outcome)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"  {"",-8} {"input",16} {subject.Engines[0],16} {subject.Engines[1],16}\n");
        fixed (byte* input = subject.Input, expected = outcome.Expected, actual = outcome.Actual)
        {
            AppendState(text, (CaseRecord*)input, (CaseRecord*)expected, (CaseRecord*)actual, outcome.Flags);
        }

        foreach (string name in subject.Engines.Where(name => name is "tier0" or "jit"))
        {
            text.Append(CultureInfo.InvariantCulture, $"translation by {name}:\n{Translation(subject, name == "jit")}");
        }

        return string.Concat(text.ToString().TrimEnd('\n').Split('\n').Select(line => "# " + line.TrimEnd() + "\n"));
    }

    /// <summary>What the case's own code is translated to: IR, and for compiled code the region and the IL that RyuJIT was given.</summary>
    public static string Translation(StoredCase subject, bool compiled)
    {
        var log = new StringBuilder();
        var options = new TcgOptions
        {
            Log = line => log.Append(line.TrimEnd('\n')).Append('\n'),
            DebugLogItems = new HashSet<string>(compiled ? ["op", "op_opt", "il"] : ["op"]),
            DebugLogFilter = [(subject.EntryPointer, subject.EntryPointer + (uint)subject.Code.Length)],
        };
        using SoftwareEngine engine = compiled ? SoftwareEngine.Compiled(subject.Bitness, options) : SoftwareEngine.Tier0(subject.Bitness, options);
        using var batch = new CaseBatch(subject.Bitness);
        _ = subject.TryLoad(batch);
        engine.Run(batch);
        return log.ToString();
    }

    private static void AppendState(StringBuilder text, CaseRecord* input, CaseRecord* expected, CaseRecord* actual, ulong flags)
    {
        CaseState* i = &input->State;
        CaseState* e = &expected->State;
        CaseState* a = &actual->State;
        for (int n = 0; n < 16; n++)
        {
            Row(CaseFile.RegisterNames[n], i->Gpr[n], e->Gpr[n], a->Gpr[n], ulong.MaxValue);
        }

        Row("rflags", i->Rflags, e->Rflags, a->Rflags, flags);
        Row("rip", i->Rip, e->Rip, a->Rip, ulong.MaxValue);
        if (e->Fault != CaseState.NoFault || a->Fault != CaseState.NoFault)
        {
            Row("fault", (ulong)i->Fault, (ulong)e->Fault, (ulong)a->Fault, ulong.MaxValue);
            Row("error", 0, e->FaultError, a->FaultError, ulong.MaxValue);
            Row("cr2", 0, e->FaultAddress, a->FaultAddress, e->Fault == 14 || a->Fault == 14 ? ulong.MaxValue : 0);
        }

        Row("fcw", i->X87Control, e->X87Control, a->X87Control, ulong.MaxValue);
        Row("fsw", i->X87Status, e->X87Status, a->X87Status, ulong.MaxValue);
        Row("ftw", i->X87Tags, e->X87Tags, a->X87Tags, ulong.MaxValue);
        Row("mxcsr", i->Mxcsr, e->Mxcsr, a->Mxcsr, ulong.MaxValue);
        for (int at = 32; at < 416; at += 8)
        {
            (ulong x, ulong y) = (*(ulong*)(e->Fx + at), *(ulong*)(a->Fx + at));
            if (x != y || *(ulong*)(i->Fx + at) != x)
            {
                string name = at < 160 ? $"st{(at - 32) / 16}" : $"xmm{(at - 160) / 16}";
                Row($"{name}+{at & 8}", *(ulong*)(i->Fx + at), x, y, ulong.MaxValue);
            }
        }

        for (int at = 0; at < CaseState.UpperVectorBytes; at += 8)
        {
            (ulong x, ulong y) = (*(ulong*)(e->UpperVector + at), *(ulong*)(a->UpperVector + at));
            if (x != y || *(ulong*)(i->UpperVector + at) != x)
            {
                Row($"ymm{at / 16}h+{at & 8}", *(ulong*)(i->UpperVector + at), x, y, ulong.MaxValue);
            }
        }

        AppendMemory(text, input, expected, actual);

        void Row(string name, ulong before, ulong x, ulong y, ulong mask) =>
            text.Append(CultureInfo.InvariantCulture, $"{(((x ^ y) & mask) != 0 ? "*" : " ")} {name,-8} {before:x16} {x:x16} {y:x16}\n");
    }

    private static void AppendMemory(StringBuilder text, CaseRecord* input, CaseRecord* expected, CaseRecord* actual)
    {
        foreach ((int offset, int saved, int bytes, string name) in CaseLayout.Windows)
        {
            for (int n = 0; n < bytes; n++)
            {
                (byte before, byte x, byte y) = (input->Memory[saved + n], expected->Memory[saved + n], actual->Memory[saved + n]);
                if (x != y || x != before)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{(x != y ? "*" : " ")} {name,-5} {CaseLayout.Base + (ulong)(offset + n):x8} {before:x2} {x:x2} {y:x2}\n");
                }
            }
        }
    }
}
