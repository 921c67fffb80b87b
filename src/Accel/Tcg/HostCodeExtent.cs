using System.Runtime.InteropServices;
using Iced.Intel;

namespace Emu.Accel.Tcg;

/// <summary>What one instruction of host code does to control flow.</summary>
/// <param name="Length">Its bytes.</param>
/// <param name="Target">Where it may jump inside its method, or null.</param>
/// <param name="GoesOn">The instruction behind it may be next.</param>
internal readonly record struct HostInstruction(int Length, nint? Target, bool GoesOn);

/// <summary>Reads the instruction at an address.</summary>
internal delegate HostInstruction HostCodeReader(nint address);

/// <summary>
/// How long a compiled method is: as far as its jumps lead. Direct jumps of such code stay in the method, calls return or are followed by
/// a trap, and the method ends in returns and indirect jumps.
/// </summary>
internal static unsafe class HostCodeExtent
{
    private const int LongestX64 = 15;
    private const int ArmWord = 4;

    /// <summary>Reads the instructions of <paramref name="host"/>; null when nothing here knows them.</summary>
    public static HostCodeReader? ReaderFor(Architecture host) => host switch
    {
        Architecture.X64 => ReadX64,
        Architecture.Arm64 => address => ReadArm64(*(uint*)address, address),
        _ => null,
    };

    /// <summary>Bytes from <paramref name="start"/> to the end of the last instruction that control can reach.</summary>
    public static int Of(nint start, HostCodeReader read)
    {
        nint end = start;
        var seen = new HashSet<nint>();
        var open = new Stack<nint>([start]);
        while (open.TryPop(out nint address))
        {
            bool goesOn = true;
            while (goesOn && seen.Add(address))
            {
                HostInstruction instruction = read(address);
                if (instruction.Target is nint target && target >= start)
                {
                    open.Push(target);
                }

                address += instruction.Length;
                goesOn = instruction.GoesOn;
                end = Math.Max(end, address);
            }
        }

        return (int)(end - start);
    }

    /// <summary>Arm64: fixed 4 bytes (Arm ARM, C4.1, branches).</summary>
    internal static HostInstruction ReadArm64(uint word, nint address)
    {
        bool returns = (word & 0xfffffc1f) is 0xd65f0000 or 0xd61f0000; // RET, BR
        bool traps = (word & 0xffe0001f) == 0xd4200000; // BRK
        bool always = (word & 0xfc000000) == 0x14000000; // B
        int? words = word switch
        {
            _ when always => SignExtend(word, 0, 26),
            _ when (word & 0xff000010) == 0x54000000 => SignExtend(word, 5, 19), // B.cond
            _ when (word & 0x7e000000) == 0x34000000 => SignExtend(word, 5, 19), // CBZ, CBNZ
            _ when (word & 0x7e000000) == 0x36000000 => SignExtend(word, 5, 14), // TBZ, TBNZ
            _ => null,
        };
        return new HostInstruction(ArmWord, words is int distance ? address + (distance * ArmWord) : null, !returns && !traps && !always);
    }

    private static HostInstruction ReadX64(nint address)
    {
        // Invariant: the address is one that control reaches, so an instruction is there; what Iced is given beyond it is not looked at.
        var decoder = Decoder.Create(64, new HostBytes(address), (ulong)address);
        decoder.Decode(out Instruction instruction);
        return new HostInstruction(instruction.Length, instruction.IsJmpShortOrNear || instruction.IsJccShortOrNear ? (nint)instruction.NearBranchTarget : null,
            instruction.FlowControl is not (FlowControl.UnconditionalBranch or FlowControl.IndirectBranch or FlowControl.Return or FlowControl.Interrupt
                or FlowControl.Exception));
    }

    private static int SignExtend(uint word, int first, int bits) => (int)(word << (32 - first - bits)) >> (32 - bits);

    // Gives one byte after the other, and no more than an instruction has.
    private sealed class HostBytes(nint address) : CodeReader
    {
        private int _read;

        public override int ReadByte() => _read < LongestX64 ? *(byte*)(address + _read++) : -1;
    }
}
