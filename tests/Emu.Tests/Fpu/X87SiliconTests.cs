using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Emu.Frontend.X86.X87;
using Iced.Intel;
using MemoryOperand = Iced.Intel.MemoryOperand;

namespace Emu.Tests.Fpu;

/// <summary>
/// Every instruction in <see cref="X87Table"/> against the host's processor, in all rounding and precision modes, with masked
/// and unmasked exceptions, full and empty stacks: registers, tags, control and status words, memory, flags.
/// </summary>
public sealed unsafe class X87SiliconTests
{
    private const ulong Linear = 0x1000;

    private static readonly HashSet<Code> Transcendental =
        [Code.F2xm1, Code.Fyl2x, Code.Fyl2xp1, Code.Fpatan, Code.Fsin, Code.Fcos, Code.Fsincos, Code.Fptan];

    private static int Iterations => int.TryParse(Environment.GetEnvironmentVariable("EMU_FPU_CASES"), out int n) ? n : 1000;

    public static TheoryData<Code> Codes()
    {
        var data = new TheoryData<Code>();
        foreach (Code code in Enum.GetValues<Code>())
        {
            if (code != Code.Wait && TryCreate(code, 1, out Instruction instruction) && X87Table.TryGet(instruction, out _) && !Transcendental.Contains(code))
            {
                data.Add(code);
            }
        }

        return data;
    }

    [SiliconTheory]
    [MemberData(nameof(Codes))]
    public void Helper_RandomState_EqualsSilicon(Code code)
    {
        using var silicon = new HostSilicon();
        using var cpu = new FpuTestCpu();
        HostBlock* block = (HostBlock*)NativeMemory.AlignedAlloc((nuint)sizeof(HostBlock), 64);
        var random = new Random((int)code);
        for (int index = 0; index < 8; index++)
        {
            Assert.True(TryCreate(code, index, out Instruction instruction));
            Assert.True(X87Table.TryGet(instruction, out X87Entry entry));
            delegate* unmanaged<HostBlock*, void> native = silicon.Compile(instruction);
            for (int n = 0; n < Math.Max(4, Iterations / 8); n++)
            {
                Randomise(block, random);
                Compare(cpu, block, native, instruction, entry);
            }
        }

        NativeMemory.AlignedFree(block);
    }

    private static void Compare(FpuTestCpu cpu, HostBlock* block, delegate* unmanaged<HostBlock*, void> native, in Instruction instruction, in X87Entry entry)
    {
        HostBlock before = *block;
        LoadState(cpu, block);
        ulong result = Execute(cpu, block, entry);
        native(block);
        int memoryBytes = ComparableBytes(instruction.Code);
        bool equal = cpu.State->X87Control == block->X87Control && X87Status.Read(cpu.State) == block->X87Status && (byte)~cpu.State->X87Empty == block->X87Tags
            && RegistersEqual(cpu.State, block)
            && cpu.Memory(Linear, memoryBytes).SequenceEqual(new ReadOnlySpan<byte>(block->Memory, memoryBytes))
            && RegisterImage(instruction.Code, cpu, block);
        equal &= entry.Result switch
        {
            X87Result.Ax => (ushort)block->Rax == result,
            X87Result.Flags => (block->Rflags & Rflags.Arithmetic) == result,
            _ => true,
        };
        if (!equal)
        {
            Assert.Fail($"{instruction}\nbefore  {Show(&before)}\nsilicon {Show(block)}\nhelper  {Show(cpu)} result {result:x}");
        }
    }

    internal static void LoadState(FpuTestCpu cpu, HostBlock* block)
    {
        X86CpuState* state = cpu.State;
        state->X87Control = block->X87Control;
        X87Status.Write(state, block->X87Status);
        state->X87Empty = (byte)~block->X87Tags;
        for (int i = 0; i < 8; i++)
        {
            Unsafe.CopyBlock(state->X87 + (16 * ((state->X87Top + i) & 7)), block->X87 + (16 * i), 10);
        }

        new ReadOnlySpan<byte>(block->Memory, 128).CopyTo(cpu.Memory(Linear, 128));
        LazyFlags.SetMaterialised(cpu.Header, block->Rflags & Rflags.Arithmetic);
    }

