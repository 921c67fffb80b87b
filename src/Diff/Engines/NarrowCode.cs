using System.Globalization;
using System.Runtime.InteropServices;
using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>What code of 16 and 32 bits needs in a 64-bit process of Linux.</summary>
internal static unsafe partial class NarrowCode
{
    private const long ModifyLdt = 154; // x86-64 system call number
    private const nint WriteEntry = 0x11;
    private const uint DataContents = 0;
    private const uint CodeContents = 2 << 1;
    private const uint Usable = 1 << 6;
    private const ulong ReachOf32Bits = 1UL << 32;

    /// <summary>Makes the segments of 16-bit code; makes sure that wild addresses of narrow code hit nothing of this process.</summary>
    /// <exception cref="DiffOptionException">This process cannot run such code.</exception>
    public static void Allow(int bitness)
    {
        if (bitness == 32 && LowMapping() is string mapping)
        {
            throw new DiffOptionException($"--engines: native runs no 32-bit code here: the process has memory that it could reach, {mapping}");
        }

        if (bitness == 16)
        {
            const uint Memory = (uint)CaseLayout.Base;
            SetEntry(DriverCode.LocalCode16Selector >> 3, Memory + CaseLayout.SlotsOffset, CodeContents);
            SetEntry(DriverCode.LocalData16Selector >> 3, Memory, DataContents);
        }
    }

    // The first mapping below 4 GiB that is not the cases' memory.
    private static string? LowMapping()
    {
        foreach (string line in File.ReadLines("/proc/self/maps"))
        {
            ulong start = ulong.Parse(line.AsSpan(0, line.IndexOf('-')), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (start < ReachOf32Bits && start - CaseLayout.Base >= CaseLayout.Size)
            {
                return line;
            }
        }

        return null;
    }

    private static void SetEntry(uint number, uint start, uint contents)
    {
        var entry = new UserDescriptor { Number = number, Base = start, Limit = 0xffff, Bits = contents | Usable };
        if (SystemCall(ModifyLdt, WriteEntry, &entry, sizeof(UserDescriptor)) != 0)
        {
            throw new DiffOptionException($"--mode 16: the kernel gives no 16-bit segments (modify_ldt: error {Marshal.GetLastPInvokeError()}); compare --engines tier0,jit");
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, nint function, UserDescriptor* entry, nint size);

    /// <summary>struct user_desc. Bits: 0 32-bit, 2:1 contents, 3 not writable or readable, 4 limit in pages, 5 not present, 6 usable.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct UserDescriptor
    {
        public uint Number;
        public uint Base;
        public uint Limit;
        public uint Bits;
    }
}
