using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Frontend.X86;
using Emu.Frontend.X86.Lift;
using Iced.Intel;

namespace Emu.Tests.Fpu;

/// <summary>Every register form in <see cref="SimdTable"/> against the host's processor: result, flags and MXCSR.</summary>
public sealed unsafe class SimdSiliconTests
{
    /// <summary>Approximations, whose bits are the implementation's own: see SimdApproximationTests.</summary>
    private static readonly HashSet<Mnemonic> Approximate = [Mnemonic.Rcpps, Mnemonic.Rcpss, Mnemonic.Rsqrtps, Mnemonic.Rsqrtss];

    private static int Iterations => int.TryParse(Environment.GetEnvironmentVariable("EMU_FPU_CASES"), out int n) ? n : 400;

    public static TheoryData<Code> Codes()
    {
        var data = new TheoryData<Code>();
        foreach (Code code in Enum.GetValues<Code>())
        {
            OpCodeInfo info = code.ToOpCode();
            if (info.IsInstruction && info.Encoding == EncodingKind.Legacy && info.Mode64 && TryCreate(info, 0, out Instruction instruction)
                && SimdTable.TryGet(instruction, out _) && !Approximate.Contains(instruction.Mnemonic))
            {
                data.Add(code);
            }
        }

        return data;
    }

    [SiliconTheory]
    [MemberData(nameof(Codes))]
    public void Helper_RandomOperands_EqualsSilicon(Code code)
    {
        using var silicon = new HostSilicon();
        using var cpu = new FpuTestCpu();
        HostBlock* block = (HostBlock*)NativeMemory.AlignedAlloc((nuint)sizeof(HostBlock), 64);
        var random = new Random((int)code);
        OpCodeInfo info = code.ToOpCode();
        bool hasImmediate = HasImmediate(info);
        int immediates = hasImmediate ? 64 : 1;
        for (int i = 0; i < immediates; i++)
        {
            int imm = hasImmediate ? (i < 32 ? i : random.Next(256)) : 0;
            Assert.True(TryCreate(info, imm, out Instruction instruction));
            Assert.True(SimdTable.TryGet(instruction, out SimdEntry entry));
            delegate* unmanaged<HostBlock*, void> native = silicon.Compile(instruction);
            for (int n = 0; n < Math.Max(4, Iterations / immediates); n++)
            {
                Randomise(block, random, entry.MayRaise);
                Compare(cpu, block, native, instruction, entry, imm);
            }
        }

        NativeMemory.AlignedFree(block);
    }

    private static void Randomise(HostBlock* block, Random random, bool floating)
    {
        *block = default;
        block->X87Control = 0x37f;
        block->X87Tags = 0xff;
        block->Mxcsr = !floating || random.Next(3) == 0 ? 0x1f80 : random.Next(3) == 0 ? 0x1fa0 : 0x1f80 | ((uint)random.Next(8) << 13) | (uint)random.Next(128);
        for (int i = 0; i < 4; i++)
        {
            Unsafe.WriteUnaligned(block->Xmm + (16 * i), SimdInputs.Next(random));
            Unsafe.WriteUnaligned(block->X87 + (16 * i), (ulong)SimdInputs.Next(random));
        }

        if (random.Next(4) == 0)
        {
            Unsafe.WriteUnaligned(block->Xmm + 32, new UInt128((ulong)random.Next(2), (ulong)random.Next(70)));
            Unsafe.WriteUnaligned(block->X87 + 32, (ulong)random.Next(70));
        }

        block->Rax = (ulong)SimdInputs.Next(random);
        block->Rcx = (ulong)SimdInputs.Next(random);
        block->Rdx = (ulong)random.Next(-40, 40);
    }

