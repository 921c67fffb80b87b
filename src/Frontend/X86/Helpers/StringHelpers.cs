using System.Runtime.CompilerServices;
using Emu.Frontend.Ir;
using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86.Helpers;

/// <summary>What a string instruction does per element.</summary>
internal enum StringOperation
{
    /// <summary>MOVS.</summary>
    Move,

    /// <summary>STOS.</summary>
    Store,

    /// <summary>LODS.</summary>
    Load,

    /// <summary>SCAS.</summary>
    Scan,

    /// <summary>CMPS.</summary>
    Compare,

    /// <summary>INS.</summary>
    Input,

    /// <summary>OUTS.</summary>
    Output,
}

/// <summary>
/// String instructions. Registers are committed per element (or per run of elements inside a page), so a fault or an exit request
/// in between leaves a state from which executing the instruction again goes on where it stopped (SDM vol. 2, REP).
/// </summary>
internal static unsafe partial class StringHelpers
{
    private const int RepeatEqual = 1;
    private const int PageSize = 4096;

    /// <summary>The part of imm that the opcode decides.</summary>
    public static int Pack(StringOperation operation, int size) => size | ((int)operation << 8);

    /// <summary>
    /// Executes one string instruction. imm: bits 7:0 element size, 15:8 <see cref="StringOperation"/>, 23:16 repeat (0 none, 1 REP/REPE,
    /// 2 REPNE), 31:24 source segment, 39:32 address size. Returns 1 when iterations are left because an exit was requested.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Run(CpuHeader* header, ulong a, ulong b, ulong imm)
    {
        var run = new StringRun(X86Cpu.From(header), imm);
        int repeat = (int)(imm >> 16) & 0xff;
        if (repeat == 0)
        {
            run.Element();
            return 0;
        }

        while (run.Count != 0)
        {
            bool alone = run.IsWatched;
            bool stop = run.Elements(repeat == RepeatEqual, alone);
            if (stop)
            {
                return 0;
            }

            if (alone || Volatile.Read(ref header->ExitRequest) != 0)
            {
                return run.Count != 0 ? 1UL : 0;
            }
        }

        return 0;
    }

