namespace Emu.Frontend.X86;

/// <summary>MSR indices (SDM vol. 4; AMD APM vol. 2, appendix A).</summary>
internal static class X86Msr
{
    public const uint Tsc = 0x10;
    public const uint PlatformId = 0x17;
    public const uint ApicBase = 0x1b;
    public const uint EblCrPoweron = 0x2a;
    public const uint TscAdjust = 0x3b;
    public const uint BiosSignature = 0x8b;
    public const uint MtrrCap = 0xfe;
    public const uint SysenterCs = 0x174;
    public const uint SysenterEsp = 0x175;
    public const uint SysenterEip = 0x176;
    public const uint McgCap = 0x179;
    public const uint McgStatus = 0x17a;
    public const uint McgCtl = 0x17b;
    public const uint PerfStatus = 0x198;
    public const uint MiscEnable = 0x1a0;
    public const uint DebugCtl = 0x1d9;
    public const uint MtrrPhysBase0 = 0x200;
    public const uint MtrrFix64K = 0x250;
    public const uint MtrrFix16K0 = 0x258;
    public const uint MtrrFix16K1 = 0x259;
    public const uint MtrrFix4K0 = 0x268;
    public const uint Pat = 0x277;
    public const uint MtrrDefType = 0x2ff;
    public const uint Mc0Ctl = 0x400;
    public const uint TscDeadline = 0x6e0;
    public const uint X2apicFirst = 0x800;
    public const uint X2apicLast = 0x8ff;
    public const uint Efer = 0xc000_0080;
    public const uint Star = 0xc000_0081;
    public const uint Lstar = 0xc000_0082;
    public const uint Cstar = 0xc000_0083;
    public const uint Fmask = 0xc000_0084;
    public const uint FsBase = 0xc000_0100;
    public const uint GsBase = 0xc000_0101;
    public const uint KernelGsBase = 0xc000_0102;
    public const uint TscAux = 0xc000_0103;
    public const uint AmdSyscfg = 0xc001_0010;
    public const uint AmdHwcr = 0xc001_0015;
    public const uint AmdTopMem2 = 0xc001_001d;
    public const uint AmdNbCfg = 0xc001_001f;
    public const uint AmdIntPending = 0xc001_0055;
}

/// <summary>An MSR that is only stored: nothing in the CPU depends on it.</summary>
/// <param name="Index">Index.</param>
/// <param name="Reset">Value after power-on.</param>
/// <param name="Writable">Bits that a write changes.</param>
/// <param name="Strict">A write that would change other bits is #GP(0); otherwise those bits are ignored.</param>
internal sealed record StoredMsr(uint Index, ulong Reset, ulong Writable, bool Strict);

/// <summary>The MSRs that are only stored.</summary>
internal static class StoredMsrs
{
    private const int VariableMtrrs = 8;
    private const int MachineCheckBanks = 10;
    private const ulong All = ulong.MaxValue;
    private const ulong Physical = (1UL << 40) - 1;

    /// <summary>The table, by index.</summary>
    public static readonly IReadOnlyDictionary<uint, StoredMsr> ByIndex = Rows().ToDictionary(row => row.Index);

    private static IEnumerable<StoredMsr> Rows() =>
    [
        new(X86Msr.PlatformId,    0,           0,       Strict: true),
        new(X86Msr.EblCrPoweron,  0,           0,       Strict: false),
        new(X86Msr.BiosSignature, 0x0100_0065, 0,       Strict: false),
        new(X86Msr.MtrrCap,       0x508,       0,       Strict: true),
        new(X86Msr.McgCap,        0x10a,       0,       Strict: true),
        new(X86Msr.McgStatus,     0,           7,       Strict: true),
        new(X86Msr.McgCtl,        All,         All,     Strict: true),
        new(X86Msr.PerfStatus,    0,           0,       Strict: false),
        new(X86Msr.DebugCtl,      0,           0,       Strict: false),
        new(X86Msr.MtrrFix64K,    0,           All,     Strict: true),
        new(X86Msr.MtrrFix16K0,   0,           All,     Strict: true),
        new(X86Msr.MtrrFix16K1,   0,           All,     Strict: true),
        new(X86Msr.MtrrDefType,   0,           0xcff,   Strict: true),
        new(X86Msr.AmdSyscfg,     0,           All,     Strict: true),
        new(X86Msr.AmdHwcr,       0,           All,     Strict: true),
        new(X86Msr.AmdTopMem2,    0,           Physical, Strict: true),
        new(X86Msr.AmdNbCfg,      0,           All,     Strict: true),
        new(X86Msr.AmdIntPending, 0,           All,     Strict: true),
        .. Enumerable.Range(0, 8).Select(i => new StoredMsr(X86Msr.MtrrFix4K0 + (uint)i, 0, All, Strict: true)),
        .. Enumerable.Range(0, VariableMtrrs).Select(i => new StoredMsr(X86Msr.MtrrPhysBase0 + (2 * (uint)i), 0, Physical & ~0xf00UL, Strict: true)),
        .. Enumerable.Range(0, VariableMtrrs).Select(i => new StoredMsr(X86Msr.MtrrPhysBase0 + (2 * (uint)i) + 1, 0, Physical & ~0x7ffUL, Strict: true)),
        .. Enumerable.Range(0, 4 * MachineCheckBanks).Select(i => new StoredMsr(X86Msr.Mc0Ctl + (uint)i, i % 4 == 0 ? All : 0, i % 4 == 0 ? All : 0, Strict: false)),
    ];
}
