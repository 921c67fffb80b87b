using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices;

/// <summary>
/// Makes I/O regions of byte registers from two methods, so that a device with several register blocks needs no handler
/// class for each. Wider accesses are split by the region into bytes in ascending order.
/// </summary>
internal static class PortRegion
{
    /// <summary>A region of <paramref name="size"/> byte registers.</summary>
    public static MemoryRegion OfBytes(string name, ulong size, Func<int, byte> read, Action<int, byte> write) =>
        MemoryRegion.OfIo(name, size, new ByteRegisters(read, write), IoAccess.Bytes);

    private sealed class ByteRegisters(Func<int, byte> read, Action<int, byte> write) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => read((int)offset);

        public void Write(ulong offset, ulong value, int size) => write((int)offset, (byte)value);
    }
}
