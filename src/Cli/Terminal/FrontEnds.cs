using System.Text;
using Emu.Machine;
using Emu.Machine.Chardev;
using Emu.Machine.Display;
using Emu.Machine.Hmp;
using Emu.Machine.Vnc;

namespace Emu.Cli.Terminal;

/// <summary>What shows a machine's screen and takes commands while it runs: VNC servers, the terminal, the monitor.</summary>
internal sealed class FrontEnds : IDisposable
{
    private readonly List<IDisposable> _parts = [];

    /// <summary>Starts what <paramref name="spec"/> asks for.</summary>
    /// <exception cref="MachineConfigException">An address cannot be used, or there is no screen to show.</exception>
    public FrontEnds(Machine.Machine machine, FrontEndSpec spec, string name, CharBackend? monitorPort, HostSession session)
    {
        try
        {
            foreach (VncSpec vnc in spec.Vnc)
            {
                _parts.Add(VncListeners.Open(vnc, name, machine));
            }

            var monitor = new HumanMonitor(machine);
            if (monitorPort is not null)
            {
                AddMonitor(new MonitorSession(monitor, text => monitorPort.Write(Encoding.Latin1.GetBytes(text)), echo: true), monitorPort);
            }

            session.Monitor = Add(new MonitorSession(monitor, session.Show, echo: true));
            if (spec.Curses)
            {
                if (machine is not { Display: GuestDisplay display, Input: IGuestInput input })
                {
                    throw new MachineConfigException("-display", "curses: the machine has no display adapter; leave out -vga none");
                }

                session.TakeTerminal(new TerminalKeys(input));
                session.AtExit(Add(new TextTerminal(display, StandardStreams.OpenOutput())).Dispose);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _parts.ForEach(part => part.Dispose());
        _parts.Clear();
    }

    private void AddMonitor(MonitorSession session, CharBackend port)
    {
        Add(session);
        port.Connect(session);
        session.ShowPrompt();
    }

    private T Add<T>(T part)
        where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }
}
