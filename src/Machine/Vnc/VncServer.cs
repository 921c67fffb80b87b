using System.Net.Sockets;
using Emu.Devices.Display;
using Emu.Machine.Display;

namespace Emu.Machine.Vnc;

/// <summary>
/// Shows a screen to any number of clients by RFB 3.8 (RFC 6143), and 3.3 and 3.7 for old ones. The screen is looked at only while
/// a client waits for changes, and seldom while it stands still.
/// </summary>
public sealed class VncServer : IDisposable
{
    /// <summary>Port of display 0.</summary>
    public const int FirstPort = 5900;

    private const int MostClients = 16;

    private static readonly TimeSpan Quick = TimeSpan.FromMilliseconds(33);
    private static readonly TimeSpan Slow = TimeSpan.FromMilliseconds(250);

    private readonly IScreen _screen;
    private readonly IGuestInput _input;
    private readonly string? _password;
    private readonly Lock _surfaceGate = new();
    private readonly Lock _clientsGate = new();
    private readonly List<VncClient> _clients = [];
    private readonly List<Socket> _listeners = [];
    private readonly ManualResetEventSlim _hurry = new();
    private readonly Thread _refresher;
    private string? _socketPath;
    private volatile bool _closing;

    /// <summary>Starts a server without listeners.</summary>
    /// <param name="name">Name of the machine, for the clients' windows.</param>
    /// <param name="screen">The server's own view of the screen.</param>
    /// <param name="input">Where keys and pointer go.</param>
    /// <param name="password">At most eight characters that count, or null for no password.</param>
    /// <exception cref="MachineConfigException">The password is one that the protocol's cipher refuses.</exception>
    public VncServer(string name, IScreen screen, IGuestInput input, string? password)
    {
        if (password is not null && !VncAuthentication.IsUsable(password))
        {
            throw new MachineConfigException("-vnc", "this password cannot be used (empty, or a weak key of the protocol's cipher); choose another");
        }

        Name = name;
        _screen = screen;
        _input = input;
        _password = password;
        RefreshNow();
        _refresher = new Thread(RefreshLoop) { Name = "vnc", IsBackground = true };
        _refresher.Start();
    }

    /// <summary>Name of the machine.</summary>
    public string Name { get; }

    /// <summary>Number of clients.</summary>
    public int ClientCount
    {
        get
        {
            lock (_clientsGate)
            {
                return _clients.Count;
            }
        }
    }

    internal (int Width, int Height) Size
    {
        get
        {
            lock (_surfaceGate)
            {
                return (_screen.Surface.Width, _screen.Surface.Height);
            }
        }
    }

    /// <summary>Serves everybody who connects to <paramref name="listener"/>, which is bound and belongs to the server from now on.</summary>
    /// <param name="listener">The socket.</param>
    /// <param name="socketPath">Path of a Unix socket, deleted at the end; or null.</param>
    public void Listen(Socket listener, string? socketPath = null)
    {
        ArgumentNullException.ThrowIfNull(listener);
        _listeners.Add(listener);
        _socketPath = socketPath;
        listener.Listen(MostClients);
        new Thread(() => AcceptLoop(listener)) { Name = "vnc listener", IsBackground = true }.Start();
    }

    /// <summary>Serves the client at the other end of <paramref name="stream"/>.</summary>
    public void Serve(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var client = new VncClient(stream, this, _input, _password);
        bool full;
        lock (_clientsGate)
        {
            full = _closing || _clients.Count >= MostClients;
            if (!full)
            {
                _clients.Add(client);
            }
        }

        if (full)
        {
            stream.Dispose();
        }
        else
        {
            client.Start();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _closing = true;
        _listeners.ForEach(listener => listener.Dispose());
        if (_socketPath is not null)
        {
            File.Delete(_socketPath);
        }

        foreach (VncClient client in Clients())
        {
            client.Dispose();
        }

        _hurry.Set();
        _refresher.Join();
        _hurry.Dispose();
    }

    /// <summary>Has <paramref name="draw"/> read the picture, which stands still meanwhile.</summary>
    internal void Draw(Action<DisplaySurface> draw)
    {
        lock (_surfaceGate)
        {
            draw(_screen.Surface);
        }
    }

    /// <summary>Something happened after which the screen is likely to change.</summary>
    internal void Hurry()
    {
        if (!_closing)
        {
            _hurry.Set();
        }
    }

    internal void Forget(VncClient client)
    {
        lock (_clientsGate)
        {
            _clients.Remove(client);
        }
    }

    private VncClient[] Clients()
    {
        lock (_clientsGate)
        {
            return [.. _clients];
        }
    }

    private void AcceptLoop(Socket listener)
    {
        while (!_closing)
        {
            try
            {
                Socket socket = listener.Accept();
                if (socket.ProtocolType == ProtocolType.Tcp)
                {
                    socket.NoDelay = true;
                }

                Serve(new NetworkStream(socket, ownsSocket: true));
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // Closed from our side; or a client that left at once, or no descriptor free just now.
                Thread.Sleep(Slow);
            }
        }
    }

    // Quickly while it changes, then ever more slowly; what a client does makes it quick again.
    private void RefreshLoop()
    {
        TimeSpan pause = Quick;
        while (!_closing)
        {
            bool wanted = Array.Exists(Clients(), client => client.Wants);
            bool hurried = _hurry.Wait(wanted ? pause : Timeout.InfiniteTimeSpan);
            if (_closing)
            {
                return;
            }

            _hurry.Reset();
            bool changed = RefreshNow();
            pause = changed || hurried ? Quick : pause * 1.25 < Slow ? pause * 1.25 : Slow;
            if (hurried)
            {
                // A client that asks all the time gets no more than others.
                Thread.Sleep(Quick / 2);
            }
        }
    }

    private bool RefreshNow()
    {
        var changes = new DirtyBands();
        lock (_surfaceGate)
        {
            // Bands of the size that the picture had, so that only another size counts as one.
            changes.SetSize(_screen.Surface.Width, _screen.Surface.Height);
            changes.Clear();
            _screen.Refresh(changes);
        }

        if (changes.IsEmpty)
        {
            return false;
        }

        foreach (VncClient client in Clients())
        {
            client.Note(changes);
        }

        return true;
    }
}
