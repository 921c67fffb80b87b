using System.Text;

namespace Emu.Tests.Loaders;

/// <summary>Makes small ELF executables with one loaded segment and, if asked, the PVH note.</summary>
internal static class ElfBuilder
{
    public const uint LoadAddress = 0x10_0000;
    public const int SegmentOffset = 0x1000;
    public const int SegmentSize = 0x100;
    public const uint MemorySize = 0x3000;

    /// <summary>An ELF32 image for the 386.</summary>
    public static byte[] Elf32(uint? pvhEntry = null)
    {
        byte[] image = Common(elfClass: 1, machine: 3);
        image.Put32(24, LoadAddress + 0x10).Put32(28, 0x40).Put16(42, 32).Put16(44, 2);
        image.Put32(0x40, 1).Put32(0x44, SegmentOffset).Put32(0x48, 0xC000_0000 + LoadAddress).Put32(0x4C, LoadAddress)
            .Put32(0x50, SegmentSize).Put32(0x54, MemorySize);
        image.Put32(0x60, 4).Put32(0x64, 0x200).Put32(0x70, 20);
        return WithNote(image, pvhEntry);
    }

    /// <summary>An ELF64 image for x86-64.</summary>
    public static byte[] Elf64(uint? pvhEntry = null)
    {
        byte[] image = Common(elfClass: 2, machine: 62);
        image.Put64(24, LoadAddress + 0x10).Put64(32, 0x40).Put16(54, 56).Put16(56, 2);
        image.Put32(0x40, 1).Put64(0x48, SegmentOffset).Put64(0x50, 0xFFFF_FFFF_8000_0000 + LoadAddress).Put64(0x58, LoadAddress)
            .Put64(0x60, SegmentSize).Put64(0x68, MemorySize);
        image.Put32(0x78, 4).Put64(0x80, 0x200).Put64(0x98, 20);
        return WithNote(image, pvhEntry);
    }

    /// <summary>Adds a multiboot header inside the loaded segment.</summary>
    public static byte[] WithMultiboot(this byte[] image, uint flags = 3, int offset = SegmentOffset) =>
        image.Put32(offset, 0x1BAD_B002).Put32(offset + 4, flags).Put32(offset + 8, unchecked(0u - 0x1BAD_B002 - flags));

    private static byte[] Common(byte elfClass, int machine)
    {
        byte[] image = new byte[SegmentOffset + SegmentSize];
        image.Put32(0, 0x464C_457F);
        image[4] = elfClass;
        image[5] = 1;
        image.Put16(16, 2).Put16(18, machine);
        image.AsSpan(SegmentOffset + 12).Fill(0x90);
        return image;
    }

    private static byte[] WithNote(byte[] image, uint? entry)
    {
        image.Put32(0x200, 4).Put32(0x204, 4).Put32(0x208, entry is null ? 0u : 18u).Put32(0x210, entry ?? 0);
        Encoding.ASCII.GetBytes("Xen\0").CopyTo(image, 0x20C);
        return image;
    }
}
