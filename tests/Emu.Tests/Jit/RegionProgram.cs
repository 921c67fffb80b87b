using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>
/// Random programs with loops: nested counted loops around bodies of arithmetic, memory accesses, and forward branches. R12 and R13 point
/// to data, R14 and R15 count.
/// </summary>
internal sealed class RegionProgram(ulong seed)
{
    private static readonly AssemblerRegister64[] Registers = [rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11];
    private static readonly AssemblerRegister32[] Registers32 = [eax, ecx, edx, ebx, ebp, esi, edi, r8d, r9d, r10d, r11d];
    private static readonly AssemblerRegister16[] Registers16 = [ax, cx, dx, bx, bp, si, di, r8w, r9w, r10w, r11w];
    private static readonly AssemblerRegister8[] Registers8 = [al, cl, dl, bl, bpl, sil, dil, r8b, r9b, ah, ch, dh, bh];
    private static readonly AssemblerRegister8[] LowRegisters8 = [al, cl, dl, bl, bpl, sil, dil, r8b, r9b, r10b, r11b];

    private readonly CaseRandom _random = new(seed);
    private readonly Assembler _c = new(64);

    /// <summary>The code, to be placed at <paramref name="address"/>; it ends by a jump to <paramref name="end"/>.</summary>
    public byte[] Assemble(ulong address, ulong end)
    {
        Loop(depth: 1 + _random.Below(2));
        Body(_random.Below(4));
        _c.jmp(end);
        using var stream = new MemoryStream();
        _c.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    private void Loop(int depth)
    {
        AssemblerRegister64 counter = depth == 2 ? r14 : r15;
        AssemblerRegister32 counter32 = depth == 2 ? r14d : r15d;
        Label top = _c.CreateLabel();
        _c.mov(counter, (long)(1 + _random.Below(6)));
        Body(_random.Below(3));
        _c.Label(ref top);
        Body(1 + _random.Below(6));
        if (depth > 1)
        {
            Loop(depth - 1);
            Body(_random.Below(3));
        }

        switch (_random.Below(6))
        {
            case 0: _c.dec(counter); _c.jnz(top); break;
            case 1: _c.sub(counter32, 1); _c.ja(top); break;
            case 2: _c.dec(counter32); _c.jg(top); break;
            case 3: _c.lea(counter, __[counter - 1]); _c.cmp(counter, 0); _c.jne(top); break;
            case 4: _c.dec(counter); Body(1); _c.test(counter, counter); _c.jnz(top); break;
            default: _c.add(counter32, -1); _c.jnz(top); break;
        }
    }

    private void Body(int count)
    {
        for (int i = 0; i < count; i++)
        {
            One();
        }
    }

    private T Pick<T>(T[] items) => items[_random.Below(items.Length)];

    private int Offset => (_random.Below(256) * 8) - 1024 + (_random.OneIn(4) ? _random.Below(8) : 0);

    private AssemblerMemoryOperand Memory(AssemblerMemoryOperandFactory size)
    {
        AssemblerRegister64 start = _random.OneIn(2) ? r12 : r13;
        return _random.OneIn(3) ? size[start + (_random.OneIn(2) ? r15 : r14) * 8 + Offset] : size[start + Offset];
    }

    private void One()
    {
        switch (_random.Below(30))
        {
            case 0: _c.add(Pick(Registers), Pick(Registers)); break;
            case 1: _c.sub(Pick(Registers32), Pick(Registers32)); break;
            case 2: _c.xor(Pick(Registers32), (int)_random.Value()); break;
            case 3: _c.and(Pick(Registers16), Pick(Registers16)); break;
            case 4: _c.or(Pick(Registers8[..4]), Pick(Registers8[9..])); break;
            case 5: _c.mov(Pick(Registers), Memory(__qword_ptr)); break;
            case 6: _c.mov(Memory(__dword_ptr), Pick(Registers32)); break;
            case 7: _c.mov(Memory(__qword_ptr), Pick(Registers)); break;
            case 8: _c.movzx(Pick(Registers32), Memory(__byte_ptr)); break;
            case 9: _c.movsx(Pick(Registers), Memory(__word_ptr)); break;
            case 10: _c.add(Memory(__dword_ptr), Pick(Registers32)); break;
            case 11: _c.inc(Pick(Registers)); break;
            case 12: _c.dec(Pick(Registers16)); break;
            case 13: _c.adc(Pick(Registers), Pick(Registers)); break;
            case 14: _c.sbb(Pick(Registers32), (int)_random.Value()); break;
            case 15: _c.shl(Pick(Registers32), (byte)_random.Below(33)); break;
            case 16: _c.shr(Pick(Registers), cl); break;
            case 17: _c.sar(Pick(Registers16), cl); break;
            case 18: _c.imul(Pick(Registers), Pick(Registers)); break;
            case 19: _c.mul(Pick(Registers32)); break;
            case 20: _c.cmp(Pick(Registers), Pick(Registers)); break;
            case 21: Condition(); break;
            case 22: Forward(); break;
            case 23: Forward(); break;
            case 24: _c.lea(Pick(Registers), __[Pick(Registers) + Pick(Registers) * 4 + Offset]); break;
            case 25: _c.rol(Pick(Registers32), (byte)_random.Below(33)); break;
            case 26: _c.bt(Pick(Registers), (byte)_random.Below(64)); break;
            case 27: _c.push(Pick(Registers)); _c.pop(Pick(Registers)); break;
            case 28: _c.neg(Pick(Registers8)); break;
            default: _c.@lock.xadd(Memory(__qword_ptr), Pick(Registers)); break;
        }
    }

    private void Condition()
    {
        switch (_random.Below(6))
        {
            case 0: _c.setb(Pick(LowRegisters8)); break;
            case 1: _c.setle(Pick(Registers8[9..])); break;
            case 2: _c.cmovo(Pick(Registers32), Pick(Registers32)); break;
            case 3: _c.cmovp(Pick(Registers), Pick(Registers)); break;
            case 4: _c.cmovs(Pick(Registers16), Pick(Registers16)); break;
            default: _c.cmova(Pick(Registers), Pick(Registers)); break;
        }
    }

    private void Forward()
    {
        Label over = _c.CreateLabel();
        if (_random.OneIn(2))
        {
            _c.test(Pick(Registers), (int)_random.Value());
        }

        switch (_random.Below(8))
        {
            case 0: _c.jb(over); break;
            case 1: _c.jnz(over); break;
            case 2: _c.jle(over); break;
            case 3: _c.js(over); break;
            case 4: _c.jo(over); break;
            case 5: _c.jp(over); break;
            case 6: _c.ja(over); break;
            default: _c.jge(over); break;
        }

        Body(1 + _random.Below(3));
        _c.Label(ref over);
        _c.nop();
    }
}
