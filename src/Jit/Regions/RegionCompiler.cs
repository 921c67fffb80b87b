using System.Diagnostics.CodeAnalysis;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Emu.Jit.Regions;

/// <summary>Compiles regions: IL for the whole region, then RyuJIT's code for it. Thread-safe.</summary>
internal static class RegionCompiler
{
    /// <summary>Beyond these RyuJIT silently stops optimising (60,000 IL bytes, 20,000 instructions, 2,000 basic blocks).</summary>
    private const int MaxBytes = 60_000;
    private const int MaxInstructions = 19_000;
    private const int MaxBasicBlocks = 1_800;
    private const int MaxStack = 16;

    [ThreadStatic]
    private static IlWriter? s_writer;

    /// <summary>Bytes of the method this thread emitted last.</summary>
    internal static int LastLength => s_writer?.Length ?? 0;

    /// <summary>
    /// The code of <paramref name="region"/>, or null when nothing would be gained: its first instruction is left to tier 0, or it is too
    /// large to be optimised.
    /// </summary>
    public static CompiledRegion? Compile(Region region)
    {
        DynamicMethod? method = Emit(region);
        if (method is null)
        {
            return null;
        }

        RuntimeMethodHandle handle = DescriptorOf(method);
        RuntimeHelpers.PrepareMethod(handle);
        return new CompiledRegion(handle.GetFunctionPointer(), method);
    }

    /// <summary>The IL of <paramref name="region"/> as text; empty when it is not compiled.</summary>
    public static string Describe(Region region) =>
        TryEmit(region, out _, out RegionTokens? tokens) ? IlDump.Format(s_writer!.GetCode(), tokens) : "";

    /// <summary>The first half of <see cref="Compile"/>: the method, not yet compiled.</summary>
    internal static DynamicMethod? Emit(Region region) => TryEmit(region, out DynamicMethod? method, out _) ? method : null;

    private static bool TryEmit(Region region, [NotNullWhen(true)] out DynamicMethod? method, [NotNullWhen(true)] out RegionTokens? tokens)
    {
        (method, tokens) = (null, null);
        var plan = new RegionPlan(region);
        if (plan.Blocks[0].OpCount == 0)
        {
            return false;
        }

        IlWriter il = s_writer ??= new IlWriter();
        il.Clear();
        method = new DynamicMethod($"Region_{region.FormedAt:x}", typeof(nint), [typeof(nint), typeof(nint)], typeof(RegionCompiler).Module, skipVisibility: true)
        {
            InitLocals = false,
        };
        DynamicILInfo info = method.GetDynamicILInfo();
        tokens = new RegionTokens(info);
        new RegionEmitter(region, plan, il, tokens).Emit();
        if (il.Length > MaxBytes || il.Instructions > MaxInstructions || il.BasicBlocks > MaxBasicBlocks)
        {
            return false;
        }

        info.SetCode(il.GetCode(), MaxStack);
        info.SetLocalSignature(il.GetLocalSignature());
        return true;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "GetMethodDescriptor")]
    private static extern RuntimeMethodHandle DescriptorOf(DynamicMethod method);
}
