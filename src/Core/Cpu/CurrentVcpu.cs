namespace Emu.Core.Cpu;

/// <summary>
/// Which vCPU the calling thread is running. Some registers, the local APIC's page first of all, lie at one address for
/// all CPUs yet differ per CPU; their handlers ask here who is accessing them.
/// </summary>
public static class CurrentVcpu
{
    [ThreadStatic]
    private static int _index;

    /// <summary>Index of the vCPU; set by each vCPU thread when it starts. Other threads (monitor, gdb) see the boot processor, 0.</summary>
    public static int Index
    {
        get => _index;
        set => _index = value;
    }
}
