using Emu.Block.Files;
using Emu.Block.Qcow2;
using Emu.Core.Block;

namespace Emu.Block;

/// <summary>The <c>-snapshot</c> of QEMU: a qcow2 overlay in a temporary file, which nothing is left of afterwards.</summary>
internal static class TemporaryOverlay
{
    /// <summary>An overlay over <paramref name="image"/>, which it takes over.</summary>
    /// <exception cref="BlockException">The temporary file cannot be made.</exception>
    public static IBlockBackend Over(IBlockBackend image)
    {
        HostFile file = HostFile.CreateTemporary();
        try
        {
            Qcow2Creator.Create(file, image.Length, new Qcow2Options(), backing: null);
            return Qcow2Image.Open(file, image);
        }
        catch (BlockException)
        {
            file.Dispose();
            throw;
        }
    }
}
