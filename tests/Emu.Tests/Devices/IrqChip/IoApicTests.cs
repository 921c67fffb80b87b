using Emu.Core;
using Emu.Devices.IrqChip;

namespace Emu.Tests.Devices.IrqChip;

public sealed class IoApicTests
{
    private readonly ApicRig _rig = new();

    [Fact]
    public void Registers_VersionAndResetState()
    {
        Assert.Equal(0x0017_0020u, _rig.ReadIo(1));
        Assert.Equal(0x0001_0000u, _rig.ReadIo(0x10));
        Assert.Equal(0u, _rig.ReadIo(0xFF));
    }

    [Fact]
    public void Edge_Unmasked_DeliversOncePerEdgeAndMaskedEdgesAreLost()
    {
        _rig.IoApic.SetIrq(4, true);
        _rig.WriteIo(0x18, 0x34);
        Assert.Empty(_rig.Take());

        _rig.IoApic.SetIrq(4, false);
        _rig.IoApic.SetIrq(4, true);
        _rig.IoApic.SetIrq(4, true);

        Assert.Equal([0x34], _rig.Take());
    }

    [Fact]
    public void Level_HeldAcrossEoi_IsDeliveredAgain()
    {
        _rig.WriteIo(0x10 + 32, 0x8045);
        _rig.IoApic.SetIrq(16, true);
        Assert.Equal(0xC045u, _rig.ReadIo(0x10 + 32));

        Assert.Equal(0x45, _rig.Apics[0].AcknowledgeInterrupt());
        Assert.False(_rig.Apics[0].HasPendingInterrupt);
        _rig.Write(0xB0, 0);
        Assert.True(_rig.Apics[0].HasPendingInterrupt);

        Assert.Equal(0x45, _rig.Apics[0].AcknowledgeInterrupt());
        _rig.IoApic.SetIrq(16, false);
        _rig.Write(0xB0, 0);
        Assert.False(_rig.Apics[0].HasPendingInterrupt);
        Assert.Equal(0x8045u, _rig.ReadIo(0x10 + 32));
    }

    [Fact]
    public void EoiRegister_WithSuppressedBroadcast_ClearsRemoteIrr()
    {
        _rig.Write(0xF0, 0x11FF);
        _rig.WriteIo(0x10 + 32, 0x8045);
        _rig.IoApic.SetIrq(16, true);
        _rig.IoApic.SetIrq(16, false);
        _rig.Take();
        Assert.Equal(0xC045u, _rig.ReadIo(0x10 + 32));

        _rig.Memory.Write(IoApic.RegionAddress + 0x40, 0x45, 4);

        Assert.Equal(0x8045u, _rig.ReadIo(0x10 + 32));
    }

    [Fact]
    public void Level_NobodyAccepts_TriesAgainOnTheNextWrite()
    {
        _rig.Write(0xF0, 0xFF);
        _rig.WriteIo(0x10 + 32, 0x8045);
        _rig.IoApic.SetIrq(16, true);
        Assert.Equal(0x8045u, _rig.ReadIo(0x10 + 32));

        _rig.Write(0xF0, 0x1FF);
        _rig.WriteIo(0x10 + 32, 0x8045);

        Assert.True(_rig.Apics[0].HasPendingInterrupt);
    }

    [Fact]
    public void Destination_Physical_SelectsTheCpu()
    {
        _rig.WriteIo(0x19, 1u << 24);
        _rig.WriteIo(0x18, 0x34);

        _rig.IoApic.SetIrq(4, true);

        Assert.Equal([0x34], _rig.Take(1));
        Assert.Empty(_rig.Take(0));
    }

    [Fact]
    public void SaveRestore_RoundTripsAndRejectsHostileRecords()
    {
        _rig.WriteIo(0x10 + 32, 0x8045);
        _rig.IoApic.SetIrq(16, true);
        IoApicState saved = _rig.IoApic.Save();
        var other = new ApicRig();

        other.IoApic.Restore(saved);

        Assert.Equal(0xC045u, other.ReadIo(0x10 + 32));
        Assert.Throws<InvalidDeviceStateException>(() => other.IoApic.Restore(saved with { Redirection = [0] }));
        Assert.Throws<InvalidDeviceStateException>(() => other.IoApic.Restore(saved with { Redirection = null! }));
        Assert.Throws<InvalidDeviceStateException>(() => other.IoApic.Restore(saved with { Lines = 1u << 24 }));
    }

    [Fact]
    public void GsiRouter_RoutesIsaIrqsToBothAndTheTimerToInput2()
    {
        var pic = new Recorder();
        var ioApic = new Recorder();
        var router = new GsiRouter(pic, ioApic);

        foreach (int gsi in new[] { 0, 2, 4, 16, 23 })
        {
            router.Line(gsi).Set(true);
        }

        Assert.Equal([0, 4], pic.Raised);
        Assert.Equal([2, 4, 16, 23], ioApic.Raised);
    }

    [Fact]
    public void GsiRouter_LegacyReplacement_CutsPitAndRtcButNotTheHpet()
    {
        var pic = new Recorder();
        var router = new GsiRouter(pic, new Recorder()) { HpetLegacyReplacement = true };

        router.SetIrq(0, true);
        router.SetIrq(8, true);
        router.SetIrq(4, true);
        router.HpetInputs.SetIrq(0, true);

        Assert.Equal([4, 0], pic.Raised);
    }

    private sealed class Recorder : IIrqSink
    {
        public List<int> Raised { get; } = [];

        public void SetIrq(int number, bool level)
        {
            if (level)
            {
                Raised.Add(number);
            }
        }
    }
}
