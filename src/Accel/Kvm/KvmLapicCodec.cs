using System.Buffers.Binary;
using Emu.Core.Cpu;

namespace Emu.Accel.Kvm;

/// <summary>
/// Conversion between KVM's register page of a local APIC and <see cref="LocalApicState"/>. Registers lie at multiples of
/// 16 (SDM vol. 3, table 11-1). The bus clock of KVM's timer is 1 GHz, as that of the board's.
/// </summary>
internal static class KvmLapicCodec
{
    private const int TaskPriority = 0x80;
    private const int LogicalDestination = 0xD0;
    private const int DestinationFormat = 0xE0;
    private const int SpuriousVector = 0xF0;
    private const int InService = 0x100;
    private const int TriggerMode = 0x180;
    private const int InterruptRequest = 0x200;
    private const int ErrorStatus = 0x280;
    private const int CommandLow = 0x300;
    private const int CommandHigh = 0x310;
    private const int LvtTimer = 0x320;
    private const int InitialCount = 0x380;
    private const int CurrentCount = 0x390;
    private const int DivideConfiguration = 0x3E0;
    private const int Step = 0x10;

    private const ulong X2ApicMode = 1 << 10;
    private const uint CommandWritable = 0x000C_CFFF;

    // Timer, thermal, performance, LINT0, LINT1, error: the bits that software can set.
    private static readonly uint[] LvtWritable = [0x7_00FF, 0x1_07FF, 0x1_07FF, 0x1_A7FF, 0x1_A7FF, 0x1_00FF];

    /// <summary>The page as a record.</summary>
    public static LocalApicState Decode(ReadOnlySpan<byte> page, ulong baseMsr, ulong tscDeadline)
    {
        uint initial = Read(page, InitialCount);
        uint divide = Read(page, DivideConfiguration) & 0xB;
        uint[] lvt = new uint[LocalApicState.LvtCount];
        for (int i = 0; i < lvt.Length; i++)
        {
            lvt[i] = Read(page, LvtTimer + (i * Step)) & LvtWritable[i];
        }

        return new LocalApicState
        {
            BaseMsr = baseMsr,
            TaskPriority = (byte)Read(page, TaskPriority),
            LogicalDestination = (baseMsr & X2ApicMode) != 0 ? 0 : Read(page, LogicalDestination) & 0xFF00_0000,
            DestinationFormat = Read(page, DestinationFormat) | 0x0FFF_FFFF,
            SpuriousVector = Read(page, SpuriousVector) & 0x13FF,
            InService = ReadSet(page, InService),
            TriggerMode = ReadSet(page, TriggerMode),
            InterruptRequest = ReadSet(page, InterruptRequest),
            ErrorStatus = Read(page, ErrorStatus) & 0xFF,
            InterruptCommand = ((ulong)Read(page, CommandHigh) << 32) | (Read(page, CommandLow) & CommandWritable),
            Lvt = lvt,
            InitialCount = initial,
            DivideConfiguration = divide,
            TimerElapsedNs = (long)(initial - Math.Min(initial, Read(page, CurrentCount))) << DivideShift(divide),
            TscDeadline = tscDeadline,
        };
    }

    /// <summary>Puts the record into a page that has identification and version already.</summary>
    public static void Encode(LocalApicState state, Span<byte> page)
    {
        Write(page, TaskPriority, state.TaskPriority);
        if ((state.BaseMsr & X2ApicMode) == 0)
        {
            Write(page, LogicalDestination, state.LogicalDestination);
        }

        Write(page, DestinationFormat, state.DestinationFormat);
        Write(page, SpuriousVector, state.SpuriousVector);
        WriteSet(page, InService, state.InService);
        WriteSet(page, TriggerMode, state.TriggerMode);
        WriteSet(page, InterruptRequest, state.InterruptRequest);
        Write(page, ErrorStatus, state.ErrorStatus);
        Write(page, CommandLow, (uint)state.InterruptCommand);
        Write(page, CommandHigh, (uint)(state.InterruptCommand >> 32));
        for (int i = 0; i < LocalApicState.LvtCount; i++)
        {
            Write(page, LvtTimer + (i * Step), state.Lvt[i]);
        }

        long elapsed = state.TimerElapsedNs >> DivideShift(state.DivideConfiguration);
        Write(page, InitialCount, state.InitialCount);
        Write(page, CurrentCount, elapsed >= state.InitialCount ? 0 : state.InitialCount - (uint)elapsed);
        Write(page, DivideConfiguration, state.DivideConfiguration);
    }

    // Values 0–7 of bits 3, 1, 0 divide by 2, 4, … 128, 1.
    private static int DivideShift(uint divide) => (int)((((divide >> 1) & 4) | (divide & 3)) + 1) & 7;

    private static uint Read(ReadOnlySpan<byte> page, int register) => BinaryPrimitives.ReadUInt32LittleEndian(page[register..]);

    private static void Write(Span<byte> page, int register, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(page[register..], value);

    private static uint[] ReadSet(ReadOnlySpan<byte> page, int register)
    {
        uint[] words = new uint[LocalApicState.VectorWords];
        for (int i = 0; i < words.Length; i++)
        {
            words[i] = Read(page, register + (i * Step));
        }

        return words;
    }

    private static void WriteSet(Span<byte> page, int register, uint[] words)
    {
        for (int i = 0; i < LocalApicState.VectorWords; i++)
        {
            Write(page, register + (i * Step), words[i]);
        }
    }
}
