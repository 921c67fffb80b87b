using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Emu.Compare;

/// <summary>The machines' processes. None outlives the comparison, whatever signal ends it.</summary>
internal static class Children
{
    private static readonly ConcurrentDictionary<Process, bool> Running = new();

    /// <summary>Starts the process of <paramref name="spec"/> with its input and output redirected.</summary>
    /// <exception cref="CompareException">The program cannot be started.</exception>
    public static Process Start(MachineSpec spec)
    {
        try
        {
            var start = new ProcessStartInfo(spec.Command[0], spec.Command.Skip(1)) { RedirectStandardInput = true, RedirectStandardOutput = true };
            Process process = Process.Start(start)!;
            Running.TryAdd(process, true);
            return process;
        }
        catch (Win32Exception exception)
        {
            throw new CompareException($"{spec.Command[0]} does not start: {exception.Message}");
        }
    }

    /// <summary>Ends <paramref name="process"/> if it still runs, and waits for it.</summary>
    public static void End(Process process)
    {
        if (!process.HasExited)
        {
            process.Kill();
        }

        process.WaitForExit();
        Running.TryRemove(process, out _);
    }

    /// <summary>Until disposed, a signal that ends this process ends its children first.</summary>
    public static IDisposable EndOnSignals()
    {
        PosixSignalRegistration[] registrations =
        [
            .. ((PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP]).Select(signal => PosixSignalRegistration.Create(signal, _ => EndAll())),
        ];
        return new Registrations(registrations);
    }

    private static void EndAll()
    {
        foreach (Process process in Running.Keys)
        {
            process.Kill();
        }
    }

    private sealed class Registrations(PosixSignalRegistration[] registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (PosixSignalRegistration registration in registrations)
            {
                registration.Dispose();
            }
        }
    }
}
