namespace Emu.Core;

/// <summary>A device of the machine: it owns no thread, reads no host clock, and is called with the machine lock held.</summary>
/// <param name="name">Unique name in the machine, as shown to users (<c>serial0</c>).</param>
public abstract class Device(string name)
{
    /// <summary>Unique name in the machine.</summary>
    public string Name { get; } = name;

    /// <summary>Returns to the state after power-on.</summary>
    public abstract void Reset();

    /// <summary>The architectural state as a plain record.</summary>
    public abstract DeviceState Save();

    /// <summary>
    /// Replaces the state by <paramref name="state"/>, which is treated as hostile: every field is range-checked.
    /// </summary>
    /// <exception cref="InvalidDeviceStateException">A field is out of range or the record is of another device; the device is unchanged.</exception>
    public abstract void Restore(DeviceState state);
}

/// <summary>Base of the plain records that <see cref="Device.Save"/> returns.</summary>
public abstract record DeviceState;

/// <summary>A saved device state that cannot be restored, with the field named.</summary>
public sealed class InvalidDeviceStateException : Exception
{
    /// <summary>Creates the exception for <paramref name="device"/> with the reason.</summary>
    public InvalidDeviceStateException(string device, string reason)
        : base($"{device}: {reason}")
    {
    }

    /// <summary>Creates an empty exception.</summary>
    public InvalidDeviceStateException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    public InvalidDeviceStateException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and a cause.</summary>
    public InvalidDeviceStateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
