using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Emu.Core;

namespace Emu.Devices;

/// <summary>The checks that every <see cref="Device.Restore"/> makes before it touches the device.</summary>
internal static class StateGuard
{
    /// <summary>The state as the record the device saves, or an exception when it is of another device.</summary>
    public static T Expect<T>(this Device device, DeviceState? state)
        where T : DeviceState =>
        state as T ?? throw new InvalidDeviceStateException(device.Name, $"expected {typeof(T).Name}, got {state?.GetType().Name ?? "nothing"}.");

    /// <summary>Throws, naming the condition, unless it holds.</summary>
    public static void Require(
        this Device device,
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        if (!condition)
        {
            throw new InvalidDeviceStateException(device.Name, $"not true of the saved state: {text}.");
        }
    }
}
