using System.Numerics;
using Emu.Core;
using Emu.Core.Memory;
using Emu.Devices.Display;
using Emu.Machine.Display;

namespace Emu.Machine.Pc;

/// <content>The display adapter.</content>
internal sealed partial class PcBoard
{
    // Where QEMU has it, so that guests see the same address.
    private const int DisplayDevice = 2;
    private const int MostVideoMemory = 64;

    private readonly List<GuestRam> _videoMemory = [];
    private VgaCard? _vga;

    private bool HasVga => Config.Devices.Any(device => device.Driver == "VGA");

    private static bool IsDisplay(DeviceSpec spec) => spec.Driver is "VGA" or "bochs-display";

    private void AddDisplay(string name, DeviceSpec spec, DeviceProperties properties)
    {
        if (_vga is not null)
        {
            throw properties.Error($"there is a display adapter already ({_vga.Name}); keep one, or add -vga none");
        }

        bool hasVga = spec.Driver == "VGA";
        GuestRam memory = AllocateVideoMemory($"{name}-memory", (ulong)properties.PowerOfTwo("vgamem_mb", 16, 1, MostVideoMemory) << 20);
        _vga = Add(new VgaCard(name, hasVga, memory, LoadRom(name, hasVga, properties), Timers.Clock));
        if (hasVga)
        {
            MemoryMap.Root.Add(VgaCard.WindowAddress, _vga.Window);
            PortMap.Claim(VgaCard.FirstPort, _vga.Ports, "-device");
            PortMap.Claim(VgaCard.DispiPort, _vga.DispiPorts, "-device");
        }

        Plug(_vga.Function, properties, DisplayDevice);
        Display = new GuestDisplay(_vga, Host.Lock, Timers.Clock);
    }

    // Only firmware runs the ROM: without firmware a missing one matters to nobody, unless it was named.
    private MemoryRegion? LoadRom(string name, bool hasVga, DeviceProperties properties)
    {
        string? path = properties.Text("romfile");
        if (path is null && Plan.Rom is not null)
        {
            path = DisplayRom.Find(hasVga, Config.Boot);
            if (path is null)
            {
                Host.Notice($"{name}: no VGA BIOS found, so nothing is shown before an operating system sets a mode; name one with -device VGA,romfile=FILE");
            }
        }

        if (string.IsNullOrEmpty(path))
        {
            return null;
        }

        byte[] image = DisplayRom.Read(path, problem => properties.Error(problem));
        GuestRam rom = AllocateVideoMemory($"{name}-rom", Math.Max((uint)GuestPhysical.PageSize, BitOperations.RoundUpToPowerOf2((uint)image.Length)));
        rom.Write(0, image);
        return MemoryRegion.OfRom($"{name}-rom", rom, 0, rom.Size);
    }

    private GuestRam AllocateVideoMemory(string name, ulong size)
    {
        try
        {
            var memory = new GuestRam(name, size);
            _videoMemory.Add(memory);
            return memory;
        }
        catch (GuestMemoryException exception)
        {
            throw new MachineConfigException("-vga", exception.Message);
        }
    }

    // What a VGA BIOS would have done.
    private void SetUpTextMode()
    {
        using (Host.Lock.Enter())
        {
            _vga?.SetUpTextMode();
        }
    }

    /// <inheritdoc/>
    protected override void DisposeMemory()
    {
        base.DisposeMemory();
        _videoMemory.ForEach(memory => memory.Dispose());
    }
}
