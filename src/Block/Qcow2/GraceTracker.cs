namespace Emu.Block.Qcow2;

/// <summary>
/// Keeps clusters that were dropped from the tables until every transfer that may still use them is over. Transfers belong to one of
/// two phases; the phase changes when nobody is left in the other one, and what was dropped two changes ago can be used by nobody.
/// All but <see cref="Leave"/> is called under the metadata lock.
/// </summary>
internal sealed class GraceTracker
{
    private readonly long[] _active = new long[2];
    private readonly List<long>[] _waiting = [[], []];
    private int _phase;

    /// <summary>True when something waits.</summary>
    public bool HasWaiting => _waiting[0].Count + _waiting[1].Count > 0;

    /// <summary>A transfer begins; the result is for <see cref="Leave"/>.</summary>
    public int Enter()
    {
        Interlocked.Increment(ref _active[_phase]);
        return _phase;
    }

    /// <summary>The transfer is over. Needs no lock.</summary>
    public void Leave(int phase) => Interlocked.Decrement(ref _active[phase]);

    /// <summary>Clusters that no table names any more.</summary>
    public void Defer(List<long> clusters) => _waiting[_phase].AddRange(clusters);

    /// <summary>The clusters that no transfer can be using, if any; each is given out once.</summary>
    public List<long> Release()
    {
        var released = new List<long>();
        for (int i = 0; i < 2 && Interlocked.Read(ref _active[1 - _phase]) == 0; i++)
        {
            _phase = 1 - _phase;
            released.AddRange(_waiting[_phase]);
            _waiting[_phase] = [];
        }

        return released;
    }
}
