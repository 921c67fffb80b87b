using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Emu.Jit.Regions;

/// <summary>The IL instructions the emitter uses, as encoded (ECMA-335, III): two-byte ones have FEH in the upper byte.</summary>
internal enum Il : ushort
{
    LoadArgument0 = 0x02,
    LoadArgument1 = 0x03,
    LoadConstant4Zero = 0x16,
    LoadConstant4Short = 0x1f,
    LoadConstant4 = 0x20,
    LoadConstant8 = 0x21,
    Duplicate = 0x25,
    Pop = 0x26,
    Call = 0x28,
    CallIndirect = 0x29,
    Return = 0x2a,
    Branch = 0x38,
    BranchFalse = 0x39,
    BranchTrue = 0x3a,
    BranchEqual = 0x3b,
    BranchGreaterEqual = 0x3c,
    BranchGreater = 0x3d,
    BranchLessEqual = 0x3e,
    BranchLess = 0x3f,
    BranchNotEqual = 0x40,
    BranchGreaterEqualUnsigned = 0x41,
    BranchGreaterUnsigned = 0x42,
    BranchLessEqualUnsigned = 0x43,
    BranchLessUnsigned = 0x44,
    LoadI1 = 0x46,
    LoadU1 = 0x47,
    LoadI2 = 0x48,
    LoadU2 = 0x49,
    LoadI4 = 0x4a,
    LoadU4 = 0x4b,
    LoadI8 = 0x4c,
    StoreI1 = 0x52,
    StoreI2 = 0x53,
    StoreI4 = 0x54,
    StoreI8 = 0x55,
    Add = 0x58,
    Subtract = 0x59,
    Multiply = 0x5a,
    And = 0x5f,
    Or = 0x60,
    Xor = 0x61,
    ShiftLeft = 0x62,
    ShiftRight = 0x63,
    ShiftRightUnsigned = 0x64,
    Negate = 0x65,
    Not = 0x66,
    ConvertI1 = 0x67,
    ConvertI2 = 0x68,
    ConvertI4 = 0x69,
    ConvertI8 = 0x6a,
    ConvertU4 = 0x6d,
    ConvertU8 = 0x6e,
    LoadObject = 0x71,
    StoreObject = 0x81,
    ConvertU2 = 0xd1,
    ConvertU1 = 0xd2,
    CompareEqual = 0xfe01,
    CompareGreater = 0xfe02,
    CompareGreaterUnsigned = 0xfe03,
    CompareLess = 0xfe04,
    CompareLessUnsigned = 0xfe05,
    Volatile = 0xfe13,
    Tail = 0xfe14,
}

/// <summary>A place in the code, bound once by <see cref="IlWriter.Mark"/>.</summary>
internal readonly record struct IlLabel(int Number);

/// <summary>
/// Writes the bytes of a method body: a sixth of the time of ILGenerator, and nothing kept between methods but buffers. Locals are
/// 64-bit integers or vectors of 128 bits.
/// </summary>
internal sealed class IlWriter
{
    private const int Unbound = -1;

    private static readonly nint VectorType = typeof(Vector128<byte>).TypeHandle.Value;

    private readonly List<bool> _localIsVector = [];
    private readonly List<int> _labels = [];
    private readonly List<(int Position, int Label)> _fixups = [];
    private byte[] _code = new byte[4096];
    private int _length;

    /// <summary>Number of locals.</summary>
    public int LocalCount => _localIsVector.Count;

    /// <summary>Bytes written.</summary>
    public int Length => _length;

    /// <summary>Instructions written.</summary>
    public int Instructions { get; private set; }

    /// <summary>Upper bound of the number of basic blocks.</summary>
    public int BasicBlocks => _labels.Count + _fixups.Count;

    /// <summary>Empties the writer.</summary>
    public void Clear()
    {
        _labels.Clear();
        _fixups.Clear();
        _length = 0;
        _localIsVector.Clear();
        Instructions = 0;
    }

    /// <summary>A new local.</summary>
    /// <param name="isVector">Whether it is a vector.</param>
    public int NewLocal(bool isVector = false)
    {
        _localIsVector.Add(isVector);
        return LocalCount - 1;
    }

    /// <summary>A new label.</summary>
    public IlLabel NewLabel()
    {
        _labels.Add(Unbound);
        return new IlLabel(_labels.Count - 1);
    }

    /// <summary>Binds a label to the current position.</summary>
    public void Mark(IlLabel label) => _labels[label.Number] = _length;

