using System.Runtime.CompilerServices;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86.Helpers;

/// <content>INS and OUTS by blocks: what lies in one page, as long as nobody asks for the CPU.</content>
internal static unsafe partial class StringHelpers
{
    /// <content>Blocks between a port and memory.</content>
    private readonly ref partial struct StringRun
    {
        // A device is given a buffer of its own: guest memory is written afterwards, in one go, when it has been asked for once more, so that
        // translations of what lies there are dropped right before it changes.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private ulong InputBlock()
        {
            ulong destination = Destination(write: true);
            ulong elements = ElementsInPage(destination, Count);
            if (elements == 0 || !IsContiguous(elements) || Host(destination, (int)elements * _size, MmuAccess.Write) == null)
            {
                return 0;
            }

            Span<byte> buffer = stackalloc byte[PageSize];
            int done = _cpu.ReadPortBlock((ushort)_state->Gpr[X86Gpr.Rdx], buffer[..((int)elements * _size)], _size);
            int bytes = done * _size;

            // SAFETY: the bytes lie in the page that the pointer was asked for; it is memory as it was above, because this CPU alone changes its TLB.
            buffer[..bytes].CopyTo(new Span<byte>(Host(destination, bytes, MmuAccess.Write), bytes));
            return (ulong)done;
        }

        private ulong OutputBlock()
        {
            ulong source = Source();
            ulong elements = ElementsInPage(source, Count);
            int bytes = (int)elements * _size;
            byte* from = elements == 0 || !IsContiguous(elements) ? null : Host(source, bytes, MmuAccess.Read);

            // SAFETY: the bytes lie in the page that the pointer was asked for, which is memory.
            return from == null ? 0 : (ulong)_cpu.WritePortBlock((ushort)_state->Gpr[X86Gpr.Rdx], new ReadOnlySpan<byte>(from, bytes), _size);
        }
    }
}
