using Emu.Frontend.SoftMmu;
using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

/// <summary>
/// What the TLB keeps over CR3 writes. A page-table entry changed behind its back shows whether an access was cached: the old value
/// comes from the TLB, the new one from a walk.
/// </summary>
public sealed unsafe class AddressSpaceTests : IDisposable
{
    private const ulong Root = 0x10_0000;
    private const ulong Leaf = 0x10_3000;
    private const ulong OtherRoot = 0x11_0000;
    private const ulong Old = 0x40_0000;
    private const ulong New = 0x50_0000;
    private const ulong NoFlush = 1UL << 63;

    private readonly SystemFixture _f = new();
    private ulong _nextTable = 0x20_0000;

    public AddressSpaceTests()
    {
        _f.EnterLong();
        for (ulong address = Root; address < Leaf + 0x1000; address += 8)
        {
            _f.Write(address, 0);
            _f.Write(address + OtherRoot - Root, 0);
        }

        foreach (ulong root in new[] { Root, OtherRoot })
        {
            _f.Write(root, (root + 0x1000) | 7);
            _f.Write(root + 0x1000, (root + 0x2000) | 7);
            _f.Write(root + 0x2000, (root + 0x3000) | 7);
        }

        _f.Write(Old, 1);
        _f.Write(New, 2);
        _f.Write(Leaf, Old | 7);
        _f.Write(OtherRoot + 0x3000, New | 7);
        _f.Cpu.Mmu.Flush(includeGlobal: true);
        _f.Cpu.WriteControl(4, _f.State->Cr4 | ControlBits.Cr4Pcide | ControlBits.Cr4Pge);
        _f.Cpu.WriteControl(3, Root | 1);
    }

    private ulong Value => _f.Cpu.ReadLinear(0, 8);

    public void Dispose() => _f.Dispose();

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void SwitchBack_KeepsTranslations_WhenAskedTo(bool keep, ulong expected)
    {
        CacheAndChange();

        _f.Cpu.WriteControl(3, OtherRoot | 2);
        Assert.Equal(2UL, Value);
        _f.Cpu.WriteControl(3, Root | 1 | (keep ? NoFlush : 0));

        Assert.Equal(expected, Value);
    }

    [Fact]
    public void WithoutPcide_EveryCr3WriteDropsWhatIsNotGlobal()
    {
        _f.Cpu.WriteControl(3, Root);
        _f.Cpu.WriteControl(4, _f.State->Cr4 & ~ControlBits.Cr4Pcide);
        CacheAndChange();

        _f.Cpu.WriteControl(3, Root);

        Assert.Equal(2UL, Value);
    }

    [Theory]
    [InlineData(0, 1, 2)]
    [InlineData(1, 1, 2)]
    [InlineData(1, 5, 1)]
    [InlineData(2, 0, 2)]
    [InlineData(3, 0, 2)]
    public void Invpcid_FromAnotherAddressSpace_DropsWhatItNames(ulong type, ulong pcid, ulong expected)
    {
        CacheAndChange();
        _f.Cpu.WriteControl(3, OtherRoot | 2);
        _f.Write(New + 0x800, pcid);
        _f.Write(New + 0x808, 0);

        _f.Cpu.Invpcid(type, 0x800);
        _f.Cpu.WriteControl(3, Root | 1 | NoFlush);

        Assert.Equal(expected, Value);
    }

    [Fact]
    public void Invlpg_DropsAGlobalPageInEveryAddressSpace()
    {
        _f.Write(Leaf, Old | 0x107);
        CacheAndChange();
        _f.Cpu.WriteControl(3, OtherRoot | 2);

        _f.Cpu.Invlpg(0);
        _f.Cpu.WriteControl(3, Root | 1 | NoFlush);

        Assert.Equal(2UL, Value);
    }

    [Fact]
    public void MoreAddressSpacesThanContexts_AreRightAllTheSame()
    {
        for (ulong pcid = 1; pcid < 40; pcid++)
        {
            bool other = pcid % 3 == 0;
            _f.Cpu.WriteControl(3, (other ? OtherRoot : Root) | pcid | NoFlush);
            Assert.Equal(other ? 2UL : 1UL, Value);
        }

        for (ulong pcid = 39; pcid > 0; pcid--)
        {
            bool other = pcid % 3 == 0;
            _f.Cpu.WriteControl(3, (other ? OtherRoot : Root) | pcid | NoFlush);
            Assert.Equal(other ? 2UL : 1UL, Value);
        }
    }

    // An access across a page end looks for the second page in the first one's entry. Where both have the same one, that must not be a hit:
    // it would reach the bytes in front of the second page in host memory.
    [Theory]
    [InlineData(0x1000UL)]
    [InlineData(0x20_0000UL)]
    [InlineData(0x8_0000_0000UL)]
    [InlineData(0x10_0000_0000UL)]
    [InlineData(0x100_0000_0000UL)]
    [InlineData(0x8000_0000_0000UL - 0x10_0000_0000UL)]
    public void AccessAcrossAPageEnd_IsNoHitInTheSecondPage(ulong second)
    {
        Map(second - 0x1000, Old);
        Map(second, New);
        _f.Write(Old + 0xff8, 0x1111_1111_1111_1111);
        _f.Write(New, 0x2222_2222_2222_2222);
        _f.Write(New - 8, 0x3333_3333_3333_3333);

        Assert.Equal(0x2222_2222_2222_2222UL, _f.Cpu.ReadLinear(second, 8));
        Assert.Equal(0x2222_2222_1111_1111UL, _f.Cpu.ReadLinear(second - 4, 8));

        _f.Cpu.WriteLinear(second, 0x4444_4444_4444_4444, 8);
        _f.Cpu.WriteLinear(second - 4, 0x5555_5555_6666_6666, 8);
        Assert.Equal(0x6666_6666_1111_1111UL, _f.Read(Old + 0xff8));
        Assert.Equal(0x4444_4444_5555_5555UL, _f.Read(New));
        Assert.Equal(0x3333_3333_3333_3333UL, _f.Read(New - 8));
    }

    [Fact]
    public void PagesThatFollowEachOther_ShareATlbEntryOnlyAtMultiplesOf32GiB()
    {
        for (int bit = 12; bit < 35; bit++)
        {
            Assert.NotEqual(TlbEntry.IndexOf((1UL << bit) - 1), TlbEntry.IndexOf(1UL << bit));
        }
    }

    // Four levels of tables of its own for each page.
    private void Map(ulong linear, ulong physical)
    {
        ulong table = Root;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            ulong entry = table + (((linear >> shift) & 511) * 8);
            if ((_f.Read(entry) & 1) == 0)
            {
                _f.Write(entry, _nextTable | 7);
                _nextTable += 0x1000;
            }

            table = _f.Read(entry) & ~0xfffUL;
        }

        _f.Write(table + (((linear >> 12) & 511) * 8), physical | 7);
    }

    private void CacheAndChange()
    {
        Assert.Equal(1UL, Value);
        _f.Write(Leaf, New | 7);
    }
}
