namespace Emu.Tests.Net;

/// <summary>A guest program that takes a stream to its end, from a card that refuses a frame now and then.</summary>
internal sealed class GuestSink : IDisposable
{
    private const int RefuseEvery = 100;

    private readonly TestGuest _guest;
    private readonly GuestTcp _tcp;
    private readonly uint _start;
    private int _frames;

    public GuestSink(TestGuest guest, GuestTcp tcp, int length)
    {
        _guest = guest;
        _tcp = tcp;
        _start = tcp.Expected;
        Data = new byte[length];
        guest.IsSoonReady = true;
        guest.Interceptor = Take;
    }

    public byte[] Data { get; }

    public int Received => (int)(_tcp.Expected - _start);

    /// <summary>Bytes of data of the largest segment.</summary>
    public int Largest { get; private set; }

    /// <summary>Set when FIN has arrived behind the last byte.</summary>
    public ManualResetEventSlim Finished { get; } = new();

    public void Dispose() => _guest.Interceptor = null;

    private bool Take(GuestFrame frame)
    {
        if (!_tcp.IsMine(frame))
        {
            return false;
        }

        ReadOnlySpan<byte> data = frame.TcpData;
        Largest = Math.Max(Largest, data.Length);
        if (frame.Sequence == _tcp.Expected && Received + data.Length <= Data.Length)
        {
            data.CopyTo(Data.AsSpan(Received));
            _tcp.Expected += (uint)data.Length;
            if ((frame.Flags & TestGuest.Fin) != 0)
            {
                _tcp.Expected++;
                Finished.Set();
            }
        }

        if (++_frames % RefuseEvery == 0 || (Largest > 1460 && _frames % 20 == 0))
        {
            _guest.RefuseNext(1);
        }

        _tcp.SendAt(_tcp.Next, TestGuest.Ack, []);
        return true;
    }
}

/// <summary>A guest program that sends a stream as fast as the window allows.</summary>
internal static class GuestSource
{
    /// <summary>Sends <paramref name="data"/> in segments of so many bytes; those larger than the MTU as one frame.</summary>
    public static void Send(TestGuest guest, GuestTcp tcp, ReadOnlySpan<byte> data, int segmentBytes)
    {
        uint acknowledged = tcp.Next;
        uint window = 65_000;
        using var progress = new AutoResetEvent(false);
        guest.Interceptor = frame =>
        {
            if (!tcp.IsMine(frame))
            {
                return false;
            }

            Volatile.Write(ref acknowledged, frame.Acknowledgment);
            Volatile.Write(ref window, (uint)frame.Window << tcp.PeerWindowShift);
            progress.Set();
            return true;
        };
        while (data.Length > 0)
        {
            int length = Math.Min(segmentBytes, data.Length);
            uint room = Volatile.Read(ref acknowledged) + Volatile.Read(ref window) - tcp.Next;
            if ((int)room < length)
            {
                Assert.True(progress.WaitOne(TimeSpan.FromSeconds(20)), "the window stayed closed");
                continue;
            }

            if (length > 1460)
            {
                tcp.SendLarge(data[..length]);
            }
            else
            {
                tcp.Send(TestGuest.Ack, data[..length]);
            }

            data = data[length..];
        }

        guest.Interceptor = null;
    }
}
