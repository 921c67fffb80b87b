using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Fpu;

/// <summary>
/// Runs one instruction on the host's own processor, as the reference for the helpers. Only on x64 Linux; callers skip
/// otherwise. Exceptions stay masked: an unmasked one would kill the process.
/// </summary>
internal sealed unsafe class HostSilicon : IDisposable
{
    private const int CodeBytes = 4096;

    private readonly byte* _code;

    public HostSilicon()
    {
        _code = (byte*)mmap(0, CodeBytes, 7, 0x22, -1, 0);
        if ((nint)_code == -1)
        {
            throw new InvalidOperationException("No executable memory.");
        }
    }

    public static bool IsAvailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64;

    /// <summary>Compiles a routine that loads the block's registers, executes the instruction and stores the registers back.</summary>
    public delegate* unmanaged<HostBlock*, void> Compile(Instruction instruction)
    {
        var assembler = new Assembler(64);
        assembler.push(rbx);
        assembler.mov(rbx, rdi);
        assembler.fxrstor64(__[rbx]);
        assembler.mov(rax, __[rbx + 512]);
        assembler.mov(rcx, __[rbx + 520]);
        assembler.mov(rdx, __[rbx + 528]);
        assembler.push(__qword_ptr[rbx + 536]);
        assembler.popfq();
        assembler.AddInstruction(instruction);
        assembler.mov(__[rbx + 512], rax);
        assembler.mov(__[rbx + 520], rcx);
        assembler.mov(__[rbx + 528], rdx);
        assembler.pushfq();
        assembler.pop(rax);
        assembler.mov(__[rbx + 536], rax);
        assembler.fxsave64(__[rbx]);
        assembler.fninit();
        assembler.mov(__dword_ptr[rbx + 544], 0x1f80);
        assembler.ldmxcsr(__dword_ptr[rbx + 544]);
        assembler.pop(rbx);
        assembler.ret();
        var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), (ulong)_code);
        stream.ToArray().CopyTo(new Span<byte>(_code, CodeBytes));
        return (delegate* unmanaged<HostBlock*, void>)_code;
    }

    public void Dispose() => _ = munmap((nint)_code, CodeBytes);

    [DllImport("libc")]
    private static extern nint mmap(nint address, nint length, int protection, int flags, int file, nint offset);

    [DllImport("libc")]
    private static extern int munmap(nint address, nint length);
}

/// <summary>Registers given to and taken from <see cref="HostSilicon"/>: an FXSAVE image, then RAX, RCX, RDX and RFLAGS; memory operands lie at <see cref="Memory"/>.</summary>
[StructLayout(LayoutKind.Explicit, Size = 704)]
internal unsafe struct HostBlock
{
    public const int MemoryOffset = 576;

    [FieldOffset(0)] public ushort X87Control;
    [FieldOffset(2)] public ushort X87Status;
    [FieldOffset(4)] public byte X87Tags;
    [FieldOffset(24)] public uint Mxcsr;
    [FieldOffset(32)] public fixed byte X87[128];
    [FieldOffset(160)] public fixed byte Xmm[256];
    [FieldOffset(512)] public ulong Rax;
    [FieldOffset(520)] public ulong Rcx;
    [FieldOffset(528)] public ulong Rdx;
    [FieldOffset(536)] public ulong Rflags;
    [FieldOffset(MemoryOffset)] public fixed byte Memory[128];
}

/// <summary>A theory that compares with the host's processor, skipped where that is no x64.</summary>
internal sealed class SiliconTheoryAttribute : TheoryAttribute
{
    public SiliconTheoryAttribute()
    {
        if (!HostSilicon.IsAvailable)
        {
            Skip = "needs an x64 Linux host";
        }
    }
}
