using System.Diagnostics;
using Emu.Machine;
using Emu.Machine.Vnc;

namespace Emu.Tests.Display;

public sealed class VncServerTests : IDisposable
{
    private readonly FakeScreen _screen = new(200, 100);
    private readonly FakeInput _input = new();
    private readonly VncServer _server;

    public VncServerTests()
    {
        _screen.Paint((x, y) => (uint)((x << 16) | (y << 8) | 7));
        _server = new VncServer("a machine", _screen, _input, null);
    }

    public static IEnumerable<object[]> EncodingsAndFormats =>
        ((int[])[0, 5, 16]).SelectMany(encoding => Enumerable.Range(0, 4).Select(format => new object[] { encoding, format }));

    public void Dispose() => _server.Dispose();

    [Theory]
    [MemberData(nameof(EncodingsAndFormats))]
    public void Update_DecodesToThePicture_InEveryEncodingAndFormat(int encoding, int formatIndex)
    {
        VncPixelFormat format = (formatIndex switch
        {
            0 => VncPixelFormat.Native,
            1 => VncPixelFormat.Native with { BigEndian = true },
            2 => new VncPixelFormat(16, 16, true, 31, 63, 31, 11, 5, 0),
            _ => new VncPixelFormat(8, 8, false, 7, 7, 3, 5, 2, 0),
        })!;
        using VncTestClient client = Connect(_server, format, encoding);
        client.Request(incremental: false);
        client.ReadUpdate();
        AssertSame(client, format, (x, y) => (uint)((x << 16) | (y << 8) | 7));

        // Tiles of one colour, of few colours, and of two.
        uint Second(int x, int y) => y < 64 ? (x < 64 ? 0x123456u : (uint)((x + y) % 7 * 0x1f1f1f)) : (x & 1) != 0 ? 0xffffffu : 0;
        _screen.Paint(Second);
        client.Request(incremental: true);
        client.ReadUpdate();
        AssertSame(client, format, Second);
    }

    [Fact]
    public void Handshake_TellsSizeAndName()
    {
        using var client = new VncTestClient(_server);

        Assert.Null(client.Handshake());
        Assert.Equal((200, 100, "a machine"), (client.Width, client.Height, client.Name));
    }

    [Fact]
    public void Password_RightOneIn_WrongOneOut()
    {
        using var server = new VncServer("locked", _screen, _input, "secret");
        using var friend = new VncTestClient(server);
        Assert.Null(friend.Handshake("secret"));
        using var stranger = new VncTestClient(server);
        Assert.Equal("wrong password", stranger.Handshake("Secret"));
        Assert.True(stranger.IsClosed());
        Assert.Throws<MachineConfigException>(() => new VncServer("x", _screen, _input, "").Dispose());
    }

    [Fact]
    public void IncrementalRequest_WaitsForAChange_AndGetsIt()
    {
        using VncTestClient client = Connect(_server, VncPixelFormat.Native, 0);
        client.Request(incremental: false);
        Assert.Equal(1, client.ReadUpdate());
        client.Request(incremental: true);
        _screen.Paint((x, y) => x == 30 && y == 40 ? 0xabcdefu : (uint)((x << 16) | (y << 8) | 7));
        Assert.Equal(1, client.ReadUpdate());
        Assert.Equal(0xabcdefu, client.Pixels[(40 * 200) + 30]);
    }

    [Fact]
    public void NobodyAsks_NobodyLooksAtTheScreen()
    {
        using VncTestClient client = Connect(_server, VncPixelFormat.Native, 0);
        client.Request(incremental: false);
        client.ReadUpdate();
        SpinWait.SpinUntil(() => false, 100);
        int before = _screen.Refreshes;
        SpinWait.SpinUntil(() => false, 200);
        Assert.Equal(before, _screen.Refreshes);
    }

