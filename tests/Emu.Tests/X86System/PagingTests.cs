using Emu.Frontend.SoftMmu;
using Emu.Frontend.X86;

namespace Emu.Tests.X86System;

public sealed unsafe class PagingTests : IDisposable
{
    private const ulong Root = 0x10_0000;
    private const ulong Second = 0x10_1000;
    private const ulong Third = 0x10_2000;
    private const ulong Fourth = 0x10_3000;

    private readonly SystemFixture _f = new();

    public void Dispose() => _f.Dispose();

    [Fact]
    public void NoPaging_LinearAddress_IsPhysicalAndWraps32Bits()
    {
        Assert.True(Translate(0x1_0001_2345, MmuAccess.Write, MmuMode.User, out PageTranslation page));
        Assert.Equal(new PageTranslation(0x1_2000, TlbPageFlags.Read | TlbPageFlags.Write), page);
    }

    [Fact]
    public void Legacy_4KPage_SetsAccessedAndLaterDirty()
    {
        Enable32(pse: false);
        _f.Write(Root + (3 * 4), Second | 7, 4);
        _f.Write(Second + (5 * 4), 0x0040_0007, 4);
        ulong linear = (3UL << 22) | (5UL << 12) | 0x123;

        Assert.True(Translate(linear, MmuAccess.Read, MmuMode.User, out PageTranslation read));
        Assert.Equal(new PageTranslation(0x40_0000, TlbPageFlags.Read), read);
        Assert.Equal(0x27UL, _f.Read(Root + 12, 4) & 0xfff);
        Assert.Equal(0x27UL, _f.Read(Second + 20, 4) & 0xfff);

        Assert.True(Translate(linear, MmuAccess.Write, MmuMode.User, out PageTranslation write));
        Assert.Equal(TlbPageFlags.Read | TlbPageFlags.Write, write.Flags);
        Assert.Equal(0x67UL, _f.Read(Second + 20, 4) & 0xfff);
    }

    [Fact]
    public void Legacy_4MPage_TakesPse36BitsAndFaultsOnBit21()
    {
        Enable32(pse: true);
        _f.Write(Root, 0x0080_0000 | (0x12 << 13) | 0x83, 4);
        _f.Write(Root + 4, 0x0080_0000 | (1 << 21) | 0x83, 4);

        Assert.True(Translate(0x12_3456, MmuAccess.Read, MmuMode.Supervisor, out PageTranslation page));
        Assert.Equal(0x12_0092_3000UL, page.PhysicalPage);
        Assert.True((page.Flags & TlbPageFlags.Large) != 0);
        AssertFault(0x40_0000, MmuAccess.Read, MmuMode.Supervisor, 9);
    }

    [Fact]
    public void Legacy_PsBitWithoutPse_IsATable()
    {
        Enable32(pse: false);
        _f.Write(Root, Second | 0x83, 4);
        _f.Write(Second, 0x0030_0003, 4);

        Assert.True(Translate(0, MmuAccess.Read, MmuMode.Supervisor, out PageTranslation page));
        Assert.Equal(0x30_0000UL, page.PhysicalPage);
    }

    [Fact]
    public void Pae_UsesTheCachedPdptes()
    {
        _f.Write(Root + 8, Second | 1);
        _f.Write(Second, Third | 7);
        _f.Write(Third, 0x40_0007);
        EnablePae();
        _f.Write(Root + 8, 0);

        Assert.True(Translate(0x4000_0000, MmuAccess.Read, MmuMode.User, out PageTranslation page));
        Assert.Equal(0x40_0000UL, page.PhysicalPage);
        AssertFault(0, MmuAccess.Read, MmuMode.User, 4);
    }

    [Theory]
    [InlineData(0x10_1003UL)]
    [InlineData(0x8000_0000_0010_1001UL)]
    public void Pae_ReservedBitInPdpte_IsGeneralProtectionAtCr3Load(ulong entry)
    {
        EnablePae();
        _f.Write(Second, entry);

        Assert.Equal(X86Vector.GeneralProtection, _f.Fault(() => _f.Cpu.WriteControl(3, Second)).Vector);
        Assert.Equal(Root, _f.State->Cr3);
    }

