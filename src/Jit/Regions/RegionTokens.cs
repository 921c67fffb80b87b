using System.Buffers.Binary;
using System.Numerics;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;

namespace Emu.Jit.Regions;

/// <summary>Tokens of signatures, methods and types, made for a method when it first needs them.</summary>
internal sealed class RegionTokens(DynamicILInfo info)
{
    private const byte I4 = 0x08;
    private const byte I8 = 0x0a;
    private const byte NativeInt = 0x18;
    private const byte Void = 0x01;

    private static readonly byte[] HandlerSignature = [0, 2, NativeInt, NativeInt, NativeInt];
    private static readonly byte[] CallSignature = [0, 4, I8, NativeInt, I8, I8, I8];
    private static readonly byte[] CallVectorSignature = [0, 5, Void, NativeInt, NativeInt, NativeInt, NativeInt, I4];
    private static readonly byte[] CallVectorValueSignature = [0, 4, I8, NativeInt, NativeInt, NativeInt, I4];

    private static readonly RuntimeTypeHandle VectorType = typeof(Vector128<byte>).TypeHandle;
    private static readonly RuntimeMethodHandle TestConditionMethod = Helper(nameof(RegionHelpers.TestCondition));
    private static readonly RuntimeMethodHandle TestCarryMethod = Helper(nameof(RegionHelpers.TestCarry));
    private static readonly RuntimeMethodHandle CommitStepMethod = Helper(nameof(RegionHelpers.CommitStep));
    private static readonly RuntimeMethodHandle UnsignedHighMethod = Helper(nameof(RegionHelpers.UnsignedHigh));
    private static readonly RuntimeMethodHandle SignedHighMethod = Helper(nameof(RegionHelpers.SignedHigh));
    private static readonly RuntimeMethodHandle PopCountMethod = Method(typeof(BitOperations), nameof(BitOperations.PopCount), typeof(uint));
    private static readonly RuntimeMethodHandle TrailingZeros4Method = Method(typeof(BitOperations), nameof(BitOperations.TrailingZeroCount), typeof(uint));
    private static readonly RuntimeMethodHandle TrailingZeros8Method = Method(typeof(BitOperations), nameof(BitOperations.TrailingZeroCount), typeof(ulong));
    private static readonly RuntimeMethodHandle Log4Method = Method(typeof(BitOperations), nameof(BitOperations.Log2), typeof(uint));
    private static readonly RuntimeMethodHandle Log8Method = Method(typeof(BitOperations), nameof(BitOperations.Log2), typeof(ulong));
    private static readonly RuntimeMethodHandle RotateLeft4Method = Method(typeof(BitOperations), nameof(BitOperations.RotateLeft), typeof(uint), typeof(int));
    private static readonly RuntimeMethodHandle RotateLeft8Method = Method(typeof(BitOperations), nameof(BitOperations.RotateLeft), typeof(ulong), typeof(int));
    private static readonly RuntimeMethodHandle Reverse4Method = Method(typeof(BinaryPrimitives), nameof(BinaryPrimitives.ReverseEndianness), typeof(uint));
    private static readonly RuntimeMethodHandle Reverse8Method = Method(typeof(BinaryPrimitives), nameof(BinaryPrimitives.ReverseEndianness), typeof(ulong));


    private readonly Dictionary<MethodInfo, int> _methods = [];
    private readonly int[] _tokens = new int[(int)Token.Count];

    /// <summary>The kinds of tokens.</summary>
    public enum Token
    {
        /// <summary>Signature of tier-0 handlers and of regions.</summary>
        Handler,

        /// <summary>Signature of the helpers of Call.</summary>
        Call,

        /// <summary>Signature of the helpers of CallVector.</summary>
        CallVector,

        /// <summary>Signature of the helpers of CallVectorValue.</summary>
        CallVectorValue,

        /// <summary>The type of 16 bytes.</summary>
        Vector,

        /// <summary><see cref="RegionHelpers.TestCondition"/>.</summary>
        TestCondition,

