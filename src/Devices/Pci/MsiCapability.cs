using Emu.Core;

namespace Emu.Devices.Pci;

/// <summary>MSI (PCI 3.0, 6.8.1) with a 64-bit address and one message, for a device that raises interrupts with the machine lock held.</summary>
public sealed class MsiCapability
{
    private const byte CapabilityId = 0x05;
    private const int CapabilityLength = 14;
    private const int ControlOffset = 2;
    private const int AddressOffset = 4;
    private const int DataOffset = 12;
    private const ushort Enable = 1;
    private const ushort Is64Bit = 1 << 7;

    // Multiple message enable: stored, though only one message is asked for.
    private const ushort MultipleEnable = 7 << 4;

    private readonly PciFunction _function;
    private readonly IMsiSink _sink;
    private readonly int _offset;

    /// <summary>Adds the capability to <paramref name="function"/>.</summary>
    public MsiCapability(PciFunction function, IMsiSink sink)
    {
        ArgumentNullException.ThrowIfNull(function);
        _function = function;
        _sink = sink;
        _offset = function.AddCapability(CapabilityId, CapabilityLength);
        function.Define(_offset + ControlOffset, 2, Is64Bit, Enable | MultipleEnable);
        function.Define(_offset + AddressOffset, 4, 0, 0xffff_fffc);
        function.Define(_offset + AddressOffset + 4, 4, 0, uint.MaxValue);
        function.Define(_offset + DataOffset, 2, 0, 0xffff);
    }

    /// <summary>True while the guest uses MSI instead of the interrupt pin.</summary>
    public bool IsEnabled => (_function.Config[_offset + ControlOffset] & Enable) != 0;

    /// <summary>Sends the message, if MSI is enabled.</summary>
    public void Raise()
    {
        if (IsEnabled && _function.IsBusMaster)
        {
            ReadOnlySpan<byte> registers = _function.Config[_offset..];
            _sink.Send(new MsiMessage(BitConverter.ToUInt64(registers[AddressOffset..]), BitConverter.ToUInt16(registers[DataOffset..])));
        }
    }
}
