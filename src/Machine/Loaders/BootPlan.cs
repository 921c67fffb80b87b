using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Memory;

namespace Emu.Machine.Loaders;

/// <summary>
/// One stretch of guest memory to fill before the CPU starts: <paramref name="Bytes"/>, then <paramref name="ZeroFill"/>
/// zero bytes (BSS), which are kept apart so that a header cannot make the host allocate them.
/// </summary>
public sealed record MemoryWrite(GuestPhysical Address, ReadOnlyMemory<byte> Bytes, ulong ZeroFill = 0)
{
    private static readonly byte[] Zeros = new byte[64 << 10];

    /// <summary>Length of the stretch in bytes.</summary>
    public ulong Length => (ulong)Bytes.Length + ZeroFill;

    /// <summary>Puts the stretch into <paramref name="memory"/>.</summary>
    public void Apply(AddressSpace memory)
    {
        ArgumentNullException.ThrowIfNull(memory);
        memory.Write(Address.Value, Bytes.Span);
        ulong end = Address.Value + Length;
        for (ulong at = Address.Value + (ulong)Bytes.Length; at < end;)
        {
            int chunk = (int)Math.Min((ulong)Zeros.Length, end - at);
            memory.Write(at, Zeros.AsSpan(0, chunk));
            at += (ulong)chunk;
        }
    }
}

/// <summary>All that it takes to start a guest: what memory holds and the state of the boot processor.</summary>
public sealed record BootPlan
{
    /// <summary>Which loader made the plan, for messages (<c>Linux 64-bit</c>).</summary>
    public required string Kind { get; init; }

    /// <summary>Stretches of RAM to fill, ascending and disjoint, all inside RAM.</summary>
    public IReadOnlyList<MemoryWrite> Writes { get; init; } = [];

    /// <summary>Firmware to map read-only, or null.</summary>
    public RomImage? Rom { get; init; }

    /// <summary>The state in which the boot processor starts.</summary>
    public required X86State Cpu { get; init; }

    /// <summary>Puts every stretch into <paramref name="memory"/>; to be repeated after each reset of the machine.</summary>
    public void Apply(AddressSpace memory)
    {
        foreach (MemoryWrite write in Writes)
        {
            write.Apply(memory);
        }
    }
}

/// <summary>A file given to the kernel beside itself: Linux's initrd, or a module.</summary>
/// <param name="Name">Path, for messages and for the module's command line.</param>
/// <param name="Bytes">Contents.</param>
/// <param name="CommandLine">Arguments of the module.</param>
public sealed record BootModule(string Name, ReadOnlyMemory<byte> Bytes, string CommandLine = "");

/// <summary>What every kernel loader is told beside the image.</summary>
public sealed record BootOptions
{
    /// <summary>Where RAM lies.</summary>
    public required MemoryLayout Layout { get; init; }

    /// <summary>Kernel command line (<c>-append</c>).</summary>
    public string CommandLine { get; init; } = "";

    /// <summary>Initrd or modules (<c>-initrd</c>).</summary>
    public IReadOnlyList<BootModule> Modules { get; init; } = [];

    /// <summary>Guest-physical address of the ACPI RSDP, or 0 when there is none to tell of.</summary>
    public ulong RsdpAddress { get; init; }

    /// <summary>True when a VGA is there, in text mode 3.</summary>
    public bool HasTextScreen { get; init; }
}
