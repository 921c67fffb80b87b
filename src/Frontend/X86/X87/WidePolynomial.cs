namespace Emu.Frontend.X86.X87;

/// <summary>
/// A polynomial with positive coefficients, or with alternating signs, in fixed point: Horner's scheme in 64 bits where what is
/// left is small enough, then in 128 bits. Values and coefficients have one bit before the point and 127 after it.
/// </summary>
internal sealed class WidePolynomial
{
    private readonly ulong[] _tail;
    private readonly (ulong High, ulong Low)[] _head;
    private readonly int _scale;

    /// <summary>Takes the coefficients apart, lowest degree first.</summary>
    /// <param name="coefficients">Coefficients in units of 2^-127.</param>
    /// <param name="head">How many are computed with in 128 bits.</param>
    /// <param name="scale">Power of two that the others are multiplied by, so that they fill 64 bits.</param>
    public WidePolynomial(ReadOnlySpan<UInt128> coefficients, int head, int scale)
    {
        _head = new (ulong, ulong)[head];
        _tail = new ulong[coefficients.Length - head];
        _scale = scale;
        for (int n = 0; n < coefficients.Length; n++)
        {
            int last = coefficients.Length - 1 - n;
            if (n < head)
            {
                _head[head - 1 - n] = ((ulong)(coefficients[n] >> 64), (ulong)coefficients[n]);
            }
            else
            {
                _tail[last] = (ulong)((coefficients[n] << scale) >> 64);
            }
        }
    }

    /// <summary>
    /// The value at ±<paramref name="x"/>, given in units of 2^-128. With alternating signs it comes out a few units low and
    /// never exact, so that a value below one stays below one.
    /// </summary>
    public UInt128 Evaluate(UInt128 x, bool alternating)
    {
        ulong x1 = (ulong)(x >> 64);
        ulong x0 = (ulong)x;
        ulong sign = alternating ? ulong.MaxValue : 0;
        ulong tail = 0;
        foreach (ulong coefficient in _tail)
        {
            tail = coefficient + (Wide.MultiplyHigh(x1, tail) ^ sign);
        }

        UInt128 start = new UInt128(tail, 0) >> _scale;
        ulong p1 = (ulong)(start >> 64);
        ulong p0 = (ulong)start;
        foreach ((ulong high, ulong low) in _head)
        {
            ulong t1 = Wide.MultiplyHigh(x1, p1);
            ulong t0 = Sum(x1 * p1, Wide.MultiplyHigh(x1, p0), ref t1);
            t0 = Sum(t0, Wide.MultiplyHigh(x0, p1), ref t1);
            p1 = (t1 ^ sign) + high;
            p0 = Sum(t0 ^ sign, low, ref p1);
        }

        return new UInt128(p1, p0);
    }

    private static ulong Sum(ulong a, ulong b, ref ulong carry)
    {
        ulong sum = a + b;
        carry += sum < a ? 1UL : 0;
        return sum;
    }
}
