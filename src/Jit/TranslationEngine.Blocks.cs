using System.Runtime.InteropServices;
using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Jit;

/// <summary>Making and dropping blocks.</summary>
public sealed unsafe partial class TranslationEngine
{
    private TranslationBlock? Translate(BlockKey key, ulong linear)
    {
        if (_arena.IsFull || _addresses.IsFull)
        {
            FlushAll();
        }

        Recycle();

        // The page is marked before its bytes are read, so that no write goes unnoticed in between.
        ulong page = key.Physical & ~0xfffUL;
        MarkCodePage(page);
        if (!TryLift(key, linear, out ulong? secondPage))
        {
            NoteFetchFault();
            return null;
        }

        IrOptimizer.Run(_ir);
        _options.Translated?.Invoke(_ir);
        BlocksTranslated++;
        if (_blocks.Remove(key) is TranslationBlock stale)
        {
            Drop(stale);
        }

        int number = _freeNumbers.TryPop(out int free) ? free : _numbered.Count;
        TranslationBlock block = Encode(_arena, key, number, secondPage);
        CollectionsMarshal.SetCount(_numbered, Math.Max(_numbered.Count, number + 1));
        _numbered[number] = block;
        _blocks.Add(block);
        BlocksIn(page).Add(block);
        if (secondPage is ulong other && other != page)
        {
            BlocksIn(other).Add(block);
        }

        return block;
    }

    // The second page too: only bytes that were read after their page was marked are what is executed.
    private bool TryLift(in BlockKey key, ulong linear, out ulong? secondPage)
    {
        secondPage = null;
        while (_frontend.TryLift(_ir, _cpu->Pc, key.Physical, IrBlock.MaxInstructions))
        {
            if (((linear + (uint)_ir.ByteLength - 1) ^ linear) >> 12 == 0)
            {
                secondPage = null;
                return true;
            }

            secondPage = _addresses.PhysicalPage((linear & ~0xfffUL) + 0x1000, out _);
            if (secondPage is ulong second)
            {
                if (_blocksByPage.ContainsKey(second))
                {
                    return true;
                }

                MarkCodePage(second);
            }
        }

        return false;
    }

    private TranslationBlock Encode(CodeArena arena, BlockKey key, int number, ulong? secondPage = null)
    {
        ReadOnlySpan<IrOp> ops = _ir.Ops;
        bool hasHistory = _ir.MayChain && ops[^1].Opcode == IrOpcode.JumpIndirect;
        int room = ops.Length + 2 + (hasHistory ? JumpHistory.Ops : 0);
        Op* entry = arena.Allocate(room);
        bool counted = _tiering is not null && number >= 0 && _ir.MayChain;
        Op* code = counted ? entry + 1 : entry;
        Span<ushort> newIndex = stackalloc ushort[ops.Length + 1];
        int count = 0;
        for (int i = 0; i < ops.Length; i++)
        {
            newIndex[i] = (ushort)count;
            if (ops[i].Opcode != IrOpcode.Nop)
            {
                OpEncoder.Encode(ops[i], code + count++, _ir);
            }
        }

        newIndex[ops.Length] = (ushort)count;
        code[count] = new Op { Handler = 0, Imm = number };
        if (hasHistory)
        {
            JumpHistory.Attach(code + count - 1, code + count + 1);
        }

        var instructions = new (ushort, ushort)[_ir.InstructionCount];
        for (int i = 0; i < instructions.Length; i++)
        {
            instructions[i] = (newIndex[_ir.Instructions[i].FirstOp], _ir.Instructions[i].PcOffset);
        }

        var block = new TranslationBlock(key, number, code, _ir.ByteLength, count)
        {
            Entry = entry,
            Room = room,
            SecondPage = secondPage,
            History = hasHistory ? code[count - 1].Target : 0,
            PcMask = _ir.PcMask,
            IsRelative = _ir.IsRelative,
            MayChain = _ir.MayChain && _options.Entered is null,
            Instructions = instructions,
        };
        if (counted)
        {
            _tiering!.StartCounting(block);
        }

        return block;
    }

    private TranslationBlock BlockOf(Op* op)
    {
        while (op->Handler != 0)
        {
            op++;
        }

        return op->Imm < 0 ? _singleBlock! : _numbered[(int)op->Imm];
    }

    private bool SecondPageMatches(TranslationBlock block, ulong linear) =>
        block.SecondPage is null
        || (_addresses.Pages.TryTranslate((linear & ~0xfffUL) + 0x1000, out ulong physical) && (physical & ~0xfffUL) == block.SecondPage);

    private void Drop(TranslationBlock block)
    {
        if (!block.IsValid)
        {
            return;
        }

        block.IsValid = false;
        BlocksInvalidated++;
        _blocks.Remove(block.Key);
        BlocksIn(block.Key.Physical & ~0xfffUL).Remove(block);
        if (block.SecondPage is ulong second)
        {
            BlocksIn(second).Remove(block);
        }

        _tiering?.NoteDropped(block);
        Unlink(block);
        _addresses.Remove(block);
        _dropped.Add(block);
    }

    private static void Unlink(TranslationBlock block)
    {
        foreach (BlockLink link in block.IncomingLinks)
        {
            ((Op*)link.Jump)->Target = 0;
            if (link.From != block)
            {
                link.From.OutgoingLinks.Remove(link);
            }
        }

        foreach (BlockLink link in block.OutgoingLinks)
        {
            link.To.IncomingLinks.Remove(link);
        }

        block.IncomingLinks.Clear();
        block.OutgoingLinks.Clear();
    }

    // What was dropped is used again, or code that changes all the time would fill the arena over and over. Only where no translated code is
    // in execution: a block can be dropped by itself.
    private void Recycle()
    {
        if (_cpu->CurrentOp != 0)
        {
            return;
        }

        foreach (TranslationBlock block in _dropped)
        {
            _arena.Free(block.Entry, block.Room);
            _freeNumbers.Push(block.Number);
        }

        _dropped.Clear();
    }

    private List<TranslationBlock> BlocksIn(ulong page) => _blocksByPage[page];

    private static bool Overlaps(TranslationBlock block, ulong physical, int length)
    {
        ulong first = block.Key.Physical;
        int inFirstPage = (int)Math.Min((ulong)block.ByteLength, 0x1000 - (first & 0xfff));
        bool hit = physical < first + (uint)inFirstPage && first < physical + (uint)length;
        return hit || (block.SecondPage is ulong second && inFirstPage < block.ByteLength
            && physical < second + (uint)(block.ByteLength - inFirstPage) && second < physical + (uint)length);
    }

    // Before the bytes are read: no write to the page goes unnoticed from here on.
    private void MarkCodePage(ulong page)
    {
        if (!_blocksByPage.ContainsKey(page))
        {
            _blocksByPage.Add(page, []);
            _sharedPages.Acquire(page, Client);
            _mmu.TrackWrites(page);
        }
    }
}
