using System.Buffers.Binary;
using Emu.Core.Cpu;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;

namespace Emu.Frontend.X86;

/// <content>FXSAVE, XSAVE and relatives, MXCSR (SDM vol. 1, 10.5 and chapter 13).</content>
public sealed unsafe partial class X86Cpu
{
    private const int LegacySize = 512;
    private const int HeaderSize = 64;
    private const int XmmRegionOffset = 160;
    private const int AvxOffset = LegacySize + HeaderSize; // in the compacted format too: there is no component between
    private const int AvxSize = 256;
    private const ulong ComponentX87 = 1;
    private const ulong ComponentSse = 2;
    private const ulong ComponentAvx = 4;
    private const ulong SupportedComponents = ComponentX87 | ComponentSse | ComponentAvx;
    private const ulong Compacted = 1UL << 63;

    private bool SavesAllXmm => (State->Efer & ControlBits.EferLma) != 0 && (State->Segment[X86Segment.Cs].Attributes & SegmentAttributes.Long) != 0;

    // Outside 64-bit code XMM8-15 are neither saved nor loaded.
    private int XmmBytes => SavesAllXmm ? 256 : 128;

    /// <summary>FXSAVE, or with <paramref name="wide"/> FXSAVE64.</summary>
    public void Fxsave(ulong linear, bool wide)
    {
        CheckFxsave(linear);
        Span<byte> image = stackalloc byte[LegacySize];
        WriteX87Region(image, wide);
        WriteSseRegion(image);
        WriteMxcsr(image);
        ProbeWrite(linear, LegacySize);
        CopyToGuest(linear, image[..(XmmRegionOffset + XmmBytes)]);
    }

    /// <summary>FXRSTOR, or with <paramref name="wide"/> FXRSTOR64.</summary>
    public void Fxrstor(ulong linear, bool wide)
    {
        CheckFxsave(linear);
        Span<byte> image = stackalloc byte[LegacySize];
        CopyFromGuest(linear, image);
        uint mxcsr = ReadMxcsr(image);
        ReadX87Region(image, wide);
        ReadSseRegion(image, XmmBytes);
        SetMxcsr(mxcsr);
    }

    /// <summary>XSAVE and XSAVEOPT of the components in <paramref name="requested"/> (EDX:EAX).</summary>
    /// <param name="linear">Linear address of the area.</param>
    /// <param name="requested">EDX:EAX.</param>
    /// <param name="wide">REX.W.</param>
    /// <param name="optimised">XSAVEOPT: components in their initial configuration are not written.</param>
    public void Xsave(ulong linear, ulong requested, bool wide, bool optimised = false)
    {
        CheckXsave(linear);
        ulong components = requested & State->Xcr0;
        ulong inUse = ComponentsInUse();
        ProbeWrite(linear, XsaveSize(components));
        WriteComponents(linear, optimised ? components & inUse : components, wide, mxcsr: (components & (ComponentSse | ComponentAvx)) != 0);
        ulong held = ReadLinear(linear + LegacySize, 8);
        WriteLinear(linear + LegacySize, (held & ~components) | (inUse & components), 8);
    }

    /// <summary>XSAVEC: the compacted format, without components in their initial configuration.</summary>
    public void Xsavec(ulong linear, ulong requested, bool wide)
    {
        CheckXsave(linear);
        ulong components = requested & State->Xcr0;
        ulong inUse = ComponentsInUse() | (State->Mxcsr != Simd.Mxcsr.Default ? ComponentSse : 0);
        ulong written = components & inUse;
        ProbeWrite(linear, XsaveSize(components));
        WriteComponents(linear, written, wide, mxcsr: (written & ComponentSse) != 0);
        WriteLinear(linear + LegacySize, written, 8);
        WriteLinear(linear + LegacySize + 8, components | Compacted, 8);
    }

    /// <summary>XRSTOR of the components in <paramref name="requested"/> (EDX:EAX), of either format.</summary>
    public void Xrstor(ulong linear, ulong requested, bool wide)
    {
        CheckXsave(linear);
        ulong components = requested & State->Xcr0;
        Span<byte> image = stackalloc byte[XsaveImageSize];
        image = image[..XsaveSize(components)];
        CopyFromGuest(linear, image);
        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(image[LegacySize..]);
        bool compacted = CheckXsaveHeader(image);
        bool fromImage = compacted ? (components & held & ComponentSse) != 0 : (components & (ComponentSse | ComponentAvx)) != 0;
        uint mxcsr = fromImage ? ReadMxcsr(image) : (components & ComponentSse) != 0 ? Simd.Mxcsr.Default : State->Mxcsr;
        if ((components & ComponentX87) != 0)
        {
            LoadX87(image, (held & ComponentX87) != 0, wide);
        }

        if ((components & ComponentSse) != 0)
        {
            LoadSse(image, (held & ComponentSse) != 0, XmmBytes);
        }

        if ((components & ComponentAvx) != 0)
        {
            LoadAvx(image, (held & ComponentAvx) != 0, XmmBytes);
        }

        SetMxcsr(mxcsr);
    }

