using Emu.Diff.Cases;
using Emu.Diff.Engines;
using Iced.Intel;

namespace Emu.Tests.Diff;

/// <summary>The interpreter with a bug: the overflow flag of one form is wrong wherever it is the last thing a case does.</summary>
internal sealed unsafe class PlantedBugEngine(Code wrong) : IDiffEngine
{
    private const ulong Overflow = 0x800;

    private readonly SoftwareEngine _engine = SoftwareEngine.Tier0(64);

    public string Name => "tier0";

    public string Description => "the interpreter with a bug";

    public bool IsSilicon => false;

    public bool SetsControl => true;

    public void Run(CaseBatch batch)
    {
        _engine.Run(batch);
        for (int slot = batch.First; slot < batch.First + batch.Count; slot++)
        {
            if (batch.Cases[slot].Instructions is [.., { Instruction.Code: var code }] && code == wrong)
            {
                Result(slot)->State.Rflags ^= Overflow;
            }
        }
    }

    public CaseRecord* Result(int slot) => _engine.Result(slot);

    public void Dispose() => _engine.Dispose();
}
