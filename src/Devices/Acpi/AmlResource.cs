namespace Emu.Devices.Acpi;

/// <summary>Resource descriptors for <see cref="Aml.ResourceTemplate"/> (ACPI 6.5, 6.4.2 and 6.4.3).</summary>
internal static class AmlResource
{
    // Tags; the low bits of small ones are the length.
    private const byte TagIrq = 0x22;
    private const byte TagIo = 0x47;
    private const byte TagMemory32Fixed = 0x86;
    private const byte TagInterrupt = 0x89;
    private const byte TagDWordSpace = 0x87;
    private const byte TagWordSpace = 0x88;
    private const byte TagQWordSpace = 0x8A;

    private const byte Decode16 = 1;

    // Address space descriptors: type, general flags (minimum and maximum fixed), type-specific flags.
    private const byte SpaceMemory = 0;
    private const byte SpaceIo = 1;
    private const byte SpaceBusNumber = 2;
    private const byte MinMaxFixed = 0b1100;
    private const byte EntireRange = 3;
    private const byte ReadWrite = 1;
    private const byte Cacheable = 1 << 1;

    /// <summary>IO(Decode16): <paramref name="length"/> ports from <paramref name="port"/>.</summary>
    public static byte[] Io(ushort port, byte length) =>
        new ByteWriter().U8(TagIo).U8(Decode16).U16(port).U16(port).U8(1).U8(length).ToArray();

    /// <summary>IRQNoFlags: edge-triggered, active high, exclusive.</summary>
    public static byte[] Irq(int number) => new ByteWriter().U8(TagIrq).U16((ushort)(1 << number)).ToArray();

    /// <summary>Interrupt: a global system interrupt that is consumed, a level, active high, exclusive.</summary>
    public static byte[] Interrupt(int number) => new ByteWriter().U8(TagInterrupt).U16(6).U8(1).U8(1).U32((uint)number).ToArray();

    /// <summary>Memory32Fixed.</summary>
    public static byte[] Memory32(uint address, uint size) =>
        new ByteWriter().U8(TagMemory32Fixed).U16(9).U8(ReadWrite).U32(address).U32(size).ToArray();

    /// <summary>WordBusNumber, produced by the bridge.</summary>
    public static byte[] BusNumbers(byte first, byte last) => Word(SpaceBusNumber, 0, first, last);

    /// <summary>WordIO, produced by the bridge.</summary>
    public static byte[] IoWindow(ushort first, ushort last) => Word(SpaceIo, EntireRange, first, last);

    /// <summary>DWordMemory, produced by the bridge.</summary>
    public static byte[] MemoryWindow(uint first, uint last, bool cacheable = false) => new ByteWriter()
        .U8(TagDWordSpace).U16(23).U8(SpaceMemory).U8(MinMaxFixed).U8(MemoryFlags(cacheable))
        .U32(0).U32(first).U32(last).U32(0).U32(last - first + 1).ToArray();

    /// <summary>QWordMemory, produced by the bridge.</summary>
    public static byte[] MemoryWindow64(ulong first, ulong last) => new ByteWriter()
        .U8(TagQWordSpace).U16(43).U8(SpaceMemory).U8(MinMaxFixed).U8(MemoryFlags(cacheable: true))
        .U64(0).U64(first).U64(last).U64(0).U64(last - first + 1).ToArray();

    private static byte MemoryFlags(bool cacheable) => (byte)(ReadWrite | (cacheable ? Cacheable : 0));

    private static byte[] Word(byte type, byte typeFlags, ushort first, ushort last) => new ByteWriter()
        .U8(TagWordSpace).U16(13).U8(type).U8(MinMaxFixed).U8(typeFlags)
        .U16(0).U16(first).U16(last).U16(0).U16((ushort)(last - first + 1)).ToArray();
}
