using System.Buffers.Binary;
using Emu.Devices.Dma;
using Emu.Devices.Virtio;

namespace Emu.Devices.Ide;

/// <summary>Saved state of a <see cref="BusMaster"/>.</summary>
public sealed record BusMasterState(byte Command, byte Status, uint Table);

/// <summary>
/// The bus master of one IDE channel (Programming Interface for Bus Master IDE Controller, revision 1.0): three registers and a
/// table of guest memory to transfer.
/// </summary>
public sealed class BusMaster(DmaMemory memory)
{
    /// <summary>Ports of one channel.</summary>
    public const int RegisterCount = 8;

    private const int CommandOffset = 0;
    private const int StatusOffset = 2;
    private const int TableOffset = 4;
    private const byte CommandStart = 1 << 0;
    private const byte CommandWritable = CommandStart | (1 << 3);
    private const byte StatusActive = 1 << 0;
    private const byte StatusError = 1 << 1;
    private const byte StatusInterrupt = 1 << 2;
    private const byte StatusCapable = 3 << 5;

    // A table lies in 64 KiB (2.4), entries of 8 bytes.
    private const int LargestEntryCount = 8192;
    private const int EntrySize = 8;
    private const uint EntryEnd = 1U << 31;

    private byte _command;
    private byte _status;
    private uint _table;

    /// <summary>True while the guest lets it transfer.</summary>
    internal bool IsStarted => (_command & CommandStart) != 0;

    /// <summary>Address of the table.</summary>
    internal uint Table => _table;

    internal byte Read(int offset) => offset switch
    {
        CommandOffset => _command,
        StatusOffset => _status,
        >= TableOffset => (byte)(_table >> (8 * (offset - TableOffset))),
        _ => 0xff,
    };

    /// <summary>Writes a register; true when the guest started or stopped it.</summary>
    internal bool Write(int offset, byte value)
    {
        switch (offset)
        {
            case CommandOffset:
                bool changed = ((_command ^ value) & CommandStart) != 0;
                _command = (byte)(value & CommandWritable);
                _status = (byte)(IsStarted ? _status | (changed ? StatusActive : 0) : _status & ~StatusActive);
                return changed;
            case StatusOffset:
                int kept = _status & ~(value & (StatusError | StatusInterrupt)) & ~StatusCapable;
                _status = (byte)(kept | (value & StatusCapable));
                return false;
            case >= TableOffset:
                int shift = 8 * (offset - TableOffset);
                _table = ((_table & ~(0xffU << shift)) | ((uint)value << shift)) & ~3U;
                return false;
            default:
                return false;
        }
    }

    internal void Reset() => (_command, _status, _table) = (0, 0, 0);

    internal void NoteInterrupt() => _status |= StatusInterrupt;

    /// <summary>The transfer ended.</summary>
    internal void End(IdeOutcome outcome)
    {
        _status |= outcome == IdeOutcome.BusError ? StatusError : (byte)0;

        // With a table that goes on, the engine stays active until it is stopped (3.1, table of outcomes).
        if (outcome != IdeOutcome.OkTableLeft)
        {
            _status &= unchecked((byte)~StatusActive);
        }
    }

    /// <summary>
    /// Reads the table at <paramref name="table"/> for <paramref name="length"/> bytes. It holds whatever the guest wrote: its
    /// length is limited, and only RAM is accepted. Any thread.
    /// </summary>
    internal IdeOutcome Resolve(uint table, long length, bool toMemory, List<GuestSegment> segments)
    {
        long left = length;
        for (int i = 0; i < LargestEntryCount; i++)
        {
            uint place = (table & 0xffff_0000) | ((table + ((uint)i * EntrySize)) & 0xffff);
            if (!memory.TryResolveWhole(place, EntrySize, forWrite: false, out GuestSegment entry))
            {
                return IdeOutcome.BusError;
            }

            uint address = BinaryPrimitives.ReadUInt32LittleEndian(entry.Bytes) & ~1U;
            uint control = BinaryPrimitives.ReadUInt32LittleEndian(entry.Bytes[4..]);
            long count = control & 0xfffe;
            count = count == 0 ? 0x1_0000 : count;
            long part = Math.Min(count, left);
            if (part > 0 && !memory.TryResolve(address, (ulong)part, toMemory, segments))
            {
                return IdeOutcome.BusError;
            }

            left -= part;
            if ((control & EntryEnd) != 0)
            {
                return left > 0 ? IdeOutcome.TableShort : part < count ? IdeOutcome.OkTableLeft : IdeOutcome.Ok;
            }

            if (left == 0)
            {
                return IdeOutcome.OkTableLeft;
            }
        }

        return IdeOutcome.TableShort;
    }

    internal BusMasterState Save() => new(_command, _status, _table);

    internal static bool IsValid(BusMasterState? state) => state is not null && (state.Command & ~CommandWritable) == 0
        && (state.Status & ~(StatusActive | StatusError | StatusInterrupt | StatusCapable)) == 0 && (state.Table & 3) == 0;

    internal void Restore(BusMasterState state) => (_command, _status, _table) = (state.Command, state.Status, state.Table);
}
