using System.Runtime.InteropServices;

namespace Emu.Accel.Kvm;

/// <summary>KVM cannot do what the machine needs; the message is one line for the user.</summary>
public sealed class KvmException : Exception
{
    /// <summary>Creates an empty exception.</summary>
    public KvmException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public KvmException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public KvmException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>A system call that failed with <paramref name="errno"/> (positive).</summary>
    internal static KvmException Failed(string what, int errno) => new($"{what}: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");
}