    [Fact]
    public void Resize_IsToldWhereTheClientTakesIt_ElseCut()
    {
        using VncTestClient modern = Connect(_server, VncPixelFormat.Native, 0, VncEncoding.DesktopSize);
        using VncTestClient old = Connect(_server, VncPixelFormat.Native, 0);
        foreach (VncTestClient client in (VncTestClient[])[modern, old])
        {
            client.Request(incremental: false);
            client.ReadUpdate();
        }

        _screen.Resize(300, 50);
        _screen.Paint((_, _) => 0x010203);
        modern.Request(incremental: true);
        modern.ReadUpdate();
        old.Request(incremental: true);
        old.ReadUpdate();

        Assert.Equal((300, 50, 1), (modern.Width, modern.Height, modern.Resizes));
        Assert.All(modern.Pixels, pixel => Assert.Equal(0x010203u, pixel));
        Assert.Equal((0x010203u, 0u), (old.Pixels[0], old.Pixels[60 * 200]));
    }

    [Fact]
    public void KeysAndPointer_ReachTheGuest_AndAreReleasedWhenTheClientGoes()
    {
        using (VncTestClient client = Connect(_server, VncPixelFormat.Native, 0))
        {
            client.Send([4, 1, 0, 0, 0, 0, 0, (byte)'A']);
            client.Send([4, 0, 0, 0, 0, 0, 0, (byte)'a']);
            client.Send([4, 1, 0, 0, 0, 0, 0xff, 0xe3]);
            client.Send([5, 0, 0, 10, 0, 10]);
            client.Send([5, 1, 0, 15, 0, 7]);
            WaitFor("A+ A- LeftCtrl+ 5,-3,Left");
        }

        WaitFor("A+ A- LeftCtrl+ 5,-3,Left LeftCtrl- 0,0,None");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void HostileMessages_EndTheirConnectionOnly(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 25; round++)
        {
            using var client = new VncTestClient(_server);
            client.Handshake();
            try
            {
                for (int i = 0; i < 40; i++)
                {
                    byte[] message = new byte[random.Next(1, 40)];
                    random.NextBytes(message);
                    message[0] = (byte)random.Next(random.Next(2) == 0 ? 8 : 256);
                    client.Send(message);
                }
            }
            catch (IOException)
            {
                // The server has hung up, as it should.
            }
        }

        using VncTestClient honest = Connect(_server, VncPixelFormat.Native, 16);
        honest.Request(incremental: false);
        honest.ReadUpdate();
        AssertSame(honest, VncPixelFormat.Native, (x, y) => (uint)((x << 16) | (y << 8) | 7));
        Assert.True(SpinWait.SpinUntil(() => _server.ClientCount == 1, 20_000), "clients that have gone are forgotten");
    }

    [Theory]
    [InlineData(new byte[] { 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0, 0, 0, 32, 24, 0, 1, 0, 3, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 8, 8, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0 })]
    [InlineData(new byte[] { 200 })]
    public void ImpossibleMessage_EndsTheConnection(byte[] message)
    {
        using var client = new VncTestClient(_server);
        client.Handshake();
        client.Send(message);
        bool closed = message[0] != 0 || message[4] != 32;

        Assert.Equal(closed, closed && client.IsClosed());
    }

    private static VncTestClient Connect(VncServer server, VncPixelFormat format, params int[] encodings)
    {
        var client = new VncTestClient(server);
        Assert.Null(client.Handshake());
        client.SetFormat(format);
        client.SetEncodings(encodings);
        return client;
    }

    private static void AssertSame(VncTestClient client, VncPixelFormat format, Func<int, int, uint> colour)
    {
        for (int i = 0; i < client.Pixels.Length; i++)
        {
            uint expected = format.Convert(colour(i % client.Width, i / client.Width) & 0xffffff);
            if (client.Pixels[i] != expected)
            {
                Assert.Fail($"pixel {i % client.Width},{i / client.Width} is {client.Pixels[i]:x}, not {expected:x}");
            }
        }
    }

    private void WaitFor(string log)
    {
        long start = Stopwatch.GetTimestamp();
        while (_input.Log != log && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(20))
        {
            Thread.Sleep(5);
        }

        Assert.Equal(log, _input.Log);
    }
}