    internal static ulong Execute(FpuTestCpu cpu, HostBlock* block, in X87Entry entry)
    {
        ulong a = entry.A;
        ulong b = 0;
        if (entry.Memory == X87Memory.Value)
        {
            a = entry.MemoryBytes switch { 2 => *(ushort*)block->Memory, 4 => *(uint*)block->Memory, _ => *(ulong*)block->Memory };
            b = *(ushort*)(block->Memory + 8);
        }
        else if (entry.Memory == X87Memory.Store && (block->X87Control & 0x3f) == 0x3f)
        {
            Store(cpu, entry);
            return 0;
        }
        else if (entry.Memory is X87Memory.Address or X87Memory.Store)
        {
            a = Linear;
        }

        ulong result = ((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Helper)(cpu.Header, a, b, entry.Imm);
        if (entry.Memory == X87Memory.Result)
        {
            BitConverter.TryWriteBytes(cpu.Memory(Linear, 2), (ushort)result);
        }

        return result;
    }

    // As the lifter does while all exceptions are masked.
    private static void Store(FpuTestCpu cpu, in X87Entry entry)
    {
        ulong value = ((delegate*<CpuHeader*, ulong, ulong, ulong, ulong>)entry.Value)(cpu.Header, 0, 0, 0);
        ulong status = cpu.Header->Scratch;
        Span<byte> memory = cpu.Memory(Linear, entry.MemoryBytes);
        BitConverter.GetBytes(value).AsSpan(0, Math.Min(8, (int)entry.MemoryBytes)).CopyTo(memory);
        if (entry.MemoryBytes == 10)
        {
            BitConverter.TryWriteBytes(memory[8..], (ushort)X87Store.ExtendedUpper(cpu.Header, 0, 0, 0));
        }

        X87Store.Finish(cpu.Header, status, 0, entry.Imm);
    }

    internal static bool RegistersEqual(X86CpuState* state, HostBlock* block)
    {
        bool equal = true;
        for (int i = 0; i < 8; i++)
        {
            byte* register = state->X87 + (16 * ((state->X87Top + i) & 7));
            equal &= *(ulong*)register == *(ulong*)(block->X87 + (16 * i)) && *(ushort*)(register + 8) == *(ushort*)(block->X87 + (16 * i) + 8);
        }

        return equal;
    }

    // The pointers in an environment image are the host's own.
    private static int ComparableBytes(Code code) => code switch
    {
        Code.Fnstenv_m14byte or Code.Fnsave_m94byte => 6,
        Code.Fnstenv_m28byte or Code.Fnsave_m108byte => 12,
        _ => 128,
    };

    private static bool RegisterImage(Code code, FpuTestCpu cpu, HostBlock* block)
    {
        int offset = code == Code.Fnsave_m94byte ? 14 : code == Code.Fnsave_m108byte ? 28 : 0;
        return offset == 0 || cpu.Memory(Linear + (ulong)offset, 80).SequenceEqual(new ReadOnlySpan<byte>(block->Memory + offset, 80));
    }

    internal static void Randomise(HostBlock* block, Random random)
    {
        *block = default;
        block->Mxcsr = 0x1f80;
        int masks = random.Next(3) == 0 ? random.Next(64) : 63;
        int precision = random.Next(3) == 0 ? (0b11_10_00 >> (2 * random.Next(3))) & 3 : 3;
        block->X87Control = (ushort)(0x40 | masks | (precision << 8) | (random.Next(4) << 10));
        block->X87Status = (ushort)((random.Next(0x100) & masks & (random.Next(2) * 63)) | (random.Next(0x80) << 8));
        block->X87Status &= 0x7f7f;
        block->X87Tags = (byte)(random.Next(3) switch { 0 => 255, 1 => random.Next(256), _ => 0x0f << random.Next(5) });
        for (int i = 0; i < 8; i++)
        {
            (ulong significand, ushort signExponent) = X87Inputs.Next(random);
            Unsafe.WriteUnaligned(block->X87 + (16 * i), significand);
            Unsafe.WriteUnaligned(block->X87 + (16 * i) + 8, signExponent);
        }

        for (int i = 0; i < 128; i += 8)
        {
            Unsafe.WriteUnaligned(block->Memory + i, X87Inputs.Bits(random));
        }

        RandomiseOperand(block, random);
        block->Rflags = Rflags.Reserved1 | ((ulong)random.Next(0x1000) & Rflags.Arithmetic);
    }

    private static void RandomiseOperand(HostBlock* block, Random random)
    {
        switch (random.Next(4))
        {
            case 0:
                Unsafe.WriteUnaligned(block->Memory, (uint)SimdInputs.NextSingle(random));
                break;
            case 1:
                Unsafe.WriteUnaligned(block->Memory, SimdInputs.NextDouble(random));
                break;
            case 2:
                (ulong significand, ushort signExponent) = X87Inputs.Next(random);
                Unsafe.WriteUnaligned(block->Memory, significand);
                Unsafe.WriteUnaligned(block->Memory + 8, signExponent);
                break;
            default:
                Unsafe.WriteUnaligned(block->Memory, (ulong)random.Next(-3, 4));
                Unsafe.WriteUnaligned(block->Memory + 8, (ushort)(random.Next(2) << 15));
                break;
        }
    }

    internal static string Show(HostBlock* block)
    {
        string text = $"FCW {block->X87Control:x4} FSW {block->X87Status:x4} tags {block->X87Tags:x2} flags {block->Rflags & Rflags.Arithmetic:x} memory {*(ulong*)(block->Memory + 8):x16}:{*(ulong*)block->Memory:x16}";
        for (int i = 0; i < 8; i++)
        {
            text += $" {*(ushort*)(block->X87 + (16 * i) + 8):x4}:{*(ulong*)(block->X87 + (16 * i)):x16}";
        }

        return text;
    }

    internal static string Show(FpuTestCpu cpu)
    {
        X86CpuState* state = cpu.State;
        string text = $"FCW {state->X87Control:x4} FSW {X87Status.Read(state):x4} tags {(byte)~state->X87Empty:x2} flags - memory {BitConverter.ToUInt64(cpu.Memory(Linear + 8, 8)):x16}:{BitConverter.ToUInt64(cpu.Memory(Linear, 8)):x16}";
        for (int i = 0; i < 8; i++)
        {
            byte* register = state->X87 + (16 * ((state->X87Top + i) & 7));
            text += $" {*(ushort*)(register + 8):x4}:{*(ulong*)register:x16}";
        }

        return text;
    }

    internal static bool TryCreate(Code code, int index, out Instruction instruction)
    {
        OpCodeInfo info = code.ToOpCode();
        instruction = default;
        if (!info.IsInstruction || info.Encoding != EncodingKind.Legacy || !info.Mode64)
        {
            return false;
        }

        instruction.Code = code;
        for (int i = 0; i < info.OpCount; i++)
        {
            switch (info.GetOpKind(i))
            {
                case OpCodeOperandKind.st0 or OpCodeOperandKind.sti_opcode:
                    instruction.SetOpKind(i, OpKind.Register);
                    instruction.SetOpRegister(i, info.GetOpKind(i) == OpCodeOperandKind.st0 ? Register.ST0 : Register.ST0 + index);
                    break;
                case OpCodeOperandKind.ax:
                    instruction.SetOpKind(i, OpKind.Register);
                    instruction.SetOpRegister(i, Register.AX);
                    break;
                case OpCodeOperandKind.mem:
                    instruction = Instruction.Create(code, new MemoryOperand(Register.RBX, HostBlock.MemoryOffset));
                    break;
                default:
                    return false;
            }
        }

        return true;
    }
}