    /// <summary>An instruction without operand.</summary>
    public void Emit(Il instruction)
    {
        Reserve();
        Instructions++;
        if ((ushort)instruction > 0xff)
        {
            _code[_length++] = (byte)((ushort)instruction >> 8);
        }

        _code[_length++] = (byte)instruction;
    }

    /// <summary>An instruction with a token.</summary>
    public void Emit(Il instruction, int token)
    {
        Emit(instruction);
        WriteInt32(token);
    }

    /// <summary>A branch.</summary>
    public void Emit(Il instruction, IlLabel target)
    {
        Emit(instruction);
        _fixups.Add((_length, target.Number));
        WriteInt32(0);
    }

    /// <summary>
    /// A conditional branch that is hardly ever taken. RyuJIT puts the target of a conditional branch next to it, unless something else
    /// says how likely it is: so the likely way is made the target.
    /// </summary>
    public void EmitUnlikely(Il instruction, IlLabel target)
    {
        IlLabel likely = NewLabel();
        Emit(Opposite(instruction), likely);
        Emit(Il.Branch, target);
        Mark(likely);
    }

    /// <summary>ldloc.</summary>
    public void Load(int local) => Local(local, 0x06, 0x11, 0x0c);

    /// <summary>stloc.</summary>
    public void Store(int local) => Local(local, 0x0a, 0x13, 0x0e);

    /// <summary>A 32-bit constant.</summary>
    public void Constant4(int value)
    {
        if (value is >= -1 and <= 8)
        {
            Emit((Il)((int)Il.LoadConstant4Zero + value));
        }
        else if (value == (sbyte)value)
        {
            Emit(Il.LoadConstant4Short);
            _code[_length++] = (byte)value;
        }
        else
        {
            Emit(Il.LoadConstant4, value);
        }
    }

    /// <summary>A 64-bit constant.</summary>
    public void Constant8(long value)
    {
        Emit(Il.LoadConstant8);
        BinaryPrimitives.WriteInt64LittleEndian(_code.AsSpan(_length), value);
        _length += 8;
    }

    /// <summary>The body, with all branches resolved.</summary>
    public byte[] GetCode()
    {
        foreach ((int position, int label) in CollectionsMarshal.AsSpan(_fixups))
        {
            int target = _labels[label];
            if (target == Unbound)
            {
                throw new InvalidOperationException("A branch leads to a label that was never marked.");
            }

            BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(position), target - (position + 4));
        }

        return _code.AsSpan(0, _length).ToArray();
    }

    /// <summary>The signature of the locals (ECMA-335, II.23.2.6), which names the vector type by its handle as dynamic methods may.</summary>
    public byte[] GetLocalSignature()
    {
        const byte LocalSignature = 0x07;
        const byte ElementTypeI8 = 0x0a;
        const byte ElementTypeInternal = 0x21;
        var signature = new List<byte>(4 + LocalCount) { LocalSignature };
        if (LocalCount >= 0x80)
        {
            signature.Add((byte)(0x80 | (LocalCount >> 8)));
        }

        signature.Add((byte)LocalCount);
        Span<byte> handle = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(handle, VectorType);
        foreach (bool isVector in _localIsVector)
        {
            signature.Add(isVector ? ElementTypeInternal : ElementTypeI8);
            if (isVector)
            {
                signature.AddRange(handle);
            }
        }

        return [.. signature];
    }

    private static Il Opposite(Il branch) => branch switch
    {
        Il.BranchEqual => Il.BranchNotEqual,
        Il.BranchNotEqual => Il.BranchEqual,
        Il.BranchTrue => Il.BranchFalse,
        Il.BranchFalse => Il.BranchTrue,
        _ => throw new ArgumentOutOfRangeException(nameof(branch), branch, "no branch with an opposite"),
    };

    private void Local(int local, int implied, int shortForm, int longForm)
    {
        if (local < 4)
        {
            Emit((Il)(implied + local));
        }
        else if (local < 256)
        {
            Emit((Il)shortForm);
            _code[_length++] = (byte)local;
        }
        else
        {
            Emit((Il)(0xfe00 | longForm));
            BinaryPrimitives.WriteUInt16LittleEndian(_code.AsSpan(_length), (ushort)local);
            _length += 2;
        }
    }

    private void WriteInt32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_code.AsSpan(_length), value);
        _length += 4;
    }

    // Room for the longest instruction.
    private void Reserve()
    {
        if (_length + 16 > _code.Length)
        {
            Array.Resize(ref _code, _code.Length * 2);
        }
    }
}
