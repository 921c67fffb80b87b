using Emu.Core.Time;

namespace Emu.Tests.Devices;

/// <summary>A clock that, as the host's, goes on between two looks at it: by a microsecond.</summary>
internal sealed class RestlessClock : IClock
{
    private long _now;

    /// <inheritdoc/>
    public long NowNs => _now += 1000;

    /// <inheritdoc/>
    public DateTimeOffset WallClock => DateTimeOffset.UnixEpoch;
}