    private static void Compare(FpuTestCpu cpu, HostBlock* block, delegate* unmanaged<HostBlock*, void> native, in Instruction instruction, in SimdEntry entry, int imm)
    {
        HostBlock before = *block;
        X86CpuState* state = cpu.State;
        for (int i = 0; i < 4; i++)
        {
            Unsafe.CopyBlock(cpu.Vector(i), block->Xmm + (16 * i), 16);
            Unsafe.CopyBlock(cpu.Mmx(i), block->X87 + (16 * i), 8);
        }

        state->Mxcsr = block->Mxcsr;
        state->Gpr[0] = block->Rax;
        state->Gpr[1] = block->Rcx;
        state->Gpr[2] = block->Rdx;
        byte* first = Operand(cpu, instruction.Op0Register);
        byte* second = instruction.Op1Kind == OpKind.Register ? Operand(cpu, instruction.Op1Register) : null;
        ulong result = Call(cpu.Header, entry, instruction, first, second, imm);
        native(block);

        bool equal = !entry.MayRaise || block->Mxcsr == state->Mxcsr;
        equal &= entry.Result switch
        {
            SimdResult.Vector when instruction.Op0Register.IsMM() => *(ulong*)Operand(block, instruction.Op0Register) == *(ulong*)first,
            SimdResult.Vector => *(UInt128*)Operand(block, instruction.Op0Register) == *(UInt128*)first,
            SimdResult.Value => *(ulong*)Operand(block, instruction.Op0Register) == result,
            _ => (block->Rflags & Rflags.Arithmetic) == (uint)result
                && block->Rcx == (entry.Result == SimdResult.FlagsAndEcx ? result >> 32 : before.Rcx)
                && *(UInt128*)block->Xmm == *(UInt128*)cpu.Vector(0),
        };
        if (!equal)
        {
            Assert.Fail($"{instruction}, MXCSR {before.Mxcsr:x}, {Hex(&before, instruction.Op0Register)}, {Hex(&before, instruction.Op1Register)}: "
                + $"silicon {Hex(block, instruction.Op0Register)} XMM0 {*(UInt128*)block->Xmm:x32} RCX {block->Rcx:x} flags {block->Rflags & Rflags.Arithmetic:x} MXCSR {block->Mxcsr:x}; "
                + $"helper {*(UInt128*)first:x32} XMM0 {*(UInt128*)cpu.Vector(0):x32} value {result:x} MXCSR {state->Mxcsr:x}");
        }
    }

    private static ulong Call(CpuHeader* header, in SimdEntry entry, in Instruction instruction, byte* first, byte* second, int imm)
    {
        if (entry.Result == SimdResult.Vector)
        {
            ((delegate*<CpuHeader*, byte*, byte*, byte*, int, void>)entry.Helper)(header, first, first, second, imm);
            return 0;
        }

        bool vectorFirst = instruction.Op0Register.IsXMM() || instruction.Op0Register.IsMM();
        return ((delegate*<CpuHeader*, byte*, byte*, int, ulong>)entry.Helper)(header, vectorFirst ? first : second, second, imm);
    }

    private static byte* Operand(FpuTestCpu cpu, Register register) =>
        register.IsXMM() ? cpu.Vector(register - Register.XMM0) : register.IsMM() ? cpu.Mmx(register - Register.MM0) : (byte*)(cpu.State->Gpr + register.GetNumber());

    private static byte* Operand(HostBlock* block, Register register) =>
        register.IsXMM() ? block->Xmm + (16 * (register - Register.XMM0))
        : register.IsMM() ? block->X87 + (16 * (register - Register.MM0))
        : (byte*)(register.GetNumber() == 0 ? &block->Rax : &block->Rcx);

    private static string Hex(HostBlock* block, Register register) => register.IsXMM()
        ? $"{*(UInt128*)Operand(block, register):x32}"
        : $"{*(ulong*)Operand(block, register):x16}";

    internal static bool HasImmediate(OpCodeInfo info) => info.OpCount > 0 && info.GetOpKind(info.OpCount - 1) == OpCodeOperandKind.imm8;

    internal static bool TryCreate(OpCodeInfo info, int imm, out Instruction instruction)
    {
        instruction = default;
        instruction.Code = info.Code;
        for (int i = 0; i < info.OpCount; i++)
        {
            OpCodeOperandKind kind = info.GetOpKind(i);
            if (kind == OpCodeOperandKind.imm8)
            {
                instruction.SetOpKind(i, OpKind.Immediate8);
                instruction.Immediate8 = (byte)imm;
                continue;
            }

            Register register = RegisterFor(kind, i);
            if (register == Register.None)
            {
                return false;
            }

            instruction.SetOpKind(i, OpKind.Register);
            instruction.SetOpRegister(i, register);
        }

        return info.OpCount > 0;
    }

    private static Register RegisterFor(OpCodeOperandKind kind, int position) => kind switch
    {
        OpCodeOperandKind.xmm_reg or OpCodeOperandKind.xmm_or_mem or OpCodeOperandKind.xmm_rm => Register.XMM1 + position,
        OpCodeOperandKind.mm_reg or OpCodeOperandKind.mm_or_mem or OpCodeOperandKind.mm_rm => Register.MM1 + position,
        OpCodeOperandKind.r32_reg or OpCodeOperandKind.r32_or_mem or OpCodeOperandKind.r32_rm => Register.EAX + position,
        OpCodeOperandKind.r64_reg or OpCodeOperandKind.r64_or_mem or OpCodeOperandKind.r64_rm => Register.RAX + position,
        OpCodeOperandKind.r8_or_mem => Register.AL + position,
        OpCodeOperandKind.r16_or_mem => Register.AX + position,
        OpCodeOperandKind.r32_reg_mem or OpCodeOperandKind.r16_reg_mem => Register.None,
        _ => Register.None,
    };
}
