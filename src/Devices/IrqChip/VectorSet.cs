using System.Numerics;

namespace Emu.Devices.IrqChip;

/// <summary>A 256-bit register of the local APIC, one bit per vector (ISR, TMR, IRR; SDM vol. 3, 11.8.4).</summary>
internal sealed class VectorSet
{
    /// <summary>Number of 32-bit registers that make up the set.</summary>
    public const int Words = 8;

    private readonly uint[] _words = new uint[Words];

    /// <summary>The highest vector in the set, or -1.</summary>
    public int Highest
    {
        get
        {
            for (int i = Words - 1; i >= 0; i--)
            {
                if (_words[i] != 0)
                {
                    return (i * 32) + BitOperations.Log2(_words[i]);
                }
            }

            return -1;
        }
    }

    /// <summary>Membership of <paramref name="vector"/>.</summary>
    public bool this[int vector]
    {
        get => (_words[vector >> 5] & (1u << (vector & 31))) != 0;
        set
        {
            uint bit = 1u << (vector & 31);
            _words[vector >> 5] = value ? _words[vector >> 5] | bit : _words[vector >> 5] & ~bit;
        }
    }

    /// <summary>The 32 vectors from 32·<paramref name="index"/>.</summary>
    public uint Word(int index) => _words[index];

    /// <summary>Empties the set.</summary>
    public void Clear() => Array.Clear(_words);

    /// <summary>A copy of the registers.</summary>
    public uint[] ToArray() => [.. _words];

    /// <summary>Replaces the contents by <paramref name="words"/>, <see cref="Words"/> of them.</summary>
    public void Load(uint[] words) => words.CopyTo(_words, 0);
}
