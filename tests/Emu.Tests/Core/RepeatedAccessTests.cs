using Emu.Core;
using Emu.Core.Memory;

namespace Emu.Tests.Core;

/// <summary>One register many times, by <see cref="AddressSpace.ReadRepeated"/> and <see cref="AddressSpace.WriteRepeated"/>.</summary>
public sealed class RepeatedAccessTests : IIoHandler
{
    private const ulong Port = 0x100;

    private readonly List<ulong> _written = [];
    private readonly MemoryRegion _root = MemoryRegion.Container("ports", 0x10000);
    private readonly MemoryRegion _region;
    private readonly AddressSpace _ports;
    private int _stop;
    private int _stopAfter = int.MaxValue;
    private Action? _onAccess;

    public RepeatedAccessTests()
    {
        _region = MemoryRegion.OfIo("device", 4, this, IoAccess.Bytes);
        _root.Add(Port, _region);
        _ports = new AddressSpace("ports", _root, new MachineLock());
    }

    ulong IIoHandler.Read(ulong offset, int size)
    {
        Note(offset);
        return 0xa0 + offset;
    }

    void IIoHandler.Write(ulong offset, ulong value, int size) => Note(value);

    [Fact]
    public void WideElements_OfByteRegisters_AreSplit()
    {
        byte[] data = new byte[6];

        Assert.Equal(3, _ports.ReadRepeated(Port + 1, data, 2, in _stop));
        Assert.Equal([0xa1, 0xa2, 0xa1, 0xa2, 0xa1, 0xa2], data);
        Assert.Equal(2, _ports.WriteRepeated(Port, data.AsSpan(0, 4), 2, in _stop));
        Assert.Equal([1, 2, 1, 2, 1, 2, 0xa1, 0xa2, 0xa1, 0xa2], _written);
    }

    [Fact]
    public void Stop_EndsItBehindTheElement()
    {
        _stopAfter = 3;

        Assert.Equal(3, _ports.WriteRepeated(Port, new byte[9], 1, in _stop));
        Assert.Equal(1, _ports.ReadRepeated(Port, new byte[9], 1, in _stop));
    }

    [Fact]
    public void RegisterThatMovesAway_IsLeftBehindTheElement()
    {
        _onAccess = () => _region.Enabled = false;

        Assert.Equal(1, _ports.WriteRepeated(Port, new byte[9], 1, in _stop));
        Assert.Single(_written);
    }

    [Fact]
    public void NothingThere_IsOneElementOfOnes()
    {
        byte[] data = new byte[4];

        Assert.Equal(1, _ports.ReadRepeated(0x300, data, 2, in _stop));
        Assert.Equal([0xff, 0xff, 0, 0], data);
        Assert.Equal(1, _ports.ReadRepeated(Port + 3, data, 2, in _stop));
        Assert.Equal([0xa3, 0xff], data[..2]);
    }

    private void Note(ulong value)
    {
        _written.Add(value);
        _stop = _written.Count >= _stopAfter ? 1 : 0;
        _onAccess?.Invoke();
    }
}
