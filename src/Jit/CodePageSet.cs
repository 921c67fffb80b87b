using System.Runtime.InteropServices;
using Emu.Core.Memory;

namespace Emu.Jit;

/// <summary>A vCPU as the others see it when code appears or changes.</summary>
public interface ICodePageClient
{
    /// <summary>
    /// From now on, writes to the page must be noticed. Returns when this vCPU can no longer write to it unnoticed, because it
    /// has dropped its TLB entry or will before it runs again. Called on another vCPU's thread.
    /// </summary>
    void TrackPage(ulong page);

    /// <summary>From here this vCPU writes no guest memory, so nobody need wait for it. On its own thread.</summary>
    void LeaveGuest();

    /// <summary>The end of <see cref="LeaveGuest"/>; what the others asked for meanwhile is done before this returns.</summary>
    void EnterGuest();

    /// <summary>Code in a range of <paramref name="ram"/> is about to change: drop it before the next block.</summary>
    void PostCodeWrite(GuestRam ram, ulong offset, int length);
}

/// <summary>
/// Which physical pages hold translated code, counted over all vCPUs of a machine. Each vCPU has its own translations; this is what
/// they must tell each other.
/// </summary>
public sealed class CodePageSet(AddressSpace memory)
{
    private readonly Dictionary<ulong, int> _users = [];
    private readonly List<ICodePageClient> _clients = [];
    private readonly Lock _gate = new();

    /// <summary>Adds a vCPU.</summary>
    public void AddClient(ICodePageClient client)
    {
        lock (_gate)
        {
            _clients.Add(client);
        }
    }

    /// <summary>
    /// <paramref name="user"/> is about to translate code in <paramref name="page"/>, its first there. Afterwards no vCPU can write to
    /// the page without being noticed, so that the bytes read from now on are the bytes executed.
    /// </summary>
    public void Acquire(ulong page, ICodePageClient? user)
    {
        bool first;
        lock (_gate)
        {
            ref int users = ref CollectionsMarshal.GetValueRefOrAddDefault(_users, page, out _);
            first = users++ == 0;
            if (first && memory.View.TryFind(page, out FlatRange? range) && range.IsMemory)
            {
                range.Region.Ram!.AddPageFlags(range.RamOffset(page), RamPageFlags.Code);
            }
        }

        // Outside the lock: the others may be in here themselves. A page that is not new is tracked by all, or being made so by
        // the vCPU that was first; waiting for that again is harmless.
        user?.LeaveGuest();
        foreach (ICodePageClient client in _clients)
        {
            if (client != user)
            {
                client.TrackPage(page);
            }
        }

        user?.EnterGuest();
    }

    /// <summary>A vCPU dropped its last translation in <paramref name="page"/>.</summary>
    public void Release(ulong page)
    {
        lock (_gate)
        {
            if (_users.TryGetValue(page, out int users) && users > 1)
            {
                _users[page] = users - 1;
                return;
            }

            _users.Remove(page);
            if (memory.View.TryFind(page, out FlatRange? range) && range.IsMemory)
            {
                range.Region.Ram!.RemovePageFlags(range.RamOffset(page), RamPageFlags.Code);
            }
        }
    }

    /// <summary>Tells every vCPU but <paramref name="writer"/> that code is about to be overwritten.</summary>
    public void NotifyWrite(GuestRam ram, ulong offset, int length, ICodePageClient? writer)
    {
        foreach (ICodePageClient client in _clients)
        {
            if (client != writer)
            {
                client.PostCodeWrite(ram, offset, length);
            }
        }
    }
}
