using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Devices.Pci;

/// <summary>Saved state of a <see cref="PciHostBridge"/>.</summary>
public sealed record PciHostBridgeState : DeviceState
{
    /// <summary>CONFIG_ADDRESS.</summary>
    public uint Address { get; init; }

    /// <summary>Configuration bytes of function 00:00.0.</summary>
    public byte[] HostConfig { get; init; } = [];
}

/// <summary>
/// PCI configuration mechanism #1 (PCI 3.0, 3.2.2.3.2) with bus 0. Functions that devices plug in save themselves;
/// where none is, reads give all ones and writes vanish.
/// </summary>
public sealed class PciHostBridge : Device
{
    private const uint AddressEnable = 0x8000_0000;
    private const uint AddressWritable = 0x80ff_fffc;

    private uint _address;

    /// <summary>Creates the bridge with itself at 00:00.0.</summary>
    public PciHostBridge(string name)
        : base(name)
    {
        AddressPort = MemoryRegion.OfIo($"{name}-address", 4, new AddressRegister(this), IoAccess.UpToDword);
        DataPort = MemoryRegion.OfIo($"{name}-data", 4, new DataRegister(this), IoAccess.UpToDword);
        Host = new I440FxHost();
        Bus = new PciBus(name);
        Bus.Plug(0, 0, Host);
    }

    /// <summary>CONFIG_ADDRESS, for port CF8H. Only dword accesses reach it; bytes at CF9H go to <see cref="ResetControl"/>.</summary>
    public MemoryRegion AddressPort { get; }

    /// <summary>
    /// The chipset's reset control register, a byte inside CONFIG_ADDRESS at CF9H. It is no region of its own because that
    /// would split the dword accesses to CF8H.
    /// </summary>
    public IIoHandler? ResetControl { get; set; }

    /// <summary>CONFIG_DATA, for port CFCH.</summary>
    public MemoryRegion DataPort { get; }

    /// <summary>The bridge's own function, 00:00.0.</summary>
    public I440FxHost Host { get; }

    /// <summary>Bus 0.</summary>
    public PciBus Bus { get; }

    /// <inheritdoc/>
    public override void Reset()
    {
        _address = 0;
        Host.Reset();
    }

    /// <inheritdoc/>
    public override DeviceState Save() => new PciHostBridgeState { Address = _address, HostConfig = Host.SaveConfig() };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        PciHostBridgeState s = this.Expect<PciHostBridgeState>(state);
        this.Require((s.Address & ~AddressWritable) == 0);
        this.Require(Host.TryRestoreConfig(s.HostConfig));
        _address = s.Address;
    }

    /// <summary>The function that CONFIG_ADDRESS selects, or null: bits 23:16 bus, 15:8 device and function.</summary>
    private PciFunction? Selected => (_address & AddressEnable) != 0 && (_address >> 16 & 0xff) == 0
        ? Bus[(int)(_address >> 8) & 0xff]
        : null;

    private int RegisterOffset(ulong offset) => (int)(_address & 0xfc) + (int)offset;

    private sealed class AddressRegister(PciHostBridge bridge) : IIoHandler
    {
        private const ulong ResetControlOffset = 1;

        public ulong Read(ulong offset, int size) => (offset, size) switch
        {
            (0, 4) => bridge._address,
            (ResetControlOffset, 1) => bridge.ResetControl?.Read(0, 1) ?? ulong.MaxValue,
            _ => ulong.MaxValue,
        };

        public void Write(ulong offset, ulong value, int size)
        {
            if (offset == 0 && size == 4)
            {
                bridge._address = (uint)value & AddressWritable;
            }
            else if (offset == ResetControlOffset && size == 1)
            {
                bridge.ResetControl?.Write(0, value, 1);
            }
        }
    }

    private sealed class DataRegister(PciHostBridge bridge) : IIoHandler
    {
        public ulong Read(ulong offset, int size) => bridge.Selected?.ReadConfig(bridge.RegisterOffset(offset), size) ?? ulong.MaxValue;

        public void Write(ulong offset, ulong value, int size) =>
            bridge.Selected?.WriteConfig(bridge.RegisterOffset(offset), (uint)value, size);
    }
}
