using Emu.Frontend.Ir;
using Emu.Jit.Interpreter;

namespace Emu.Tests.Jit;

/// <summary>The ops whose handlers are compiled ahead.</summary>
public sealed class CommonOpsTests
{
    [Fact]
    public void EveryShape_HasAHandler_AndMostHaveOneOfTheirOwn()
    {
        IrOp[] ops = [.. CommonOps.All()];

        nint[] handlers = [.. ops.Select(op => HandlerTable.For(op))];

        Assert.DoesNotContain(0, handlers);
        Assert.InRange(handlers.Distinct().Count(), ops.Length * 9 / 10, ops.Length);
    }
}
