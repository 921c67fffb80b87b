using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Emu.Core.Net;
using Emu.Net;
using Emu.Net.User;

namespace Emu.Bench;

/// <summary>TCP throughput of the user-mode network alone: a guest made of frames on one side, sockets of the loopback on the other.</summary>
internal static class NetThroughput
{
    private const long LargeBytes = 4L << 30;
    private const long SmallBytes = 512L << 20;
    private const int SmallSegment = 1460;
    private const int LargeSegment = 44 * SmallSegment;

    /// <summary>Measures and prints.</summary>
    public static int Run()
    {
        Console.WriteLine("| TCP, one connection | Gbit/s | bytes allocated per MiB |\n|---|---|---|");
        foreach (bool warm in new[] { false, true })
        {
            long scale = warm ? 1 : 8;
            Report(warm, "guest to host, 64 KiB segments", LargeBytes / scale, length => Send(length, LargeSegment));
            Report(warm, "guest to host, 1460-byte segments", SmallBytes / scale, length => Send(length, SmallSegment));
            Report(warm, "host to guest, 64 KiB segments", LargeBytes / scale, length => Receive(length, NetOffloads.Checksum | NetOffloads.Tso4));
            Report(warm, "host to guest, 1460-byte segments", SmallBytes / scale, length => Receive(length, NetOffloads.None));
        }

        return 0;
    }

    private static void Report(bool print, string title, long length, Func<long, TimeSpan> measure)
    {
        long before = GC.GetTotalAllocatedBytes();
        TimeSpan time = measure(length);
        double allocated = (GC.GetTotalAllocatedBytes() - before) / (length / 1048576.0);
        if (print)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {title} | {length * 8 / time.TotalSeconds / 1e9:F1} | {allocated:F0} |"));
        }
    }

    private static TimeSpan Send(long length, int segment)
    {
        using Socket listener = Listen();
        using var network = new UserNetwork(new UserNetworkSpec("bench"));
        var guest = new BenchGuest(network, listener, NetOffloads.None);
        using Socket host = listener.Accept();
        var watch = Stopwatch.StartNew();
        Thread reader = Start(() =>
        {
            byte[] buffer = new byte[1 << 20];
            for (long read = 0; read < length;)
            {
                read += host.Receive(buffer);
            }
        });
        guest.Send(length, segment);
        reader.Join();
        return watch.Elapsed;
    }

    private static TimeSpan Receive(long length, NetOffloads offloads)
    {
        using Socket listener = Listen();
        using var network = new UserNetwork(new UserNetworkSpec("bench"));
        var guest = new BenchGuest(network, listener, offloads);
        using Socket host = listener.Accept();
        var watch = Stopwatch.StartNew();
        Thread writer = Start(() =>
        {
            byte[] buffer = new byte[256 << 10];
            for (long written = 0; written < length;)
            {
                written += host.Send(buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - written)));
            }
        });
        guest.WaitForBytes(length);
        writer.Join();
        return watch.Elapsed;
    }

    private static Thread Start(ThreadStart body)
    {
        var thread = new Thread(body) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        return listener;
    }
}
