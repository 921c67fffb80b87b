using System.Buffers.Binary;
using Emu.Core;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;

namespace Emu.Frontend.X86;

/// <content>FXSAVE, XSAVE and relatives, MXCSR, and the XSAVE image of a snapshot (SDM vol. 1, 10.5 and chapter 13).</content>
public sealed unsafe partial class X86Cpu
{
    /// <summary>Size of the standard-format image of x87 and SSE state: the legacy region and the header.</summary>
    public const int XsaveImageSize = LegacySize + HeaderSize;

    private const int LegacySize = 512;
    private const int HeaderSize = 64;
    private const int XmmRegionOffset = 160;
    private const ulong ComponentX87 = 1;
    private const ulong ComponentSse = 2;
    private const ulong SupportedComponents = ComponentX87 | ComponentSse;

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
        ulong written = optimised ? components & inUse : components;
        ProbeWrite(linear, XsaveImageSize);
        Span<byte> image = stackalloc byte[LegacySize];
        WriteX87Region(image, wide);
        WriteSseRegion(image);
        WriteMxcsr(image);
        if ((written & ComponentX87) != 0)
        {
            CopyToGuest(linear, image[..24]);
            CopyToGuest(linear + 32, image[32..XmmRegionOffset]);
        }

        if ((components & ComponentSse) != 0)
        {
            CopyToGuest(linear + 24, image[24..32]);
        }

        if ((written & ComponentSse) != 0)
        {
            CopyToGuest(linear + XmmRegionOffset, image.Slice(XmmRegionOffset, XmmBytes));
        }

