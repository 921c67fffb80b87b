namespace Emu.Machine.Loaders;

/// <summary>Loads a binary without headers and starts it in real mode.</summary>
public static class FlatLoader
{
    /// <summary>Puts the image at <paramref name="address"/> (a physical address in conventional memory) and starts at <paramref name="cs"/>:<paramref name="ip"/>.</summary>
    /// <exception cref="LoaderException">The image is empty or does not fit.</exception>
    public static BootPlan Load(string name, ReadOnlyMemory<byte> image, MemoryLayout layout, ulong address, ushort cs, ushort ip)
    {
        if (image.IsEmpty)
        {
            throw new LoaderException($"{name}: the file is empty");
        }

        var map = new LoadMap(name, layout);
        map.Place(address, image, "the image");
        return new BootPlan { Kind = "flat binary", Writes = map.Writes, Cpu = InitialCpuState.RealMode(cs, ip) };
    }
}
