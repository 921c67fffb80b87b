using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Emu.Diff.Cases;

namespace Emu.Diff.Engines;

/// <summary>
/// The host's processor inside this process: memory at the linear addresses of the cases, the driver called like a C function. A signal
/// handler turns exceptions of a case into a result. Code of 16 and 32 bits is entered by a far jump and runs in the same memory. One instance
/// at a time: addresses and signal handlers are the process's.
/// </summary>
internal sealed unsafe partial class NativeEngine : IDiffEngine
{
    private const int SaOnStack = 0x0800_0000;
    private const int SaSigInfo = 4;
    private const int PrivateAnonymousFixed = 0x10_0022; // MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
    private const int ReadExecute = 5;
    private const int ReadWriteExecute = 7;

    // SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV.
    private static readonly int[] Signals = [4, 5, 7, 8, 11];
    private static readonly Lock Gate = new();
    private static byte* s_memory;
    private static bool s_taken;

    private static int s_bitness;

    private readonly int _bitness;
    private readonly DriverCode _driver;

    /// <summary>Maps the memory, the first time, and installs driver and handler.</summary>
    /// <exception cref="DiffOptionException">The process cannot run code of so many bits.</exception>
    public NativeEngine(int bitness)
    {
        _bitness = bitness;
        _driver = DriverCode.Create(bitness, native: true, controls: false);
        lock (Gate)
        {
            if (s_taken)
            {
                throw new InvalidOperationException("There is one native engine in a process at a time.");
            }

            if (s_memory == null)
            {
                Prepare();
            }

            if (s_bitness != bitness)
            {
                Install();
            }

            s_taken = true;
        }
    }

    /// <summary>Why cases cannot run here, or null.</summary>
    public static string? Unavailable => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx.IsSupported
        ? null
        : "needs an x64 Linux host with AVX: cases run on its processor";

    /// <inheritdoc/>
    public string Name => "native";

    /// <inheritdoc/>
    public string Description => "the host's processor in this process";

    /// <inheritdoc/>
    public bool IsSilicon => true;

    /// <inheritdoc/>
    public bool SetsControl => false;

    /// <inheritdoc/>
    public void Run(CaseBatch batch)
    {
        batch.Code.CopyTo(new Span<byte>(s_memory + CaseLayout.SlotsOffset, CaseLayout.SlotsBytes));
        batch.Inputs(batch.First, batch.Count).CopyTo(new Span<byte>(Result(batch.First), batch.Count * CaseRecord.Size));
        *(ulong*)(s_memory + DriverCells.Record) = CaseLayout.Base + CaseLayout.RecordsOffset + (ulong)(batch.First * CaseRecord.Size);
        *(ulong*)(s_memory + DriverCells.Count) = (ulong)batch.Count;
        ((delegate* unmanaged<void>)s_memory)();
    }

    /// <inheritdoc/>
    public CaseRecord* Result(int slot) => (CaseRecord*)(s_memory + CaseLayout.RecordsOffset) + slot;

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (Gate)
        {
            s_taken = false;
        }
    }

    private static void Prepare()
    {
        nint memory = MemoryMap((nint)CaseLayout.Base, CaseLayout.Size, ReadWriteExecute, PrivateAnonymousFixed, -1, 0);
        if (memory != (nint)CaseLayout.Base)
        {
            throw new InvalidOperationException($"The memory at {CaseLayout.Base:x} is taken by something else in this process.");
        }

        s_memory = (byte*)memory;
        BatchMemory.FillReadOnlyPage(new Span<byte>(s_memory, CaseLayout.Size));
        for (int page = 0; page < CaseLayout.Size / CaseLayout.PageSize; page++)
        {
            if (CaseLayout.AccessOf(page) is PageAccess access and not PageAccess.Write)
            {
                Check(Protect(memory + (page * CaseLayout.PageSize), CaseLayout.PageSize, access == PageAccess.Read ? ReadExecute : 0), "mprotect");
            }
        }
    }

    // The driver for this engine's mode, and what Linux has to know of it.
    private void Install()
    {
        NarrowCode.Allow(_bitness);
        Check(Protect((nint)s_memory, CaseLayout.PageSize, ReadWriteExecute), "mprotect");
        _driver.Bytes.CopyTo(new Span<byte>(s_memory, CaseLayout.PageSize));
        Check(Protect((nint)s_memory, CaseLayout.PageSize, ReadExecute), "mprotect");
        foreach (int signal in Signals)
        {
            var action = new SignalAction { Handler = (nint)_driver.SignalHandler, Flags = SaOnStack | SaSigInfo };
            SignalAction old = default;
            Check(SetSignalAction(signal, &action, &old), "sigaction");
            ref ulong kept = ref ((ulong*)(s_memory + DriverCells.OldHandlers))[signal];
            kept = kept == 0 ? (ulong)old.Handler : kept;
        }

        s_bitness = _bitness;
    }

    private static void Check(int result, string call)
    {
        if (result != 0)
        {
            throw new InvalidOperationException($"{call} failed with error {Marshal.GetLastPInvokeError()}.");
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial nint MemoryMap(nint address, nint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(nint address, nint length, int protection);

    [LibraryImport("libc", EntryPoint = "sigaction", SetLastError = true)]
    private static partial int SetSignalAction(int signal, SignalAction* action, SignalAction* old);

    /// <summary>glibc's struct sigaction.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct SignalAction
    {
        public nint Handler;
        public fixed ulong Mask[16];
        public int Flags;
        public nint Restorer;
    }
}
