using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Simd;

/// <summary>PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 1, 12.10.2 to 12.10.4; vol. 2, 4.1).</summary>
internal static unsafe class StringCompare
{
    /// <summary>PCMPISTRI: flags, and the index for ECX in bits 63:32.</summary>
    public static ulong Pcmpistri(CpuHeader* cpu, byte* a, byte* b, int imm) => Index(new Comparison(a, b, imm));

    /// <summary>PCMPISTRM: flags; the mask goes to XMM0.</summary>
    public static ulong Pcmpistrm(CpuHeader* cpu, byte* a, byte* b, int imm) => Mask(cpu, new Comparison(a, b, imm));

    /// <summary>PCMPESTRI with lengths in EAX and EDX.</summary>
    public static ulong Pcmpestri(CpuHeader* cpu, byte* a, byte* b, int imm) => Index(new Comparison(a, b, imm, Length(cpu, X86Gpr.Rax), Length(cpu, X86Gpr.Rdx)));

    /// <summary>PCMPESTRM with lengths in EAX and EDX.</summary>
    public static ulong Pcmpestrm(CpuHeader* cpu, byte* a, byte* b, int imm) => Mask(cpu, new Comparison(a, b, imm, Length(cpu, X86Gpr.Rax), Length(cpu, X86Gpr.Rdx)));

    /// <summary>PCMPESTRI with lengths in RAX and RDX.</summary>
    public static ulong Pcmpestri64(CpuHeader* cpu, byte* a, byte* b, int imm) => Index(new Comparison(a, b, imm, Length64(cpu, X86Gpr.Rax), Length64(cpu, X86Gpr.Rdx)));

    /// <summary>PCMPESTRM with lengths in RAX and RDX.</summary>
    public static ulong Pcmpestrm64(CpuHeader* cpu, byte* a, byte* b, int imm) => Mask(cpu, new Comparison(a, b, imm, Length64(cpu, X86Gpr.Rax), Length64(cpu, X86Gpr.Rdx)));

    private static long Length(CpuHeader* cpu, int register) => (int)((X86CpuState*)cpu)->Gpr[register];

    private static long Length64(CpuHeader* cpu, int register) => (long)((X86CpuState*)cpu)->Gpr[register];

    private static ulong Index(in Comparison comparison)
    {
        int result = comparison.Result();
        int index = result == 0 ? comparison.Count
            : comparison.MostSignificant ? 31 - System.Numerics.BitOperations.LeadingZeroCount((uint)result)
            : System.Numerics.BitOperations.TrailingZeroCount(result);
        return comparison.Flags(result) | ((ulong)index << 32);
    }

    private static ulong Mask(CpuHeader* cpu, in Comparison comparison)
    {
        int result = comparison.Result();
        UInt128 mask = (UInt128)(ulong)result;
        if (comparison.MostSignificant)
        {
            mask = 0;
            int bits = 128 / comparison.Count;
            for (int i = 0; i < comparison.Count; i++)
            {
                mask |= ((result >> i) & 1) != 0 ? ((UInt128.One << bits) - 1) << (i * bits) : UInt128.Zero;
            }
        }

        ulong flags = comparison.Flags(result);
        *(UInt128*)((X86CpuState*)cpu)->Vector = mask;
        return flags;
    }

    /// <summary>One comparison as its immediate describes it.</summary>
    private readonly ref struct Comparison
    {
        private readonly byte* _a;
        private readonly byte* _b;
        private readonly int _control;
        private readonly int _lengthA;
        private readonly int _lengthB;

        public Comparison(byte* a, byte* b, int control)
        {
            _a = a;
            _b = b;
            _control = control;
            _lengthA = ImplicitLength(a);
            _lengthB = ImplicitLength(b);
        }

        public Comparison(byte* a, byte* b, int control, long lengthA, long lengthB)
        {
            _a = a;
            _b = b;
            _control = control;
            _lengthA = Saturate(lengthA);
            _lengthB = Saturate(lengthB);
        }

        /// <summary>Elements in a register.</summary>
        public int Count => (_control & 1) != 0 ? 8 : 16;

        /// <summary>imm[6]: last index, or a mask of whole elements.</summary>
        public bool MostSignificant => (_control & 0x40) != 0;

        /// <summary>IntRes2: one bit for each element of the second operand, polarity applied.</summary>
        public int Result()
        {
            int all = (1 << Count) - 1;
            int raw = 0;
            for (int i = 0; i < Count; i++)
            {
                raw |= Aggregate(i) ? 1 << i : 0;
            }

            return ((_control >> 4) & 3) switch
            {
                1 => raw ^ all,
                3 => raw ^ ((1 << _lengthB) - 1),
                _ => raw,
            };
        }

        /// <summary>CF: any; ZF, SF: the second or first operand ends; OF: the first bit.</summary>
        public ulong Flags(int result) =>
            (result != 0 ? Rflags.Cf : 0) | (_lengthB < Count ? Rflags.Zf : 0) | (_lengthA < Count ? Rflags.Sf : 0) | ((result & 1) != 0 ? Rflags.Of : 0);

        // Elements beyond an operand's end compare by SDM vol. 1, table 12-7.
        private bool Aggregate(int i) => ((_control >> 2) & 3) switch
        {
            0 => i < _lengthB && EqualAny(Element(_b, i)),
            1 => i < _lengthB && InRanges(Element(_b, i)),
            2 => i >= _lengthA || i >= _lengthB ? i >= _lengthA && i >= _lengthB : Element(_a, i) == Element(_b, i),
            _ => StartsAt(i),
        };

        private bool EqualAny(int element)
        {
            bool any = false;
            for (int j = 0; j < _lengthA; j++)
            {
                any |= Element(_a, j) == element;
            }

            return any;
        }

        private bool InRanges(int element)
        {
            bool any = false;
            for (int j = 0; j + 1 < _lengthA; j += 2)
            {
                any |= Element(_a, j) <= element && element <= Element(_a, j + 1);
            }

            return any;
        }

        private bool StartsAt(int i)
        {
            bool all = true;
            for (int j = 0; j < _lengthA && i + j < Count; j++)
            {
                all &= i + j < _lengthB && Element(_a, j) == Element(_b, i + j);
            }

            return all;
        }

        private int Element(byte* source, int index) => (_control & 3) switch
        {
            0 => source[index],
            1 => ((ushort*)source)[index],
            2 => (sbyte)source[index],
            _ => ((short*)source)[index],
        };

        private int ImplicitLength(byte* source)
        {
            int length = 0;
            while (length < Count && Element(source, length) != 0)
            {
                length++;
            }

            return length;
        }

        private int Saturate(long length) => (int)Math.Min((ulong)Math.Abs(Math.Max(length, -long.MaxValue)), (ulong)Count);
    }
}
