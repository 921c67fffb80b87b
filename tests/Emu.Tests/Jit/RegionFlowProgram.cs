using Emu.Diff.Cases;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Emu.Tests.Jit;

/// <summary>
/// Random programs of functions that lie in several pages, some across a page end. They call each other directly and through a table whose
/// entries change, jump from page to page, return to where they were called from or a little further on, and loop. R12 points to the table,
/// R13 counts rounds.
/// </summary>
internal sealed class RegionFlowProgram
{
    /// <summary>The first page of functions; three more follow.</summary>
    public const ulong Functions = 0x70000;

    /// <summary>Address of the table of functions.</summary>
    public const ulong Table = 0x30000;

    private const int Count = 8;
    private const int Slots = 4;

    private static readonly AssemblerRegister64[] Registers = [rax, rdx, rbx, rbp, rsi, rdi, r8, r9];
    private static readonly AssemblerRegister32[] Registers32 = [eax, edx, ebx, ebp, esi, edi, r8d, r9d];

    private readonly CaseRandom _random;
    private readonly ulong[] _addresses = new ulong[Count];

    public RegionFlowProgram(ulong seed)
    {
        _random = new CaseRandom(seed);
        for (int i = 0; i < Count; i++)
        {
            // 0x200 bytes hold any function; every other one lies across a page end.
            uint offset = i % 2 == 0 ? 0x1000 - (uint)(1 + _random.Below(40)) : (uint)(0x300 + (_random.Below(8) * 0x80));
            _addresses[i] = Functions + ((ulong)(i / 2) * 0x1000) + offset;
        }
    }

    /// <summary>Code by address; the program starts at the first.</summary>
    public IReadOnlyList<(ulong Address, byte[] Code)> Assemble(ulong start, ulong end)
    {
        List<(ulong, byte[])> code = [(start, Assemble(start, c => Main(c, end)))];
        for (int i = 0; i < Count; i++)
        {
            int number = i;
            code.Add((_addresses[i], Assemble(_addresses[i], c => Function(c, number))));
        }

        return code;
    }

    private static byte[] Assemble(ulong address, Action<Assembler> write)
    {
        var assembler = new Assembler(64);
        write(assembler);
        using var stream = new MemoryStream();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    private void Main(Assembler c, ulong end)
    {
        Label round = c.CreateLabel();
        c.mov(r12, Table);
        c.mov(r13d, 60);
        for (int i = 0; i < Slots; i++)
        {
            SetSlot(c, i);
        }

        c.Label(ref round);
        for (int i = 0; i < 3; i++)
        {
            Compute(c);
            Call(c, 0);
        }

        Label same = c.CreateLabel();
        c.test(r13d, 7);
        c.jnz(same);
        SetSlot(c, _random.Below(Slots));
        c.Label(ref same);
        c.dec(r13d);
        c.jnz(round);
        c.jmp(end);
    }

    // The second half of the functions: they call nothing through the table.
    private void SetSlot(Assembler c, int slot)
    {
        c.mov(r10, _addresses[(Count / 2) + _random.Below(Count / 2)]);
        c.mov(__qword_ptr[r12 + (slot * 8)], r10);
    }

    private void Function(Assembler c, int number)
    {
        Compute(c);
        Label over = c.CreateLabel();
        c.test(Registers32[_random.Below(8)], 1 << _random.Below(8));
        c.jz(over);
        Compute(c);
        c.Label(ref over);
        if (_random.OneIn(3))
        {
            Label again = c.CreateLabel();
            c.mov(ecx, 1 + _random.Below(4));
            c.Label(ref again);
            Compute(c);
            c.dec(ecx);
            c.jnz(again);
        }

        for (int i = _random.Below(3); i > 0 && number + 1 < Count; i--)
        {
            Call(c, number + 1);
        }

        if (number + 1 < Count && _random.OneIn(4))
        {
            c.jmp(_addresses[number + 1 + _random.Below(Count - number - 1)]); // which returns instead
            return;
        }

        if (_random.OneIn(3))
        {
            Label straight = c.CreateLabel();
            c.test(Registers32[_random.Below(8)], 3);
            c.jnz(straight);
            c.add(__qword_ptr[rsp], 4); // over the NOP behind the call
            c.Label(ref straight);
        }

        c.ret();
    }

    private void Call(Assembler c, int from)
    {
        if (from < Count / 2 && _random.OneIn(3))
        {
            c.mov(r10d, r13d);
            c.and(r10d, Slots - 1);
            c.call(__qword_ptr[r12 + r10 * 8]);
        }
        else
        {
            c.call(_addresses[from + _random.Below(Count - from)]);
        }

        c.db(0x0f, 0x1f, 0x40, 0x00);
    }

    private void Compute(Assembler c)
    {
        for (int i = 1 + _random.Below(3); i > 0; i--)
        {
            AssemblerRegister64 a = Registers[_random.Below(8)];
            AssemblerRegister64 b = Registers[_random.Below(8)];
            switch (_random.Below(7))
            {
                case 0: c.add(a, b); break;
                case 1: c.xor(a, (int)_random.Value()); break;
                case 2: c.imul(a, b, 37); break;
                case 3: c.adc(a, b); break;
                case 4: c.rol(a, 7); break;
                case 5: c.mov(__qword_ptr[r12 + 64 + (_random.Below(16) * 8)], a); break;
                default: c.sub(a, __qword_ptr[r12 + 64 + (_random.Below(16) * 8)]); break;
            }
        }
    }
}
