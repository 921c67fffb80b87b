namespace Emu.Devices.Display;

/// <summary>What the registers of Bochs' display interface (VBE_DISPI) ask to be shown, made to fit into video memory.</summary>
/// <param name="Width">Visible pixels of a line.</param>
/// <param name="Height">Visible lines.</param>
/// <param name="BitsPerPixel">4 (planes), 8, 15, 16, 24 or 32.</param>
/// <param name="Pitch">Bytes from line to line.</param>
/// <param name="Start">First byte shown.</param>
public sealed record DispiMode(int Width, int Height, int BitsPerPixel, int Pitch, int Start);

/// <summary>Numbers of Bochs' display interface (QEMU docs/specs/standard-vga, "IO ports used").</summary>
internal static class VbeDispi
{
    public const int Id = 0;
    public const int XResolution = 1;
    public const int YResolution = 2;
    public const int BitsPerPixel = 3;
    public const int Enable = 4;
    public const int Bank = 5;
    public const int VirtualWidth = 6;
    public const int VirtualHeight = 7;
    public const int XOffset = 8;
    public const int YOffset = 9;
    public const int Memory64K = 10;

    public const ushort NewestId = 0xb0c5;
    public const ushort OldestId = 0xb0c0;

    // Bits of the enable register.
    public const ushort Enabled = 0x01;
    public const ushort GetCapabilities = 0x02;
    public const ushort Dac8Bit = 0x20;
    public const ushort KeepMemory = 0x80;

    // Larger pictures would cost the host hundreds of megabytes to draw.
    public const ushort MaxWidth = 5120;
    public const ushort MaxHeight = 4096;
    public const ushort MaxBitsPerPixel = 32;

    /// <summary>What is shown, or null while the interface is off or no line fits into memory.</summary>
    public static DispiMode? Mode(ushort[] registers, ulong memorySize)
    {
        int bits = registers[BitsPerPixel];
        int width = Math.Clamp(registers[XResolution] & ~7, 8, MaxWidth);
        if ((registers[Enable] & Enabled) == 0 || !IsDepth(bits))
        {
            return null;
        }

        int virtualWidth = Math.Clamp((int)registers[VirtualWidth] & ~7, width, ushort.MaxValue);
        int pitch = PitchOf(virtualWidth, bits);
        int lines = (int)Math.Min(memorySize / (ulong)pitch, int.MaxValue);
        int height = Math.Min(Math.Clamp((int)registers[YResolution], 1, MaxHeight), lines);
        if (height == 0)
        {
            return null;
        }

        int y = Math.Min((int)registers[YOffset], lines - height);
        int x = Math.Min((int)registers[XOffset], virtualWidth - width);
        return new DispiMode(width, height, bits, pitch, (y * pitch) + (bits == 4 ? x / 8 * 4 : x * ((bits + 7) / 8)));
    }

    public static bool IsDepth(int bits) => bits is 4 or 8 or 15 or 16 or 24 or 32;

    // Four planes of one bit lie side by side, as four bytes for eight pixels.
    private static int PitchOf(int width, int bits) => bits == 4 ? width / 2 : width * ((bits + 7) / 8);
}