    /// <summary>One execution of a string instruction.</summary>
    private readonly ref partial struct StringRun
    {
        private readonly X86Cpu _cpu;
        private readonly X86CpuState* _state;
        private readonly StringOperation _operation;
        private readonly int _size;
        private readonly int _sourceSegment;
        private readonly ulong _addressMask;
        private readonly long _step;

        public StringRun(X86Cpu cpu, ulong imm)
        {
            _cpu = cpu;
            _state = cpu.State;
            _size = (int)(imm & 0xff);
            _operation = (StringOperation)(imm >> 8 & 0xff);
            _sourceSegment = (int)(imm >> 24 & 0xff);
            _addressMask = (imm >> 32 & 0xff) switch { 2 => 0xffff, 4 => 0xffff_ffff, _ => ulong.MaxValue };
            _step = _state->StringStep * _size;
        }

        public ulong Count => _state->Gpr[X86Gpr.Rcx] & _addressMask;

        /// <summary>Single step and data breakpoints trap between iterations.</summary>
        public bool IsWatched => (_state->SystemFlags & Rflags.Tf) != 0 || _cpu.Mmu.Watchpoint is not null;

        private bool ReadsSource => _operation is StringOperation.Move or StringOperation.Load or StringOperation.Compare or StringOperation.Output;

        private bool UsesDestination => _operation is not (StringOperation.Load or StringOperation.Output);

        /// <summary>Some iterations of a repeated instruction, at least one. True when its condition ends it.</summary>
        public bool Elements(bool whileEqual, bool alone)
        {
            if (!alone && _step > 0 && Block() is ulong done and not 0)
            {
                Advance(done);
                Consume(done);
                return false;
            }

            Element();
            Consume(1);
            return _operation is StringOperation.Scan or StringOperation.Compare
                && ((LazyFlags.Evaluate(&_state->Header) & Rflags.Zf) != 0) != whileEqual;
        }

        /// <summary>One iteration.</summary>
        public void Element()
        {
            ulong value;
            switch (_operation)
            {
                case StringOperation.Move:
                    value = _cpu.ReadLinear(Source(), _size);
                    _cpu.WriteLinear(Destination(write: true), value, _size);
                    break;
                case StringOperation.Store:
                    _cpu.WriteLinear(Destination(write: true), _state->Gpr[X86Gpr.Rax], _size);
                    break;
                case StringOperation.Load:
                    SetAccumulator(_cpu.ReadLinear(Source(), _size));
                    break;
                case StringOperation.Scan:
                    Compare(_state->Gpr[X86Gpr.Rax], _cpu.ReadLinear(Destination(write: false), _size));
                    break;
                case StringOperation.Compare:
                    value = _cpu.ReadLinear(Source(), _size);
                    Compare(value, _cpu.ReadLinear(Destination(write: false), _size));
                    break;
                case StringOperation.Input:
                    Input();
                    break;
                default:
                    Output();
                    break;
            }

            Advance(1);
        }

        private void Input()
        {
            ushort port = (ushort)_state->Gpr[X86Gpr.Rdx];
            _cpu.CheckIoPermission(port, _size);
            ulong destination = Destination(write: true);
            _cpu.ProbeWrite(destination, _size);
            _cpu.WriteLinear(destination, _cpu.ReadPort(port, _size), _size);
        }

        private void Output()
        {
            ushort port = (ushort)_state->Gpr[X86Gpr.Rdx];
            _cpu.CheckIoPermission(port, _size);
            _cpu.WritePort(port, _cpu.ReadLinear(Source(), _size), _size);
        }

        // As many elements as can be done together; zero when the next one must be done by itself.
        private ulong Block() => _operation switch
        {
            StringOperation.Move => MoveBlock(),
            StringOperation.Store => StoreBlock(),
            StringOperation.Input when _cpu.MayMovePortBlocks => InputBlock(),
            StringOperation.Output when _cpu.MayMovePortBlocks => OutputBlock(),
            _ => 0,
        };

        // MOVS forward through host memory, up to the first page end. Zero when a page is not plain memory.
        private ulong MoveBlock()
        {
            ulong source = Source();
            ulong destination = Destination(write: true);
            ulong elements = ElementsInPage(source, Math.Min(Count, ElementsInPage(destination, Count)));
            if (elements == 0 || !IsContiguous(elements))
            {
                return 0;
            }

            int bytes = (int)elements * _size;
            byte* from = Host(source, bytes, MmuAccess.Read);
            byte* to = from == null ? null : Host(destination, bytes, MmuAccess.Write);
            if (to == null)
            {
                return 0;
            }

            if (to > from && to < from + bytes)
            {
                CopyOverlapping(from, to, (int)elements);
            }
            else
            {
                Buffer.MemoryCopy(from, to, bytes, bytes);
            }

            return elements;
        }

        private ulong StoreBlock()
        {
            ulong destination = Destination(write: true);
            ulong elements = ElementsInPage(destination, Count);
            byte* to = elements == 0 || !IsContiguous(elements) ? null : Host(destination, (int)elements * _size, MmuAccess.Write);
            if (to == null)
            {
                return 0;
            }

            ulong value = _state->Gpr[X86Gpr.Rax];
            int count = (int)elements;
            switch (_size)
            {
                case 1: new Span<byte>(to, count).Fill((byte)value); break;
                case 2: new Span<ushort>(to, count).Fill((ushort)value); break;
                case 4: new Span<uint>(to, count).Fill((uint)value); break;
                default: new Span<ulong>(to, count).Fill(value); break;
            }

            return elements;
        }

        // The destination starts inside the source: each element copied feeds a later one, as the instruction defines.
        private void CopyOverlapping(byte* from, byte* to, int elements)
        {
            for (int i = 0; i < elements; i++, from += _size, to += _size)
            {
                switch (_size)
                {
                    case 1: *to = *from; break;
                    case 2: *(ushort*)to = *(ushort*)from; break;
                    case 4: *(uint*)to = *(uint*)from; break;
                    default: *(ulong*)to = *(ulong*)from; break;
                }
            }
        }

        // Whole elements from here to the page end, at most limit.
        private ulong ElementsInPage(ulong linear, ulong limit) => Math.Min(limit, (PageSize - (linear & (PageSize - 1))) / (uint)_size);

        // A run must not wrap at the address size, nor reach over a limit.
        private bool IsContiguous(ulong elements)
        {
            uint bytes = (uint)elements * (uint)_size;
            return (!UsesDestination || IsContiguous(X86Segment.Es, X86Gpr.Rdi, bytes, write: true))
                && (!ReadsSource || IsContiguous(_sourceSegment, X86Gpr.Rsi, bytes, write: false));
        }

        private bool IsContiguous(int segment, int register, uint bytes, bool write) => Fits(register, bytes)
            && (IsFlat(segment) || _cpu.AllowsSegmentAccess(segment, _state->Gpr[register] & _addressMask, bytes, write));

        private bool Fits(int register, ulong bytes) => _addressMask - (_state->Gpr[register] & _addressMask) >= bytes - 1;

        private byte* Host(ulong linear, int bytes, MmuAccess access) =>
            _cpu.Mmu.TryGetHostPointer(linear, bytes, access, _cpu.Mmu.Mode, out byte* host) ? host : throw GuestFaultException.Instance;

        private ulong Source() => Linear(_sourceSegment, _state->Gpr[X86Gpr.Rsi] & _addressMask, write: false);

        private ulong Destination(bool write) => Linear(X86Segment.Es, _state->Gpr[X86Gpr.Rdi] & _addressMask, write);

        private bool IsFlat(int segment) => (_state->Header.ModeKey & (segment switch
        {
            X86Segment.Fs => X86ModeKey.FsSimple,
            X86Segment.Gs => X86ModeKey.GsSimple,
            _ => X86ModeKey.Flat,
        })) != 0;

        private ulong Linear(int segment, ulong offset, bool write)
        {
            ulong linear;
            if (IsFlat(segment))
            {
                linear = segment >= X86Segment.Fs ? offset + _state->SegmentBase[segment] : offset;
                linear = (_state->Header.ModeKey & X86ModeKey.Code64) != 0 ? linear : (uint)linear;
            }
            else
            {
                linear = _cpu.SegmentTranslate(segment, offset, (uint)_size, write);
            }

            if ((_state->Header.ModeKey & X86ModeKey.AlignmentCheck) != 0)
            {
                ConditionalHelpers.CheckAlignment(&_state->Header, linear, 0, (ulong)_size);
            }

            return linear;
        }

        private void Compare(ulong first, ulong second)
        {
            ulong mask = ulong.MaxValue >> (64 - (_size * 8));
            _state->Header.FlagsOp = LazyFlags.Encode(FlagsKind.Sub, System.Numerics.BitOperations.Log2((uint)_size));
            _state->Header.FlagsResult = (first - second) & mask;
            _state->Header.FlagsSource = second & mask;
        }

        private void SetAccumulator(ulong value)
        {
            ref ulong rax = ref _state->Gpr[X86Gpr.Rax];
            rax = _size switch { 1 => (rax & ~0xffUL) | value, 2 => (rax & ~0xffffUL) | value, _ => value };
        }

        private void Advance(ulong elements)
        {
            ulong distance = (ulong)_step * elements;
            if (ReadsSource)
            {
                Write(X86Gpr.Rsi, _state->Gpr[X86Gpr.Rsi] + distance);
            }

            if (UsesDestination)
            {
                Write(X86Gpr.Rdi, _state->Gpr[X86Gpr.Rdi] + distance);
            }
        }

        private void Consume(ulong elements) => Write(X86Gpr.Rcx, _state->Gpr[X86Gpr.Rcx] - elements);

        // 16-bit addressing keeps the upper bits of the register, 32-bit addressing clears them.
        private void Write(int register, ulong value)
        {
            ref ulong slot = ref _state->Gpr[register];
            slot = _addressMask == 0xffff ? (slot & ~0xffffUL) | (ushort)value : value & _addressMask;
        }
    }
}