    [Theory]
    [InlineData(0x10_2fffUL, 0x2f_f000UL, false)]
    [InlineData(0x3f_f123UL, 0x5f_f000UL, true)]
    public void FourLevel_PageSizes_Translate(ulong linear, ulong expected, bool large)
    {
        EnableLong();
        _f.Write(Root, Second | 7);
        _f.Write(Second, Third | 7);
        _f.Write(Third, Fourth | 7);
        _f.Write(Third + 8, 0x40_0087);
        _f.Write(Fourth + (0x102 * 8), 0x2f_f007);

        Assert.True(Translate(linear, MmuAccess.Read, MmuMode.User, out PageTranslation page));
        Assert.Equal(expected, page.PhysicalPage);
        Assert.Equal(large, (page.Flags & TlbPageFlags.Large) != 0);
    }

    [Fact]
    public void FourLevel_1GPage_TranslatesOnlyWithTheFeature()
    {
        EnableLong();
        _f.Write(Root, Second | 7);
        _f.Write(Second, 0x87);

        Assert.True(Translate(0x1234_5678, MmuAccess.Write, MmuMode.User, out PageTranslation page));
        Assert.Equal(0x1234_5000UL, page.PhysicalPage);
        Assert.Equal(0xe7UL, _f.Read(Second));

        using var small = new SystemFixture("qemu64");
        small.EnterLong();
        small.Write(Second, 0x87);
        Assert.False(small.Cpu.TryTranslate(0x1000, MmuAccess.Read, MmuMode.User, out _));
        Assert.Equal(0xdu, small.Cpu.PendingFault.ErrorCode);
    }

    [Theory]
    [InlineData(0x0000_0100_0000_0007UL)]
    [InlineData(0x0008_0000_0000_0007UL)]
    public void FourLevel_AddressBitsBeyondMaxphyaddr_AreReserved(ulong extra)
    {
        EnableLong();
        Map4K(extra | 0x40_0000);

        AssertFault(0, MmuAccess.Write, MmuMode.User, 0xf);
    }

    [Fact]
    public void FourLevel_NoExecuteBit_FaultsFetchesOrIsReservedWithoutNxe()
    {
        EnableLong();
        Map4K(0x8000_0000_0040_0007);

        AssertFault(0, MmuAccess.Execute, MmuMode.User, 0x15);
        Assert.True(Translate(0, MmuAccess.Read, MmuMode.User, out _));
        _f.State->Efer &= ~ControlBits.EferNxe;
        AssertFault(0, MmuAccess.Read, MmuMode.User, 0xd);
    }

    [Fact]
    public void FourLevel_NotPresent_ReportsAccessAndAddressWithoutTouchingCr2()
    {
        EnableLong();

        AssertFault(0xffff_8000_0000_1234, MmuAccess.Write, MmuMode.User, 6);
        Assert.Equal(0xffff_8000_0000_1234UL, _f.Cpu.PendingFault.LinearAddress);
        Assert.Equal(0UL, _f.State->Cr2);
    }

    [Fact]
    public void FourLevel_NotCanonical_IsGeneralProtection()
    {
        EnableLong();

        Assert.False(Translate(0x8000_0000_0000, MmuAccess.Read, MmuMode.Supervisor, out _));
        Assert.Equal(new X86Fault(X86Vector.GeneralProtection, 0, LinearAddress: 0x8000_0000_0000), _f.Cpu.PendingFault);
    }

    [Fact]
    public void ReadOnlyPage_SupervisorWrite_DependsOnWp()
    {
        EnableLong();
        Map4K(0x40_0001);

        AssertFault(0, MmuAccess.Write, MmuMode.Supervisor, 3);
        _f.State->Cr0 &= ~ControlBits.Cr0Wp;
        Assert.True(Translate(0, MmuAccess.Write, MmuMode.Supervisor, out _));
        AssertFault(0, MmuAccess.Read, MmuMode.User, 5);
    }

