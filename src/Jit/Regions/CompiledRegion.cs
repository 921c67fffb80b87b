using System.Reflection.Emit;

namespace Emu.Jit.Regions;

/// <summary>The code of a region: called like a tier-0 handler, with the op it stands for and the vCPU's state block.</summary>
/// <param name="Entry">Code address of <c>Op* (Op* op, byte* cpu)</c>.</param>
/// <param name="Method">Keeps the code alive; to be referenced for as long as any op holds <paramref name="Entry"/>.</param>
internal sealed record CompiledRegion(nint Entry, DynamicMethod Method);
