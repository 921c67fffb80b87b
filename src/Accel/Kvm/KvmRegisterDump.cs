using System.Globalization;
using System.Text;
using Emu.Accel.Kvm.Native;

namespace Emu.Accel.Kvm;

/// <summary>Registers for a user who is to find out why the guest stopped.</summary>
internal static class KvmRegisterDump
{
    /// <summary>Several lines, without the state of x87 and SSE.</summary>
    public static string Format(in KvmRegs r, in KvmSregs s)
    {
        var text = new StringBuilder();
        Line("rax", r.Rax, "rbx", r.Rbx, "rcx", r.Rcx, "rdx", r.Rdx);
        Line("rsi", r.Rsi, "rdi", r.Rdi, "rbp", r.Rbp, "rsp", r.Rsp);
        Line("r8 ", r.R8, "r9 ", r.R9, "r10", r.R10, "r11", r.R11);
        Line("r12", r.R12, "r13", r.R13, "r14", r.R14, "r15", r.R15);
        Line("rip", r.Rip, "flg", r.Rflags, "cr0", s.Cr0, "cr2", s.Cr2);
        Line("cr3", s.Cr3, "cr4", s.Cr4, "efe", s.Efer, "apb", s.ApicBase);
        Segment("cs", s.Cs);
        Segment("ss", s.Ss);
        Segment("ds", s.Ds);
        Segment("es", s.Es);
        Segment("fs", s.Fs);
        Segment("gs", s.Gs);
        Segment("tr", s.Tr);
        text.Append(CultureInfo.InvariantCulture, $"gdt={s.Gdt.Base:x16}+{s.Gdt.Limit:x4} idt={s.Idt.Base:x16}+{s.Idt.Limit:x4}\n");
        return text.ToString();

        void Line(string n0, ulong v0, string n1, ulong v1, string n2, ulong v2, string n3, ulong v3) =>
            text.Append(CultureInfo.InvariantCulture, $"{n0}={v0:x16} {n1}={v1:x16} {n2}={v2:x16} {n3}={v3:x16}\n");

        void Segment(string name, in KvmSegment segment) => text.Append(CultureInfo.InvariantCulture,
            $"{name}={segment.Selector:x4} base={segment.Base:x16} limit={segment.Limit:x8} type={segment.Type:x} dpl={segment.Dpl} db={segment.Db} l={segment.L}\n");
    }
}
