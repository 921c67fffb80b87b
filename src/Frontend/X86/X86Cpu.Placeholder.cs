using Emu.Frontend.SoftMmu;

namespace Emu.Frontend.X86;

public sealed unsafe partial class X86Cpu
{
    /// <inheritdoc/>
    public bool TryTranslate(ulong linear, MmuAccess access, MmuMode mode, out PageTranslation translation) => throw new NotSupportedException();

    /// <summary>Power-on reset.</summary>
    public void Reset() => throw new NotSupportedException();

    /// <summary>Recomputes the mode key and the softmmu mode.</summary>
    public void UpdateMode() => throw new NotSupportedException();
}
