using System.Buffers.Binary;
using Emu.Frontend.X86.SoftFloat;

namespace Emu.Frontend.X86.X87;

/// <summary>
/// The environment image of FSTENV and FSAVE (SDM vol. 1, figures 8-9 to 8-12): seven words or dwords. Selectors are saved as
/// zero, as CPUID.7.EBX[13] announces; in real and virtual-8086 mode the pointers are split around the opcode.
/// </summary>
internal static unsafe class X87Environment
{
    /// <summary>Size of the 32-bit image.</summary>
    public const int WideSize = 28;

    private const int NarrowSize = 14;
    private const int Fields = 7;

    /// <summary>Size of an image.</summary>
    public static int SizeOf(bool wide) => wide ? WideSize : NarrowSize;

    /// <summary>Writes the image; returns its size.</summary>
    public static int Write(X86CpuState* state, Span<byte> image, bool wide)
    {
        uint instruction = (uint)state->X87InstructionPointer;
        uint data = (uint)state->X87DataPointer;
        bool real = IsReal(state);
        Span<uint> fields =
        [
            state->X87Control | 0xffff0000,
            X87Status.Read(state) | 0xffff0000,
            FullTags(state) | 0xffff0000u,
            real ? (ushort)instruction : instruction,
            real ? ((instruction >> 16) << 12) | state->X87Opcode : (uint)state->X87Opcode << 16,
            real ? (ushort)data : data,
            real ? (data >> 16) << 12 : 0xffff0000,
        ];
        for (int i = 0; i < Fields; i++)
        {
            if (wide)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(image[(4 * i)..], fields[i]);
            }
            else
            {
                BinaryPrimitives.WriteUInt16LittleEndian(image[(2 * i)..], (ushort)fields[i]);
            }
        }

        return SizeOf(wide);
    }

    /// <summary>Loads the image.</summary>
    public static void Read(X86CpuState* state, ReadOnlySpan<byte> image, bool wide)
    {
        Span<uint> fields = stackalloc uint[Fields];
        for (int i = 0; i < Fields; i++)
        {
            fields[i] = wide ? BinaryPrimitives.ReadUInt32LittleEndian(image[(4 * i)..]) : BinaryPrimitives.ReadUInt16LittleEndian(image[(2 * i)..]);
        }

        X87Status.WriteControl(state, (ushort)fields[0]);
        X87Status.Write(state, (ushort)fields[1]);
        state->X87Empty = EmptyTags((ushort)fields[2]);
        bool real = IsReal(state);
        state->X87InstructionPointer = real ? (ushort)fields[3] | ((fields[4] >> 12) << 16) : fields[3];
        state->X87Opcode = (ushort)((real ? fields[4] : wide ? fields[4] >> 16 : 0) & 0x7ff);
        state->X87DataPointer = real ? (ushort)fields[5] | ((fields[6] >> 12) << 16) : fields[5];
    }

    /// <summary>The 16-bit tag word: 0 valid, 1 zero, 2 special, 3 empty, by physical register (SDM vol. 1, 8.1.7).</summary>
    public static ushort FullTags(X86CpuState* state)
    {
        int tags = 0;
        for (int physical = 0; physical < 8; physical++)
        {
            int index = (physical - state->X87Top) & 7;
            Unpacked x = X87Stack.Read(state, index);
            int tag = X87Stack.IsEmpty(state, index) ? 3 : x.Kind switch
            {
                FloatKind.Zero => 1,
                FloatKind.Finite => x.IsDenormal ? 2 : 0,
                _ => 2,
            };
            tags |= tag << (2 * physical);
        }

        return (ushort)tags;
    }

    private static byte EmptyTags(ushort tags)
    {
        int empty = 0;
        for (int i = 0; i < 8; i++)
        {
            empty |= ((tags >> (2 * i)) & 3) == 3 ? 1 << i : 0;
        }

        return (byte)empty;
    }

    private static bool IsReal(X86CpuState* state) => (state->Cr0 & ControlBits.Cr0Pe) == 0 || (state->SystemFlags & Rflags.Vm) != 0;
}
