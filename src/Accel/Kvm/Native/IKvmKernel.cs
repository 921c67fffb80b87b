namespace Emu.Accel.Kvm.Native;

/// <summary>
/// The host kernel as the accelerator uses it: the seam behind which tests put a KVM that does what they want. Calls
/// answer as system calls do, with a negated errno for failure.
/// </summary>
internal interface IKvmKernel
{
    /// <summary>Opens a device for reading and writing.</summary>
    int Open(string path);

    /// <summary>Closes a file descriptor.</summary>
    void Close(int fd);

    /// <summary>One ioctl; <paramref name="argument"/> is a value or the address of a structure.</summary>
    int Ioctl(int fd, uint request, nint argument);

    /// <summary>Maps the first <paramref name="size"/> bytes of a file, shared; 0 on failure.</summary>
    nint Map(int fd, int size);

    /// <summary>Ends such a mapping.</summary>
    void Unmap(nint address, int size);
}

/// <summary>Error numbers that are handled.</summary>
internal static class Errno
{
    public const int NotFound = 2;
    public const int Interrupted = 4;
    public const int TooBig = 7;
    public const int Again = 11;
    public const int NoMemory = 12;
    public const int AccessDenied = 13;
    public const int Exists = 17;
    public const int NoDevice = 19;
    public const int Invalid = 22;
    public const int NoTty = 25;
}
