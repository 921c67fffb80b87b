using System.Diagnostics;
using Emu.Devices.Display;
using Emu.Machine;
using Emu.Machine.Display;
using Emu.Tests.Display;

namespace Emu.Tests.Debian;

/// <summary>The Debian kernel's console on a VGA: read back, drawn, saved; and typed into through the monitor.</summary>
[Collection(AloneCollection.Name)]
public sealed class DebianDisplayTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [DebianFact]
    public void Kernel_WritesToTheVga_ScreendumpShowsIt_AndKeysArriveInTheShell()
    {
        using var guest = new DebianMachine("qemu64", append: "console=tty0", devices: [new DeviceSpec("VGA")]);
        GuestDisplay display = guest.Pc.Display!;
        WaitFor(display, text => text.Contains("Run /init as init process", StringComparison.Ordinal) && text.Contains(DebianImage.ReadyMarker, StringComparison.Ordinal));
        WaitFor(display, text => text.Split('\n').Any(line => line.EndsWith("emu-guest#", StringComparison.Ordinal)));

        // $((6*7)) is the shell's work, not an echo.
        foreach (string key in "e c h o spc shift-4 shift-9 shift-9 6 shift-8 7 shift-0 shift-0 ret".Split(' '))
        {
            Assert.Equal("", guest.Monitor.Execute($"sendkey {key}"));
        }

        WaitFor(display, text => text.Split('\n').Contains("42"));
        string file = Path.Combine(Path.GetTempPath(), $"emu-screen-{Guid.NewGuid():N}.png");
        try
        {
            Assert.Equal("", guest.Monitor.Execute("stop"));
            Assert.Equal("", guest.Monitor.Execute($"screendump {file}"));
            uint[] pixels = PictureFileTests.Decode(File.ReadAllBytes(file), out int width, out int height);
            Assert.Equal((720, 400), (width, height));

            // The line with 42: grey dots in its first two cells, black behind.
            int row = Array.IndexOf(display.ReadText()!.ToString().Split('\n'), "42");
            uint[] cell = [.. Enumerable.Range(0, 16 * 18).Select(i => pixels[(((row * 16) + (i / 18)) * width) + (i % 18)])];
            Assert.Equal([0u, 0xaaaaaau], cell.Distinct().Order());
            Assert.Contains("paused", guest.Monitor.Execute("info status"), StringComparison.Ordinal);
            Assert.Contains("1234:1111", guest.Monitor.Execute("info pci"), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static void WaitFor(GuestDisplay display, Func<string, bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        string text = "";
        while (Stopwatch.GetElapsedTime(start) < Limit)
        {
            text = display.ReadText()?.ToString() ?? "(graphics)";
            if (condition(text))
            {
                return;
            }

            Thread.Sleep(50);
        }

        Assert.Fail("the screen shows\n" + text);
    }
}
