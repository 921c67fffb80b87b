using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Emu.Core;
using Emu.Devices.Serial;
using Emu.Machine;
using Emu.Machine.Chardev;

namespace Emu.Tests.Chardev;

public sealed class CharBackendTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly MachineLock _lock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("emu-chardev").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void OutputPipe_ManySmallWrites_AllArriveInOrderAndInFewCalls()
    {
        var received = new MemoryStream();
        int calls = 0;
        using (var pipe = new OutputPipe("test", data =>
        {
            received.Write(data);
            calls++;
        }))
        {
            for (int i = 0; i < 100_000; i++)
            {
                pipe.Write([(byte)i]);
            }
        }

        Assert.Equal(Enumerable.Range(0, 100_000).Select(i => (byte)i), received.ToArray());
        Assert.True(calls < 10_000, $"{calls} calls");
    }

    [Fact]
    public void OutputPipe_OneByte_ArrivesSoonWithoutFlush()
    {
        using var arrived = new ManualResetEventSlim();
        using var pipe = new OutputPipe("test", _ => arrived.Set());

        pipe.Write("x"u8);

        Assert.True(arrived.Wait(Limit));
    }

    [Fact]
    public void OutputPipe_ReaderThatHangs_DropsInsteadOfBlockingForever()
    {
        using var release = new ManualResetEventSlim();
        using (var pipe = new OutputPipe("test", _ => release.Wait()) { Capacity = 100, StallLimit = TimeSpan.FromMilliseconds(50) })
        {
            long start = Stopwatch.GetTimestamp();
            for (int i = 0; i < 1000; i++)
            {
                pipe.Write(new byte[10]);
            }

            Assert.False(pipe.Flush());
            Assert.True(Stopwatch.GetElapsedTime(start) < Limit);
            Assert.True(pipe.Dropped > 0);
            release.Set();
        }
    }

    [Fact]
    public void OutputPipe_BrokenSink_DropsTheRest()
    {
        using var pipe = new OutputPipe("test", _ => throw new IOException("gone"));

        pipe.Write(new byte[10]);
        pipe.Flush();
        pipe.Write(new byte[5]);

        Assert.Equal(15, pipe.Dropped);
    }

    [Fact]
    public void FileBackend_Disposal_WritesEverything()
    {
        string path = Path.Combine(_folder, "out");
        using (FileBackend backend = FileBackend.Create("serial0", _lock, path))
        {
            backend.Write("hello "u8);
            backend.Write("world"u8);
        }

        Assert.Equal("hello world", File.ReadAllText(path));
    }

    [Fact]
    public void Input_IsHandedOverOnlyAsTheGuestHasRoom()
    {
        using var backend = new MemoryBackend("serial0", _lock);
        var guest = new FakeGuest(_lock) { Room = 3 };
        backend.Connect(guest);

        backend.Send("abcdefgh");
        Assert.True(SpinWait.SpinUntil(() => guest.Text == "abc", Limit), guest.Text);
        guest.FreeSpace(100);

        Assert.True(SpinWait.SpinUntil(() => guest.Text == "abcdefgh", Limit), guest.Text);
        Assert.False(guest.Overrun);
    }

    [Fact]
    public void SendBreak_ReachesTheGuest()
    {
        using var backend = new MemoryBackend("serial0", _lock);
        var guest = new FakeGuest(_lock) { Room = 16 };
        backend.Connect(guest);

        backend.SendBreak();

        Assert.True(SpinWait.SpinUntil(() => guest.Breaks == 1, Limit));
    }

    [Fact]
    public void MemoryBackend_WaitFor_FindsTextAndTimesOut()
    {
        using var backend = new MemoryBackend("serial0", _lock);
        backend.Write("one two one"u8);

        Assert.Equal(3, backend.WaitFor("one", Limit));
        Assert.Equal(11, backend.WaitFor("one", Limit, from: 3));
        Assert.Equal(-1, backend.WaitFor("three", TimeSpan.FromMilliseconds(10)));
    }

    [Fact]
    public void UnixServer_TwoClientsAfterEachOther_BothAreServed()
    {
        string path = Path.Combine(_folder, "s");
        using UnixSocketBackend backend = UnixSocketBackend.Listen("serial0", _lock, path);
        var guest = new FakeGuest(_lock) { Room = 1000 };
        backend.Connect(guest);
        foreach (string name in (string[])["first", "second"])
        {
            using var client = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            client.Connect(new UnixDomainSocketEndPoint(path));
            client.Send(Encoding.ASCII.GetBytes(name));
            Assert.True(SpinWait.SpinUntil(() => guest.Text.EndsWith(name, StringComparison.Ordinal), Limit), guest.Text);
            backend.Write("reply"u8);
            byte[] reply = new byte[5];
            client.ReceiveTimeout = (int)Limit.TotalMilliseconds;
            Assert.Equal(5, client.Receive(reply));
        }
    }

    [Fact]
    public void UnixServer_LeftOverSocket_IsReplaced()
    {
        string path = Path.Combine(_folder, "s");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(path));
            File.Move(path, path + "2");
        }

        File.Move(path + "2", path);
        using UnixSocketBackend backend = UnixSocketBackend.Listen("serial0", _lock, path);
        Assert.True(File.Exists(path));
    }

    [Theory]
    [InlineData(CharKind.File, false)]
    [InlineData(CharKind.Unix, false)]
    [InlineData(CharKind.Unix, true)]
    public void Create_PathThatCannotBe_IsOneLineWithTheOption(CharKind kind, bool server)
    {
        var backends = new CharBackends(_lock, (_, _, _) => throw new InvalidOperationException(), _ => { });
        var spec = new CharSpec(kind) { Path = Path.Combine(_folder, "no", "such"), Server = server };

        var exception = Assert.Throws<MachineConfigException>(() => backends.Create("serial0", "-serial", spec));

        Assert.StartsWith("-serial: cannot use ", exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    private sealed class FakeGuest(MachineLock machineLock) : ISerialReceiver
    {
        private readonly StringBuilder _text = new();

        public event Action? SpaceFreed;

        public int Room { get; set; }

        public int Breaks { get; private set; }

        public bool Overrun { get; private set; }

        public int CanReceive => Room;

        public string Text
        {
            get
            {
                using (machineLock.Enter())
                {
                    return _text.ToString();
                }
            }
        }

        public void Receive(ReadOnlySpan<byte> data)
        {
            Overrun |= !machineLock.IsHeld || data.Length > Room;
            Room -= data.Length;
            _text.Append(Encoding.ASCII.GetString(data));
        }

        public void ReceiveBreak() => Breaks++;

        public void FreeSpace(int room)
        {
            using (machineLock.Enter())
            {
                Room = room;
                SpaceFreed?.Invoke();
            }
        }
    }
}
