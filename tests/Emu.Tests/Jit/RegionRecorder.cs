using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Emu.Accel.Tcg;
using Emu.Jit.Interpreter;
using Emu.Jit.Regions;

namespace Emu.Tests.Jit;

/// <summary>
/// Stands in for the compiler: keeps the regions it is given, and makes code that counts how often it is entered and goes on in tier 0
/// behind the head it took the place of.
/// </summary>
internal sealed unsafe class RegionRecorder : IDisposable
{
    private readonly List<Region> _regions = [];
    private readonly nint _entries = (nint)NativeMemory.AllocZeroed(sizeof(long));

    /// <summary>What was compiled, or refused.</summary>
    public IReadOnlyList<Region> Regions
    {
        get
        {
            lock (_regions)
            {
                return [.. _regions];
            }
        }
    }

    /// <summary>How often compiled regions were entered.</summary>
    public long Entries => Volatile.Read(ref *(long*)_entries);

    /// <summary>Decides which regions are refused.</summary>
    public Func<Region, bool> Refuses { get; init; } = _ => false;

    /// <summary>Options that compile with this.</summary>
    public TcgOptions Options(int threshold = 10) => new() { CompileAtOnce = true, Threshold = threshold, CompileRegion = Compile };

    /// <summary>Never keeps the region waiting.</summary>
    public CompiledRegion? Compile(Region region)
    {
        lock (_regions)
        {
            _regions.Add(region);
        }

        return Refuses(region) ? null : CountAndGoOn();
    }

    public void Dispose() => NativeMemory.Free((void*)_entries);

    private CompiledRegion CountAndGoOn()
    {
        var method = new DynamicMethod("region", typeof(nint), [typeof(nint), typeof(nint)], typeof(RegionRecorder).Module, skipVisibility: true);
        ILGenerator il = method.GetILGenerator();
        il.Emit(OpCodes.Ldc_I8, (long)_entries);
        il.Emit(OpCodes.Conv_I);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Ldind_I8);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Stind_I8);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4, Op.SizeInBytes);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Starg_S, (byte)0);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldind_I);
        il.Emit(OpCodes.Tailcall);
        il.EmitCalli(OpCodes.Calli, System.Reflection.CallingConventions.Standard, typeof(nint), [typeof(nint), typeof(nint)], null);
        il.Emit(OpCodes.Ret);
        RuntimeMethodHandle handle = Descriptor(method);
        RuntimeHelpers.PrepareMethod(handle);
        return new CompiledRegion(handle.GetFunctionPointer(), method);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "GetMethodDescriptor")]
    private static extern RuntimeMethodHandle Descriptor(DynamicMethod method);
}