    /// <summary>LDMXCSR.</summary>
    public void Ldmxcsr(uint value)
    {
        if ((value & ~Simd.Mxcsr.Mask) != 0)
        {
            RaiseGeneralProtection();
        }

        SetMxcsr(value);
    }

    private void CheckFxsave(ulong linear)
    {
        if ((State->Cr0 & (ControlBits.Cr0Em | ControlBits.Cr0Ts)) != 0)
        {
            Raise(X86Vector.DeviceNotAvailable);
        }

        if ((linear & 15) != 0)
        {
            RaiseGeneralProtection();
        }
    }

    private void CheckXsave(ulong linear)
    {
        if ((State->Cr4 & ControlBits.Cr4Osxsave) == 0)
        {
            RaiseInvalidOpcode();
        }

        if ((State->Cr0 & ControlBits.Cr0Ts) != 0)
        {
            Raise(X86Vector.DeviceNotAvailable);
        }

        if ((linear & 63) != 0)
        {
            RaiseGeneralProtection();
        }
    }

    private ulong ComponentsInUse()
    {
        var registers = new ReadOnlySpan<byte>(State->X87, 128);
        bool x87 = State->X87Control != X87Status.DefaultControl || X87Status.Read(State) != 0 || State->X87Empty != 0xff || State->X87Opcode != 0
            || State->X87InstructionPointer != 0 || State->X87DataPointer != 0 || registers.ContainsAnyExcept((byte)0);
        bool sse = false;
        bool avx = false;
        for (int i = 0; i < 16; i++)
        {
            byte* register = State->Vector + (i * X86CpuState.VectorStride);
            sse |= Xmm.Load<ulong>(register) != default;
            avx |= Xmm.Load<ulong>(register + X86Slots.HighHalf) != default;
        }

        return (x87 ? ComponentX87 : 0) | (sse ? ComponentSse : 0) | (avx ? ComponentAvx : 0);
    }

    // SDM vol. 1, 13.8: what the header may hold. True for the compacted format.
    private bool CheckXsaveHeader(ReadOnlySpan<byte> image)
    {
        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(image[LegacySize..]);
        ulong format = BinaryPrimitives.ReadUInt64LittleEndian(image[(LegacySize + 8)..]);
        bool compacted = (format & Compacted) != 0 && Environment.Model.Has(CpuFeature.Xsavec);
        ulong allowed = compacted ? format & ~Compacted : State->Xcr0;
        bool formatIsValid = compacted ? (format & ~(Compacted | State->Xcr0)) == 0 : format == 0;
        int reserved = compacted ? 48 : 8;
        if (!formatIsValid || (held & ~allowed) != 0 || image.Slice(LegacySize + 16, reserved).ContainsAnyExcept((byte)0))
        {
            RaiseGeneralProtection();
        }

        return compacted;
    }

    private static int XsaveSize(ulong components) => (components & ComponentAvx) != 0 ? XsaveImageSize : AvxOffset;

    private void WriteComponents(ulong linear, ulong written, bool wide, bool mxcsr)
    {
        Span<byte> image = stackalloc byte[XsaveImageSize];
        WriteX87Region(image, wide);
        WriteSseRegion(image);
        WriteAvxRegion(image);
        WriteMxcsr(image);
        if ((written & ComponentX87) != 0)
        {
            CopyToGuest(linear, image[..24]);
            CopyToGuest(linear + 32, image[32..XmmRegionOffset]);
        }

        if (mxcsr)
        {
            CopyToGuest(linear + 24, image[24..32]);
        }

        if ((written & ComponentSse) != 0)
        {
            CopyToGuest(linear + XmmRegionOffset, image.Slice(XmmRegionOffset, XmmBytes));
        }

        if ((written & ComponentAvx) != 0)
        {
            CopyToGuest(linear + AvxOffset, image.Slice(AvxOffset, XmmBytes));
        }
    }
}
