using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Dma;
using Emu.Devices.Pci;

namespace Emu.Devices.Ide;

/// <summary>Saved state of a <see cref="PiixIde"/>.</summary>
public sealed record PiixIdeState : DeviceState
{
    /// <summary>Configuration bytes.</summary>
    public byte[] Config { get; init; } = [];

    /// <summary>Both channels.</summary>
    public IdeChannelState[] Channels { get; init; } = [];
}

/// <summary>
/// The IDE function of the PIIX3 (Intel 290550, 2.3), 00:01.1: two channels at the places of ISA boards, and their bus masters behind
/// BAR 4.
/// </summary>
public sealed class PiixIde : Device
{
    /// <summary>Device number on bus 0, which it shares with the ISA bridge.</summary>
    public const int DeviceNumber = 1;

    /// <summary>Function number.</summary>
    public const int FunctionNumber = 1;

    /// <summary>Offset of IDETIM of the primary channel; that of the secondary follows (290550, 2.3.9).</summary>
    public const int TimingOffset = 0x40;

    /// <summary>IDETIM with the channel's decoding on.</summary>
    public const ushort TimingDecode = 1 << 15;

    /// <summary>Channels.</summary>
    public const int ChannelCount = 2;

    private const int MasterBar = 4;
    private const ulong MasterPorts = 16;

    private readonly IdeFunction _function;
    private readonly IdeChannel[] _channels;

    /// <summary>Creates the controller; <paramref name="irqs"/> are those of the primary and the secondary channel.</summary>
    public PiixIde(string name, IReadOnlyList<IrqLine> irqs, DmaMemory memory, MachineLock machineLock, IDeviceWorkers workers)
        : base(name)
    {
        ArgumentNullException.ThrowIfNull(irqs);
        _function = new IdeFunction();
        var environment = new IdeEnvironment(memory, machineLock, workers, () => _function.MayMaster);
        _channels = [.. Enumerable.Range(0, ChannelCount).Select(index => new IdeChannel($"{name}{index}", irqs[index], environment))];
        _function.DefineBar(MasterBar, PciBarKind.Io, PortRegion.OfBytes(
            $"{name}-bus-master",
            MasterPorts,
            offset => _channels[offset / BusMaster.RegisterCount].ReadMaster(offset % BusMaster.RegisterCount),
            (offset, value) => _channels[offset / BusMaster.RegisterCount].WriteMaster(offset % BusMaster.RegisterCount, value)));
    }

    /// <summary>The PCI function.</summary>
    public PciFunction Function => _function;

    /// <summary>Primary and secondary channel.</summary>
    public IReadOnlyList<IdeChannel> Channels => _channels;

    /// <inheritdoc/>
    public override void Reset()
    {
        _function.Reset();
        Array.ForEach(_channels, channel => channel.Reset());
    }

    /// <inheritdoc/>
    public override PiixIdeState Save() => new() { Config = _function.SaveConfig(), Channels = [.. _channels.Select(channel => channel.Save())] };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        PiixIdeState s = this.Expect<PiixIdeState>(state);
        this.Require(s.Channels is { Length: ChannelCount });
        this.Require(_channels.Zip(s.Channels).All(pair => pair.First.IsValid(pair.Second)));
        this.Require(_function.TryRestoreConfig(s.Config));
        for (int i = 0; i < ChannelCount; i++)
        {
            _channels[i].Restore(s.Channels[i]);
        }
    }

    private sealed class IdeFunction : PciFunction
    {
        private const ushort IntelVendor = 0x8086;
        private const ushort Device82371Sb = 0x7010;

        // Both channels in compatibility mode, bus master.
        private const uint IdeClass = 0x010180;
        private const ushort StatusInitial = 0x0280;
        private bool _mayMaster;

        public IdeFunction()
            : base(IntelVendor, Device82371Sb, IdeClass, 0)
        {
            Define(StatusOffset, 2, StatusInitial, 0);
            Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
            Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
            Define(TimingOffset, 4, 0, uint.MaxValue);
            Define(TimingOffset + 4, 1, 0, 0xff); // slave timing
        }

        /// <summary>As <see cref="PciFunction.IsBusMaster"/>, for any thread.</summary>
        public bool MayMaster => Volatile.Read(ref _mayMaster);

        protected override void OnConfigChanged(int offset, int size)
        {
            base.OnConfigChanged(offset, size);
            Volatile.Write(ref _mayMaster, IsBusMaster);
        }
    }
}
