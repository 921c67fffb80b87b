using Emu.Core.Cpu;
using Emu.Machine;

namespace Emu.Tests.MachineTests;

/// <summary>A machine with scripted CPUs and a small flat image to start.</summary>
internal sealed class MachineRig : IDisposable
{
    public const ulong ImageAddress = 0x1000;
    public const ushort ExitPort = 0xf4;

    private static readonly string ImagePath = CreateImage();

    private Thread? _runner;
    private int _exitCode;

    public MachineRig(Func<FakeVcpu, IEnumerable<GuestStep>> script, MachineConfig? config = null, MachineHost? host = null)
    {
        host ??= new MachineHost();
        Machine = new Machine.Machine(config ?? Config, host with { Notice = Notices.Add }, context =>
        {
            Context = context;
            return Accelerator = new FakeAccelerator(script, context.Memory, context.Ports);
        });
    }

    /// <summary>16 MiB, one CPU, an exit device, nothing else.</summary>
    public static MachineConfig Config { get; } = new()
    {
        MemoryBytes = 16 << 20,
        Boot = new BootSpec { FlatLoads = [new FlatLoadSpec(ImagePath, ImageAddress, StartsCpu: true)] },
        DebugExit = new DebugExitSpec(ExitPort, 4),
    };

    public Machine.Machine Machine { get; }

    public FakeAccelerator Accelerator { get; private set; } = null!;

    public AcceleratorContext Context { get; private set; } = null!;

    public List<string> Notices { get; } = [];

    public FakeVcpu Cpu => Accelerator.Vcpus[0];

    public void Start()
    {
        _runner = new Thread(() => _exitCode = Machine.Run()) { IsBackground = true };
        _runner.Start();
    }

    /// <summary>Waits for the end of what <see cref="Start"/> began.</summary>
    public int WaitForExit()
    {
        Assert.True(_runner!.Join(TimeSpan.FromSeconds(10)), "the machine does not end");
        return _exitCode;
    }

    public void WaitFor(Func<bool> condition) =>
        Assert.True(SpinWait.SpinUntil(condition, TimeSpan.FromSeconds(10)), "the condition does not come true");

    public void Dispose()
    {
        Machine.Dispose();
        Assert.True(Cpu.Disposed && Accelerator.Disposed);
    }

    private static string CreateImage()
    {
        string path = Path.Combine(Path.GetTempPath(), $"emu-test-{Environment.ProcessId}.bin");
        File.WriteAllBytes(path, [0xF4, 0x11, 0x22, 0x33]);
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        return path;
    }
}