        ulong held = ReadLinear(linear + LegacySize, 8);
        WriteLinear(linear + LegacySize, (held & ~components) | (inUse & components), 8);
    }

    /// <summary>XRSTOR of the components in <paramref name="requested"/> (EDX:EAX), standard format.</summary>
    public void Xrstor(ulong linear, ulong requested, bool wide)
    {
        CheckXsave(linear);
        ulong components = requested & State->Xcr0;
        Span<byte> image = stackalloc byte[XsaveImageSize];
        CopyFromGuest(linear, image);
        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(image[LegacySize..]);
        bool headerClean = !image.Slice(LegacySize + 8, 16).ContainsAnyExcept((byte)0);
        if ((held & ~State->Xcr0) != 0 || !headerClean)
        {
            RaiseGeneralProtection();
        }

        uint mxcsr = (components & ComponentSse) != 0 ? ReadMxcsr(image) : State->Mxcsr;
        if ((components & ComponentX87) != 0)
        {
            LoadX87(image, (held & ComponentX87) != 0, wide);
        }

        if ((components & ComponentSse) != 0)
        {
            LoadSse(image, (held & ComponentSse) != 0, XmmBytes);
            SetMxcsr(mxcsr);
        }
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

    /// <summary>The x87 and SSE state as a standard-format 64-bit XSAVE image.</summary>
    public byte[] GetXsaveImage()
    {
        byte[] image = new byte[XsaveImageSize];
        WriteX87Region(image, wide: true);
        WriteSseRegion(image);
        WriteMxcsr(image);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(LegacySize), SupportedComponents);
        return image;
    }

    /// <summary>Sets the x87 and SSE state from a standard-format 64-bit XSAVE image.</summary>
    /// <exception cref="InvalidDeviceStateException">The image is none, or holds what this CPU cannot.</exception>
    public void SetXsaveImage(ReadOnlySpan<byte> image)
    {
        const string device = "cpu";
        if (image.Length < XsaveImageSize)
        {
            throw new InvalidDeviceStateException(device, $"the XSAVE image has {image.Length} bytes, not {XsaveImageSize}");
        }

        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(image[LegacySize..]);
        if ((held & ~SupportedComponents) != 0)
        {
            throw new InvalidDeviceStateException(device, $"the XSAVE image holds components {held:x}, of which only x87 and SSE are implemented");
        }

        if (image.Slice(LegacySize + 8, 16).ContainsAnyExcept((byte)0))
        {
            throw new InvalidDeviceStateException(device, "the XSAVE image is not in standard format");
        }

        uint mxcsr = BinaryPrimitives.ReadUInt32LittleEndian(image[24..]);
        if ((mxcsr & ~Simd.Mxcsr.Mask) != 0)
        {
            throw new InvalidDeviceStateException(device, $"MXCSR {mxcsr:x} has reserved bits set");
        }

        LoadX87(image, (held & ComponentX87) != 0, wide: true);
        LoadSse(image, (held & ComponentSse) != 0, 256);
        SetMxcsr(mxcsr);
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
        for (int i = 0; i < 16; i++)
        {
            sse |= Xmm.Load<ulong>(State->Vector + (i * X86CpuState.VectorStride)) != default;
        }

        return (x87 ? ComponentX87 : 0) | (sse ? ComponentSse : 0);
    }

    private void LoadX87(ReadOnlySpan<byte> image, bool present, bool wide)
    {
        if (present)
        {
            ReadX87Region(image, wide);
            return;
        }

        X87Status.Initialise(State);
        new Span<byte>(State->X87, 128).Clear();
    }

    private void LoadSse(ReadOnlySpan<byte> image, bool present, int bytes)
    {
        if (present)
        {
            ReadSseRegion(image, bytes);
            return;
        }

        for (int i = 0; i < bytes / 16; i++)
        {
            Xmm.Store<byte>(State->Vector + (i * X86CpuState.VectorStride), default);
        }
    }

    // Bytes 23:0 and 159:32 of the legacy region (SDM vol. 1, table 10-2). FCS and FDS are zero, as CPUID.7.EBX[13] announces.
    private void WriteX87Region(Span<byte> image, bool wide)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image, State->X87Control);
        BinaryPrimitives.WriteUInt16LittleEndian(image[2..], X87Status.Read(State));
        image[4] = (byte)~State->X87Empty;
        BinaryPrimitives.WriteUInt16LittleEndian(image[6..], State->X87Opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(image[8..], wide ? State->X87InstructionPointer : (uint)State->X87InstructionPointer);
        BinaryPrimitives.WriteUInt64LittleEndian(image[16..], wide ? State->X87DataPointer : (uint)State->X87DataPointer);
        for (int i = 0; i < 8; i++)
        {
            new ReadOnlySpan<byte>(State->X87 + (16 * ((State->X87Top + i) & 7)), 10).CopyTo(image[(32 + (16 * i))..]);
        }
    }

    private void ReadX87Region(ReadOnlySpan<byte> image, bool wide)
    {
        X87Status.WriteControl(State, BinaryPrimitives.ReadUInt16LittleEndian(image));
        X87Status.Write(State, BinaryPrimitives.ReadUInt16LittleEndian(image[2..]));
        State->X87Empty = (byte)~image[4];
        State->X87Opcode = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(image[6..]) & 0x7ff);
        ulong instruction = BinaryPrimitives.ReadUInt64LittleEndian(image[8..]);
        ulong data = BinaryPrimitives.ReadUInt64LittleEndian(image[16..]);
        State->X87InstructionPointer = wide ? instruction : (uint)instruction;
        State->X87DataPointer = wide ? data : (uint)data;
        for (int i = 0; i < 8; i++)
        {
            image.Slice(32 + (16 * i), 10).CopyTo(new Span<byte>(State->X87 + (16 * ((State->X87Top + i) & 7)), 10));
        }
    }

    private void WriteSseRegion(Span<byte> image)
    {
        for (int i = 0; i < 16; i++)
        {
            new ReadOnlySpan<byte>(State->Vector + (i * X86CpuState.VectorStride), 16).CopyTo(image[(XmmRegionOffset + (16 * i))..]);
        }
    }

    private void ReadSseRegion(ReadOnlySpan<byte> image, int bytes)
    {
        for (int i = 0; i < bytes / 16; i++)
        {
            image.Slice(XmmRegionOffset + (16 * i), 16).CopyTo(new Span<byte>(State->Vector + (i * X86CpuState.VectorStride), 16));
        }
    }

    private void WriteMxcsr(Span<byte> image)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image[24..], State->Mxcsr);
        BinaryPrimitives.WriteUInt32LittleEndian(image[28..], Simd.Mxcsr.Mask);
    }

    private uint ReadMxcsr(ReadOnlySpan<byte> image)
    {
        uint value = BinaryPrimitives.ReadUInt32LittleEndian(image[24..]);
        if ((value & ~Simd.Mxcsr.Mask) != 0)
        {
            RaiseGeneralProtection();
        }

        return value;
    }

    private void CopyToGuest(ulong linear, ReadOnlySpan<byte> source)
    {
        for (int i = 0; i < source.Length; i += 8)
        {
            WriteLinear(linear + (uint)i, BinaryPrimitives.ReadUInt64LittleEndian(source[i..]), 8);
        }
    }

    private void CopyFromGuest(ulong linear, Span<byte> destination)
    {
        for (int i = 0; i < destination.Length; i += 8)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(destination[i..], ReadLinear(linear + (uint)i, 8));
        }
    }
}
