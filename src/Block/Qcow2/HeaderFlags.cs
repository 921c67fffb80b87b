using System.Buffers.Binary;
using Emu.Block.Files;
using Emu.Core.Block;

namespace Emu.Block.Qcow2;

/// <summary>
/// Feature bits that an open image sets in its own header: corrupt, when tables turn out to be damaged and no further write may be
/// made; dirty, while reference counts in the file may be too small.
/// </summary>
internal sealed class HeaderFlags(IHostFile file, Qcow2Header header)
{
    private const int IncompatibleOffset = 72;
    private const int AutoClearOffset = 88;
    private ulong _incompatible = header.Incompatible;
    private ulong _autoClear = header.AutoClear;

    /// <summary>True from the first damage on: nothing is written any more.</summary>
    public bool IsCorrupt { get; private set; } = (header.Incompatible & Qcow2Features.Corrupt) != 0;

    /// <summary>True while the header says that reference counts are not to be trusted.</summary>
    public bool IsDirty => (_incompatible & Qcow2Features.Dirty) != 0;

    /// <summary>The tables are damaged. Version 2 has no bit for it: there it holds while the image is open.</summary>
    /// <returns>Always <see cref="BlockResult.IoError"/>, what the caller has to say.</returns>
    public BlockResult Corrupt()
    {
        if (!IsCorrupt && !file.IsReadOnly && header.Version >= 3)
        {
            _ = SetBits(_incompatible | Qcow2Features.Corrupt);
        }

        IsCorrupt = true;
        return BlockResult.IoError;
    }

    /// <summary>Sets or clears the dirty bit, durably.</summary>
    public BlockResult SetDirty(bool dirty)
    {
        if (dirty == IsDirty || header.Version < 3)
        {
            return BlockResult.Ok;
        }

        BlockResult result = SetBits(dirty ? _incompatible | Qcow2Features.Dirty : _incompatible & ~Qcow2Features.Dirty);
        return result == BlockResult.Ok ? file.Flush() : result;
    }

    /// <summary>Clears the features that do not survive a writer who does not know them (persistent bitmaps).</summary>
    public BlockResult ClearAutoClear()
    {
        if (_autoClear == 0)
        {
            return BlockResult.Ok;
        }

        _autoClear = 0;
        return file.Write(AutoClearOffset, new byte[sizeof(ulong)]);
    }

    /// <summary>The damage was repaired.</summary>
    public BlockResult ClearCorrupt()
    {
        IsCorrupt = false;
        return header.Version < 3 ? BlockResult.Ok : SetBits(_incompatible & ~Qcow2Features.Corrupt);
    }

    private BlockResult SetBits(ulong incompatible)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, incompatible);
        BlockResult result = file.Write(IncompatibleOffset, bytes);
        _incompatible = result == BlockResult.Ok ? incompatible : _incompatible;
        return result;
    }
}
