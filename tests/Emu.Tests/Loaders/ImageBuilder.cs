using System.Buffers.Binary;
using Emu.Machine.Loaders;

namespace Emu.Tests.Loaders;

/// <summary>Writes little-endian fields of synthetic images, and reads fields of the resulting plan.</summary>
internal static class ImageBuilder
{
    public static BootOptions Options(ulong megabytes = 64, string commandLine = "", params BootModule[] modules) => new()
    {
        Layout = new MemoryLayout(megabytes << 20),
        CommandLine = commandLine,
        Modules = modules,
    };

    public static byte[] Put16(this byte[] image, int offset, int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(offset), (ushort)value);
        return image;
    }

    public static byte[] Put32(this byte[] image, int offset, uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(offset), value);
        return image;
    }

    public static byte[] Put64(this byte[] image, int offset, ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(offset), value);
        return image;
    }

    public static MemoryWrite WriteAt(this BootPlan plan, ulong address) => plan.Writes.Single(write => write.Address.Value == address);

    /// <summary>Reads what the plan puts at an address; what it leaves alone is zero.</summary>
    public static byte[] Memory(this BootPlan plan, ulong address, int size)
    {
        byte[] bytes = new byte[size];
        foreach (MemoryWrite write in plan.Writes)
        {
            for (int i = 0; i < size; i++)
            {
                ulong offset = address + (ulong)i - write.Address.Value;
                if (offset < (ulong)write.Bytes.Length)
                {
                    bytes[i] = write.Bytes.Span[(int)offset];
                }
            }
        }

        return bytes;
    }

    public static uint U32(this BootPlan plan, ulong address) => BinaryPrimitives.ReadUInt32LittleEndian(plan.Memory(address, 4));

    public static ulong U64(this BootPlan plan, ulong address) => BinaryPrimitives.ReadUInt64LittleEndian(plan.Memory(address, 8));

    public static string CString(this BootPlan plan, ulong address)
    {
        byte[] bytes = plan.Memory(address, 256);
        return System.Text.Encoding.UTF8.GetString(bytes, 0, Array.IndexOf(bytes, (byte)0));
    }
}
