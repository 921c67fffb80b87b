using Emu.Core.Memory;

namespace Emu.Accel.Kvm;

/// <summary>What KVM is told of the port space: doorbells and coalesced writes. All other accesses leave the guest.</summary>
internal sealed class KvmPorts(KvmVm vm, KvmEventThread events, KvmContext context) : IMemoryListener
{
    private readonly KvmDoorbells _doorbells = new(vm, events, isPort: true);

    /// <inheritdoc/>
    public void OnMapChanged(FlatView before, FlatView after, IReadOnlyList<FlatRange> removed, IReadOnlyList<FlatRange> added)
    {
        context.Coalesced.Update(isPort: true, removed, added);
        _doorbells.Update(after);
    }

    /// <summary>Takes all doorbells off.</summary>
    public void Clear() => _doorbells.Clear();
}
