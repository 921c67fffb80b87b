using Emu.Core;
using Emu.Devices.Dma;

namespace Emu.Devices.Virtio;

/// <summary>The entropy device (virtio 1.2, 5.4): fills the driver's buffers with random bytes, on a worker.</summary>
public sealed class VirtioRng : VirtioDevice
{
    /// <summary>PCI class of the device: other, as QEMU says.</summary>
    public const uint PciClass = 0x00ff00;

    private const ushort QueueSize = 8;

    // A buffer may be larger; the driver asks again for more.
    private const int LargestFill = 64 << 10;

    private readonly Action<Span<byte>> _fill;
    private readonly IDeviceWorker _worker;

    /// <summary>Creates the device; <paramref name="fill"/> makes random bytes, on any thread.</summary>
    public VirtioRng(string name, Action<Span<byte>> fill, ulong ringFeatures, VirtioEnvironment environment)
        : base(name, VirtioDeviceType.Entropy, ringFeatures, [QueueSize], environment)
    {
        _fill = fill;
        var chain = new VirtioChain();
        _worker = environment.Workers.Create(name, () => ServeQueue(0, chain, Fill));
    }

    /// <inheritdoc/>
    public override int ConfigSize => 0;

    /// <inheritdoc/>
    public override ulong ReadConfig(int offset, int size) => 0;

    /// <inheritdoc/>
    protected override void OnNotify(int queue) => _worker.Wake();

    private uint? Fill(VirtioChain chain)
    {
        uint filled = 0;
        foreach (GuestSegment segment in VirtioChain.Slice(chain.Writable, 0, LargestFill))
        {
            _fill(segment.Bytes);
            segment.NoteWrite(segment.Length);
            filled += (uint)segment.Length;
        }

        return filled;
    }
}
