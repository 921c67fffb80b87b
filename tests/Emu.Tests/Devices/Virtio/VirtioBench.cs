using Emu.Devices.Pci;
using Emu.Devices.Virtio;
using Emu.Tests.Devices.Pci;

namespace Emu.Tests.Devices.Virtio;

/// <summary>A virtio device on a PCI bus, and the part of a driver that all device types share: registers and set-up.</summary>
internal sealed class VirtioBench : IDisposable
{
    private const int Device = 2;
    private const ulong Indirect = VirtioFeature.IndirectDescriptors;
    private const ulong EventIndex = VirtioFeature.EventIndex;

    private readonly PciBench _pci = new();
    private readonly ulong _bar;
    private readonly ulong _msix;

    public VirtioBench(Func<VirtioEnvironment, VirtioDevice> create)
    {
        Transport = new VirtioPci(create(new VirtioEnvironment(_pci.Memory, _pci.Lock, Workers, Log.Add)), 0x010000, _pci.Lock, _pci.CreateMsi);
        _pci.Bus.Plug(Device, 0, Transport.Function);
        PciSetup.Assign(_pci.Bus, (0xc000_0000, 0xfebf_ffff));
        _pci.WriteConfig(Device, 0x04, 6, 2);
        _pci.WriteConfig(Piix3Isa.Device, 0x60, 0x0a0a_0a0a);
        _msix = Transport.Function.Bars[1]!.Address!.Value;
        _bar = Transport.Function.Bars[4]!.Address!.Value;
    }

    public const ulong RingFeatures = Indirect | EventIndex | VirtioFeature.PackedRing;

    public VirtioPci Transport { get; }

    public SteppedWorkers Workers { get; } = new();

    public List<string> Log { get; } = [];

    public PciBench Pci => _pci;

    public byte Status
    {
        get => (byte)_pci.Memory.Read(_bar + 0x14, 1);
        set => _pci.Memory.Write(_bar + 0x14, value, 1);
    }

    public ulong OfferedFeatures
    {
        get
        {
            WriteCommon(0x00, 0, 4);
            ulong low = ReadCommon(0x04, 4);
            WriteCommon(0x00, 1, 4);
            return low | (ReadCommon(0x04, 4) << 32);
        }
    }

    public ulong ReadCommon(int offset, int size) => _pci.Memory.Read(_bar + (ulong)offset, size);

    public void WriteCommon(int offset, ulong value, int size) => _pci.Memory.Write(_bar + (ulong)offset, value, size);

    public ulong ReadDevice(int offset, int size) => _pci.Memory.Read(_bar + 0x2000 + (ulong)offset, size);

    public void WriteDevice(int offset, ulong value, int size) => _pci.Memory.Write(_bar + 0x2000 + (ulong)offset, value, size);

    public byte ReadIsr() => (byte)_pci.Memory.Read(_bar + 0x1000, 1);

    /// <summary>Notifies, and lets the workers work.</summary>
    public void Notify(int queue)
    {
        _pci.Memory.Write(_bar + 0x3000 + ((ulong)queue * 4), (ulong)queue, 2);
        while (Workers.Run())
        {
        }
    }

    /// <summary>A driver's steps up to FEATURES_OK; false when that does not stay.</summary>
    public bool Negotiate(ulong features)
    {
        Status = 0;
        Status = 1;
        Status = 3;
        WriteCommon(0x08, 0, 4);
        WriteCommon(0x0c, (uint)features, 4);
        WriteCommon(0x08, 1, 4);
        WriteCommon(0x0c, features >> 32, 4);
        Status = 11;
        return (Status & 8) != 0;
    }

    /// <summary>Sets a queue up at <paramref name="address"/> and enables it, with MSI-X vector <paramref name="vector"/>.</summary>
    public TestRing AddQueue(int queue, ushort size, ulong address, ulong features, ushort vector = 0xffff)
    {
        TestRing ring = TestRing.Create(_pci.Ram, size, address, features);
        WriteCommon(0x16, (ulong)queue, 2);
        WriteCommon(0x18, size, 2);
        WriteCommon(0x1a, vector, 2);
        SetAddresses(ring.Descriptors, ring.Driver, ring.Device);
        WriteCommon(0x1c, 1, 2);
        return ring;
    }

    public void SetAddresses(ulong descriptors, ulong driver, ulong device)
    {
        foreach ((int register, ulong value) in (ReadOnlySpan<(int, ulong)>)[(0x20, descriptors), (0x28, driver), (0x30, device)])
        {
            WriteCommon(register, (uint)value, 4);
            WriteCommon(register + 4, value >> 32, 4);
        }
    }

    /// <summary>The last step: the device may use its queues.</summary>
    public void GoLive() => Status = 15;

    /// <summary>Turns MSI-X on with vector n sending n as data.</summary>
    public void EnableMsix(int vectors)
    {
        for (int vector = 0; vector < vectors; vector++)
        {
            _pci.Memory.Write(_msix + (ulong)(vector * 16), 0xfee0_0000, 8);
            _pci.Memory.Write(_msix + (ulong)(vector * 16) + 8, (ulong)vector, 4);
            _pci.Memory.Write(_msix + (ulong)(vector * 16) + 12, 0, 4);
        }

        _pci.WriteConfig(Device, 0x42, 0x8000, 2);
    }

    public void Dispose() => _pci.Dispose();
}
