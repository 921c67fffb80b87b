using System.Diagnostics;
using Emu.Accel.Kvm.Native;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <content>Counters, and where the thread's time goes.</content>
internal sealed partial class KvmVcpu
{
    private const int CountedReasons = 64;

    private readonly VcpuStatistics _statistics = new();
    private readonly ulong[] _exits = new ulong[CountedReasons];
    private TimeSpan _userTime;
    private TimeSpan _kernelTime;
    private TimeSpan _loopTime;
    private (TimeSpan User, TimeSpan Kernel) _startTimes;
    private long _startTicks;
    private long _outsideTicks;

    /// <inheritdoc/>
    public VcpuStatistics Statistics
    {
        get
        {
            for (int i = 0; i < CountedReasons; i++)
            {
                if (_exits[i] != 0)
                {
                    _statistics.Exits[i == CountedReasons - 1 ? "other" : ((KvmExitReason)i).ToString()] = _exits[i];
                }
            }

            // The thread's user time is that of the guest and that of the loop around KVM_RUN.
            TimeSpan guest = _userTime > _loopTime ? _userTime - _loopTime : TimeSpan.Zero;
            _statistics.Times = new VcpuTimes(guest, _kernelTime, _userTime - guest);
            return _statistics;
        }
    }

    private void CountExit(KvmExitReason reason) => _exits[Math.Min((uint)reason, CountedReasons - 1)]++;

    private void StartTimes()
    {
        _startTimes = ThreadTimes.Now;
        _startTicks = Stopwatch.GetTimestamp();
        _outsideTicks = 0;
    }

    // Wall time outside KVM_RUN and outside waits is the loop's own.
    private void StopTimes()
    {
        (TimeSpan user, TimeSpan kernel) = ThreadTimes.Now;
        _userTime += user - _startTimes.User;
        _kernelTime += kernel - _startTimes.Kernel;
        _loopTime += Stopwatch.GetElapsedTime(_startTicks + _outsideTicks);
    }
}
