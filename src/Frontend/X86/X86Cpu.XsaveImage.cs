using System.Buffers.Binary;
using Emu.Core;
using Emu.Frontend.X86.Simd;
using Emu.Frontend.X86.X87;

namespace Emu.Frontend.X86;

/// <content>The XSAVE image: its regions, and the image of a snapshot (SDM vol. 1, 13.4).</content>
public sealed unsafe partial class X86Cpu
{
    /// <summary>Size of the standard-format image of x87, SSE and AVX state: the legacy region, the header, the upper halves.</summary>
    public const int XsaveImageSize = AvxOffset + AvxSize;

    /// <summary>The x87, SSE and AVX state as a standard-format 64-bit XSAVE image.</summary>
    public byte[] GetXsaveImage()
    {
        byte[] image = new byte[XsaveImageSize];
        WriteX87Region(image, wide: true);
        WriteSseRegion(image);
        WriteAvxRegion(image);
        WriteMxcsr(image);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(LegacySize), SupportedComponents);
        return image;
    }

    /// <summary>Sets the x87, SSE and AVX state from a standard-format 64-bit XSAVE image.</summary>
    /// <exception cref="InvalidDeviceStateException">The image is none, or holds what this CPU cannot.</exception>
    public void SetXsaveImage(ReadOnlySpan<byte> image)
    {
        const string device = "cpu";
        if (image.Length < AvxOffset)
        {
            throw new InvalidDeviceStateException(device, $"the XSAVE image has {image.Length} bytes, not {XsaveImageSize}");
        }

        ulong held = BinaryPrimitives.ReadUInt64LittleEndian(image[LegacySize..]);
        if ((held & ComponentAvx) != 0 && image.Length < XsaveImageSize)
        {
            throw new InvalidDeviceStateException(device, $"the XSAVE image of {image.Length} bytes has no room for AVX");
        }

        if ((held & ~SupportedComponents) != 0)
        {
            throw new InvalidDeviceStateException(device, $"the XSAVE image holds components {held:x}, of which only x87, SSE and AVX are implemented");
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
        LoadAvx(image, (held & ComponentAvx) != 0, 256);
        SetMxcsr(mxcsr);
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

    private void LoadAvx(ReadOnlySpan<byte> image, bool present, int bytes)
    {
        for (int i = 0; i < bytes / 16; i++)
        {
            var half = new Span<byte>(State->Vector + (i * X86CpuState.VectorStride) + X86Slots.HighHalf, 16);
            half.Clear();
            if (present)
            {
                image.Slice(AvxOffset + (16 * i), 16).CopyTo(half);
            }
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

    private void WriteAvxRegion(Span<byte> image)
    {
        for (int i = 0; i < 16; i++)
        {
            new ReadOnlySpan<byte>(State->Vector + (i * X86CpuState.VectorStride) + X86Slots.HighHalf, 16).CopyTo(image[(AvxOffset + (16 * i))..]);
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
