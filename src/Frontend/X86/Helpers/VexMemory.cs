using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;

namespace Emu.Frontend.X86.Helpers;

/// <summary>A gather: numbers of the registers, sizes in bytes, and how an address is made.</summary>
internal readonly record struct GatherForm(int Destination, int Mask, int Index, int Element, int IndexSize, int Count, int Scale, bool Narrow, int Segment)
{
    /// <summary>As an operand of the helper.</summary>
    public ulong Pack() => (uint)(Destination | (Mask << 4) | (Index << 8) | (Element << 12) | (IndexSize << 16) | (Count << 20) | (Scale << 24))
        | ((ulong)(uint)Segment << 32) | (Narrow ? 1UL << 36 : 0);

    /// <summary>The form that <see cref="Pack"/> made an operand of.</summary>
    public static GatherForm Unpack(ulong value)
    {
        int Field(int shift) => (int)(value >> shift) & 15;
        return new GatherForm(Field(0), Field(4), Field(8), Field(12), Field(16), Field(20), Field(24), Field(36) != 0, Field(32));
    }
}

/// <summary>IR helpers of AVX that access chosen lanes in memory (SDM vol. 2, VMASKMOV, VPMASKMOV, VGATHERDPS).</summary>
internal static unsafe class VexMemory
{
    /// <summary>
    /// Loads lanes of imm bits 7:0 bytes whose mask at <paramref name="b"/> is set, from the address at <paramref name="a"/> plus imm bits 15:8. The
    /// address is a linear one, or the offset in segment imm bits 23:16 less one, whose limit holds for these lanes.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void LoadMasked(CpuHeader* header, byte* dst, byte* a, byte* b, int imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        int bytes = imm & 0xff;
        int start = (imm >> 8) & 0xff;
        Span<ulong> lanes = stackalloc ulong[4];
        for (int i = 0; i < 16 / bytes; i++)
        {
            lanes[i] = IsSet(b, i, bytes) ? cpu.ReadLinear(LaneAddress(cpu, *(ulong*)a, start + (i * bytes), imm, write: false), bytes) : 0;
        }

        for (int i = 0; i < 16 / bytes; i++)
        {
            WriteLane(dst, i, bytes, lanes[i]);
        }
    }

    /// <summary>
    /// Stores lanes of imm bits 7:0 bytes, imm bits 15:8 bytes together, to the address at <paramref name="a"/>, which is as above. The slots of mask
    /// and data are at <paramref name="b"/>, 16 bits each. Pages are probed before the first lane is written.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong StoreMasked(CpuHeader* header, byte* a, byte* b, int imm)
    {
        X86Cpu cpu = X86Cpu.From(header);
        int bytes = imm & 0xff;
        int count = ((imm >> 8) & 0xff) / bytes;
        byte* mask = (byte*)header + ((ushort*)b)[0];
        byte* data = (byte*)header + ((ushort*)b)[1];
        for (int i = 0; i < count; i++)
        {
            if (IsSet(mask, i, bytes))
            {
                cpu.ProbeWrite(LaneAddress(cpu, *(ulong*)a, i * bytes, imm, write: true), bytes);
            }
        }

        for (int i = 0; i < count; i++)
        {
            if (IsSet(mask, i, bytes))
            {
                cpu.WriteLinear(LaneAddress(cpu, *(ulong*)a, i * bytes, imm, write: true), ReadLane(data, i, bytes), bytes);
            }
        }

        return 0;
    }

    /// <summary>
    /// A gather from the address at <paramref name="a"/>, the form at <paramref name="b"/>. An element that was loaded is in the destination, and its
    /// mask clear, when a later one faults: the instruction then goes on where it was.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Gather(CpuHeader* header, byte* a, byte* b, int imm)
    {
        GatherForm form = GatherForm.Unpack(*(ulong*)b);
        byte* registers = ((X86CpuState*)header)->Vector;
        byte* destination = registers + (form.Destination * X86CpuState.VectorStride);
        byte* mask = registers + (form.Mask * X86CpuState.VectorStride);
        bool advanced = false;
        try
        {
            for (int i = 0; i < form.Count; i++)
            {
                if (IsSet(mask, i, form.Element))
                {
                    WriteLane(destination, i, form.Element, GatherLane(header, form, *(ulong*)a, i));
                    advanced = true;
                }

                // Of lanes that are not chosen too, so that a fault shows how far it came.
                WriteLane(mask, i, form.Element, 0);
            }
        }
        catch (GuestFaultException) when (advanced)
        {
            X86Cpu.From(header).TrapInsteadOfFault();
            throw;
        }

        // What lies above the elements is cleared.
        int used = form.Count * form.Element;
        new Span<byte>(destination + used, X86CpuState.VectorStride - used).Clear();
        new Span<byte>(mask, X86CpuState.VectorStride).Clear();
        return 0;
    }

    private static ulong GatherLane(CpuHeader* header, in GatherForm form, ulong start, int lane)
    {
        byte* index = ((X86CpuState*)header)->Vector + (form.Index * X86CpuState.VectorStride);
        long offset = form.IndexSize == 4 ? ((int*)index)[lane] : ((long*)index)[lane];
        ulong address = start + (ulong)(offset * form.Scale);
        ulong linear = SegmentHelpers.SegmentTranslate(header, form.Narrow ? (uint)address : address, 0, (ulong)(form.Segment | (form.Element << 8)));
        return X86Cpu.From(header).ReadLinear(linear, form.Element);
    }

    private static ulong LaneAddress(X86Cpu cpu, ulong start, int offset, int imm, bool write)
    {
        int segment = (imm >> 16) - 1;
        return segment < 0 ? start + (uint)offset : cpu.SegmentTranslate(segment, start + (uint)offset, (uint)imm & 0xff, write);
    }

    private static bool IsSet(byte* mask, int lane, int bytes) => (sbyte)mask[((lane + 1) * bytes) - 1] < 0;

    private static ulong ReadLane(byte* vector, int lane, int bytes) => bytes == 4 ? ((uint*)vector)[lane] : ((ulong*)vector)[lane];

    private static void WriteLane(byte* vector, int lane, int bytes, ulong value)
    {
        if (bytes == 4)
        {
            ((uint*)vector)[lane] = (uint)value;
        }
        else
        {
            ((ulong*)vector)[lane] = value;
        }
    }
}