    [Fact]
    public void Smep_SupervisorFetchOfUserPage_Faults()
    {
        EnableLong();
        Map4K(0x40_0007);

        Assert.True(Translate(0, MmuAccess.Execute, MmuMode.Supervisor, out _));
        _f.State->Cr4 |= ControlBits.Cr4Smep;
        AssertFault(0, MmuAccess.Execute, MmuMode.Supervisor, 0x11);
        Assert.True(Translate(0, MmuAccess.Execute, MmuMode.User, out _));
    }

    [Fact]
    public void Smap_SupervisorDataAccessToUserPage_FaultsUnlessAcSet()
    {
        EnableLong();
        Map4K(0x40_0007);
        _f.Cpu.WriteControl(4, _f.State->Cr4 | ControlBits.Cr4Smap);

        AssertFault(0, MmuAccess.Read, _f.Cpu.Mmu.Mode, 1);
        _f.Cpu.SetAlignmentCheck(true);
        Assert.True(Translate(0, MmuAccess.Read, _f.Cpu.Mmu.Mode, out _));
        Assert.Equal(MmuMode.SupervisorNoSmap, _f.Cpu.Mmu.Mode);
        AssertFault(0, MmuAccess.Write, MmuMode.Supervisor, 3);
    }

    [Fact]
    public void GlobalPage_SurvivesCr3WriteOnlyWithPge()
    {
        EnableLong();
        Map4K(0x40_0107);
        Assert.True(Translate(0, MmuAccess.Read, MmuMode.Supervisor, out PageTranslation without));
        Assert.Equal(TlbPageFlags.None, without.Flags & TlbPageFlags.Global);

        _f.Cpu.WriteControl(4, _f.State->Cr4 | ControlBits.Cr4Pge);
        _f.Write(0x40_0000, 0x1111);
        Assert.Equal(0x1111UL, _f.Cpu.ReadLinear(0, 8));
        _f.Write(Fourth, 0x50_0107);
        _f.Cpu.WriteControl(3, Root);
        Assert.Equal(0x1111UL, _f.Cpu.ReadLinear(0, 8));
        _f.Cpu.Invlpg(0);
        Assert.Equal(0UL, _f.Cpu.ReadLinear(0, 8));
    }

    [Fact]
    public void Tables_OutsideRam_FaultWithoutHarm()
    {
        EnableLong();
        _f.State->Cr3 = 0xff_0000_0000;

        // Nothing there reads as all ones: present, with reserved bits set.
        AssertFault(0, MmuAccess.Write, MmuMode.User, 0xf);
    }

    private bool Translate(ulong linear, MmuAccess access, MmuMode mode, out PageTranslation page) => _f.Cpu.TryTranslate(linear, access, mode, out page);

    private void AssertFault(ulong linear, MmuAccess access, MmuMode mode, uint error)
    {
        Assert.False(Translate(linear, access, mode, out _));
        Assert.Equal(new X86Fault(X86Vector.PageFault, error, LinearAddress: linear), _f.Cpu.PendingFault);
    }

    private void Enable32(bool pse)
    {
        _f.EnterProtected();
        _f.State->Cr3 = Root;
        _f.State->Cr4 = pse ? ControlBits.Cr4Pse : 0;
        _f.State->Cr0 |= ControlBits.Cr0Pg;
    }

    private void EnablePae()
    {
        _f.State->Cr4 = ControlBits.Cr4Pae;
        _f.State->Cr3 = Root;
        _f.Cpu.WriteControl(0, 1 | ControlBits.Cr0Pg);
    }

    private void EnableLong()
    {
        _f.EnterLong();
        for (ulong address = Root; address < Fourth + 0x1000; address += 8)
        {
            _f.Write(address, 0);
        }

        _f.Cpu.Mmu.Flush(true);
    }

    private void Map4K(ulong leaf)
    {
        _f.Write(Root, Second | 7);
        _f.Write(Second, Third | 7);
        _f.Write(Third, Fourth | 7);
        _f.Write(Fourth, leaf);
    }
}
