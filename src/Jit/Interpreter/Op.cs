using System.Runtime.InteropServices;

namespace Emu.Jit.Interpreter;

/// <summary>
/// One IR op as tier 0 runs it: threaded code in native memory. Each handler ends by tail-calling the next op's handler, so a
/// block runs without a dispatcher.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = SizeInBytes)]
internal struct Op
{
    /// <summary>Size in bytes.</summary>
    public const int SizeInBytes = 32;

    /// <summary>Code address of the handler; zero marks the end of a block's ops, with the block's number in <see cref="Imm"/>.</summary>
    public nint Handler;

    /// <summary>Destination slot, or instruction count of exits.</summary>
    public ushort Dst;

    /// <summary>First operand slot.</summary>
    public ushort A;

    /// <summary>Second operand slot.</summary>
    public ushort B;

    /// <summary>Third operand slot.</summary>
    public ushort C;

    /// <summary>Immediate; displacement in the low half of memory ops, target distance in the high half of jumps.</summary>
    public long Imm;

    /// <summary>Helper address, index shift, the linked next block's first op, or the <see cref="JumpHistory"/> of an indirect jump.</summary>
    public nint Target;

    /// <summary>Low half of <see cref="Imm"/>, sign-extended.</summary>
    public readonly long ImmLow => (int)Imm;

    /// <summary>High half of <see cref="Imm"/>, sign-extended.</summary>
    public readonly long ImmHigh => Imm >> 32;
}
