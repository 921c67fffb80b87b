using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Emu.Net.Tap;

/// <summary>Linux's way to a TAP interface (Documentation/networking/tuntap.rst).</summary>
internal static unsafe partial class TapNative
{
    private const string Device = "/dev/net/tun";
    private const int NameBytes = 16;
    private const int RequestBytes = 40;
    private const nuint SetInterface = 0x4004_54ca;
    private const short FlagTap = 0x0002;
    private const short FlagNoPacketInformation = 0x1000;

    /// <summary>Opens the interface <paramref name="name"/>, or one that the kernel names.</summary>
    /// <exception cref="IOException">The device cannot be opened, or the interface not be had.</exception>
    public static FileStream Open(string? name)
    {
        SafeFileHandle handle = File.OpenHandle(Device, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        Span<byte> request = stackalloc byte[RequestBytes];
        request.Clear();
        Encoding.ASCII.GetBytes(name ?? "", request[..(NameBytes - 1)]);
        MemoryMarshal.Write(request[NameBytes..], (short)(FlagTap | FlagNoPacketInformation));

        // SAFETY: the kernel reads and writes one struct ifreq, which is no larger than the 40 bytes that stay on this stack.
        fixed (byte* pointer = request)
        {
            if (Ioctl(handle, SetInterface, pointer) < 0)
            {
                string message = Marshal.GetLastPInvokeErrorMessage();
                handle.Dispose();
                throw new IOException(message);
            }
        }

        return new FileStream(handle, FileAccess.ReadWrite, bufferSize: 0);
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Ioctl(SafeFileHandle handle, nuint request, byte* argument);
}