        /// <summary><see cref="RegionHelpers.TestCarry"/>.</summary>
        TestCarry,

        /// <summary><see cref="RegionHelpers.CommitStep"/>.</summary>
        CommitStep,

        /// <summary><see cref="RegionHelpers.UnsignedHigh"/>.</summary>
        UnsignedHigh,

        /// <summary><see cref="RegionHelpers.SignedHigh"/>.</summary>
        SignedHigh,

        /// <summary>Number of set bits in 32.</summary>
        PopCount,

        /// <summary>Number of the lowest set bit of 32.</summary>
        TrailingZeros4,

        /// <summary>Number of the lowest set bit of 64.</summary>
        TrailingZeros8,

        /// <summary>Number of the highest set bit of 32.</summary>
        Log4,

        /// <summary>Number of the highest set bit of 64.</summary>
        Log8,

        /// <summary>Rotation of 32 bits.</summary>
        RotateLeft4,

        /// <summary>Rotation of 64 bits.</summary>
        RotateLeft8,

        /// <summary>Byte swap of 32 bits.</summary>
        Reverse4,

        /// <summary>Byte swap of 64 bits.</summary>
        Reverse8,

        /// <summary>Number of kinds.</summary>
        Count,
    }

    /// <summary>The token for <paramref name="token"/> in this method.</summary>
    public int this[Token token]
    {
        get
        {
            ref int value = ref _tokens[(int)token];
            return value != 0 ? value : value = Make(token);
        }
    }

    /// <summary>The token for a method.</summary>
    public int Of(MethodInfo method)
    {
        if (!_methods.TryGetValue(method, out int token))
        {
            token = info.GetTokenFor(method.MethodHandle);
            _methods.Add(method, token);
        }

        return token;
    }

    /// <summary>What <paramref name="token"/> stands for in this method.</summary>
    public string NameOf(int token)
    {
        foreach ((MethodInfo method, int number) in _methods)
        {
            if (number == token)
            {
                return $"{method.DeclaringType?.Name}.{method.Name}";
            }
        }

        int kind = Array.IndexOf(_tokens, token);
        return kind >= 0 ? ((Token)kind).ToString() : $"token {token:x}";
    }

    private int Make(Token token) => token switch
    {
        Token.Handler => info.GetTokenFor(HandlerSignature),
        Token.Call => info.GetTokenFor(CallSignature),
        Token.CallVector => info.GetTokenFor(CallVectorSignature),
        Token.CallVectorValue => info.GetTokenFor(CallVectorValueSignature),
        Token.Vector => info.GetTokenFor(VectorType),
        Token.TestCondition => info.GetTokenFor(TestConditionMethod),
        Token.TestCarry => info.GetTokenFor(TestCarryMethod),
        Token.CommitStep => info.GetTokenFor(CommitStepMethod),
        Token.UnsignedHigh => info.GetTokenFor(UnsignedHighMethod),
        Token.SignedHigh => info.GetTokenFor(SignedHighMethod),
        Token.PopCount => info.GetTokenFor(PopCountMethod),
        Token.TrailingZeros4 => info.GetTokenFor(TrailingZeros4Method),
        Token.TrailingZeros8 => info.GetTokenFor(TrailingZeros8Method),
        Token.Log4 => info.GetTokenFor(Log4Method),
        Token.Log8 => info.GetTokenFor(Log8Method),
        Token.RotateLeft4 => info.GetTokenFor(RotateLeft4Method),
        Token.RotateLeft8 => info.GetTokenFor(RotateLeft8Method),
        Token.Reverse4 => info.GetTokenFor(Reverse4Method),
        _ => info.GetTokenFor(Reverse8Method),
    };

    private static RuntimeMethodHandle Helper(string name) => typeof(RegionHelpers).GetMethod(name)!.MethodHandle;

    private static RuntimeMethodHandle Method(Type type, string name, params Type[] parameters) =>
        type.GetMethod(name, BindingFlags.Public | BindingFlags.Static, parameters)!.MethodHandle;
}
