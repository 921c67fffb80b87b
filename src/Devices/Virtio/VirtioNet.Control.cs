using System.Buffers.Binary;

namespace Emu.Devices.Virtio;

/// <content>The control queue (virtio 1.2, 5.1.6.5).</content>
public sealed partial class VirtioNet
{
    private const int CommandHeaderSize = 2;
    private const byte ClassReceive = 0;
    private const byte ClassMac = 1;
    private const byte ClassVlan = 2;
    private const byte MacTableSet = 0;
    private const byte MacAddressSet = 1;
    private const byte VlanAdd = 0;
    private const byte VlanRemove = 1;
    private const byte AcknowledgeOk = 0;
    private const byte AcknowledgeError = 1;

    // Two tables of addresses as long as any driver makes them.
    private readonly byte[] _command = new byte[8192];

    private uint? RunCommand(VirtioChain chain)
    {
        if (chain.ReadableLength < CommandHeaderSize || chain.WritableLength < 1)
        {
            return null;
        }

        int length = chain.Read(0, _command);
        bool done = length == chain.ReadableLength && Run(_command[0], _command[1], _command.AsSpan(CommandHeaderSize, length - CommandHeaderSize));
        chain.Write(0, [done ? AcknowledgeOk : AcknowledgeError]);
        return 1;
    }

    private bool Run(byte group, byte command, ReadOnlySpan<byte> data) => (group, command) switch
    {
        (ClassReceive, _) => data.Length >= 1 && _filter.TrySetMode(command, data[0] != 0),
        (ClassMac, MacTableSet) => _filter.TrySetTables(data),
        (ClassMac, MacAddressSet) => data.Length == MacSize && SetAddress(data),
        (ClassVlan, VlanAdd or VlanRemove) =>
            data.Length == sizeof(ushort) && _filter.TrySetVlan(BinaryPrimitives.ReadUInt16LittleEndian(data), command == VlanAdd),
        _ => false,
    };

    private bool SetAddress(ReadOnlySpan<byte> address)
    {
        _filter.Address = NetFilter.ReadAddress(address);
        return true;
    }
}
