using Emu.Accel.Tcg;
using Emu.Tests.Tcg;

namespace Emu.Tests.Jit;

/// <summary>Code that changes, when all of it is compiled before it runs.</summary>
public sealed class CompiledSelfModifyingCodeTests : SelfModifyingCodeTests
{
    /// <inheritdoc/>
    protected override TcgOptions Options => TierOptions.AtOnce(0);
}

/// <summary>The same, compiled the second time it runs: in regions of several blocks.</summary>
public sealed class WarmSelfModifyingCodeTests : SelfModifyingCodeTests
{
    /// <inheritdoc/>
    protected override TcgOptions Options => TierOptions.AtOnce(2);
}

/// <summary>Faults in compiled code.</summary>
public sealed class CompiledPreciseFaultTests : PreciseFaultTests
{
    /// <inheritdoc/>
    protected override TcgOptions Options => TierOptions.AtOnce(0);
}
