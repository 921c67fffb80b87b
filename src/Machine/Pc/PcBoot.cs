using Emu.Core;
using Emu.Machine.Loaders;

namespace Emu.Machine.Pc;

/// <summary>
/// Turns what the user wants to run into one <see cref="BootPlan"/>: the loader's plan, raw images, and the ACPI tables that
/// firmware would have made.
/// </summary>
internal static class PcBoot
{
    /// <summary>
    /// Reads the images and lays them out. With nothing named but a disk, firmware is looked for. <paramref name="acpiTables"/> are
    /// placed when there is no firmware; a VGA is then in text mode.
    /// </summary>
    /// <exception cref="MachineConfigException">An image is missing or cannot be started; the option is named.</exception>
    public static BootPlan Plan(BootSpec boot, bool hasDisk, MemoryLayout layout, MemoryWrite? acpiTables, bool hasTextScreen)
    {
        if (boot.IsEmpty)
        {
            boot = hasDisk ? boot with { Bios = FirmwareFinder.FindDefault(boot) }
                : throw new MachineConfigException("-kernel", "there is nothing to run; add -kernel FILE, -hda FILE, -cdrom FILE, -bios FILE or -device loader,file=FILE,addr=ADDRESS,cpu-num=0");
        }

        BootPlan? main = (boot.Kernel, boot.Bios) switch
        {
            (not null, not null) => throw new MachineConfigException("-kernel", "cannot be combined with -bios yet; give one of them"),
            (string kernel, null) => ForOption("-kernel", () => PlanKernel(kernel, boot, layout, acpiTables, hasTextScreen)),
            (null, string bios) => ForOption("-bios", () => BiosLoader.Load(Path.GetFileName(bios), KernelLoader.ReadFile(FirmwareFinder.Locate(bios, boot), "firmware"))),
            _ => null,
        };
        BootPlan plan = AddFlatLoads(main, boot.FlatLoads, layout);
        return acpiTables is null || plan.Rom is not null ? plan : plan with { Writes = [.. plan.Writes, acpiTables] };
    }

    private static BootPlan PlanKernel(string path, BootSpec boot, MemoryLayout layout, MemoryWrite? acpiTables, bool hasTextScreen)
    {
        byte[] image = KernelLoader.ReadFile(path, "kernel");
        var options = new BootOptions
        {
            Layout = layout,
            CommandLine = boot.Append ?? "",
            Modules = boot.Initrd is null ? [] : ForOption("-initrd", () => ReadModules(boot.Initrd, KernelLoader.Detect(path, image))),
            RsdpAddress = acpiTables?.Address.Value ?? 0,
            HasTextScreen = hasTextScreen,
        };
        return KernelLoader.Load(path, image, options);
    }

    // Multiboot and PVH kernels take several modules, each with arguments after a space; Linux takes one file of any name.
    private static BootModule[] ReadModules(string initrd, KernelFormat format)
    {
        if (format == KernelFormat.Linux)
        {
            return [new BootModule(initrd, KernelLoader.ReadFile(initrd, "initial RAM disk"))];
        }

        return [.. initrd.Split(',').Select(text =>
        {
            int space = text.IndexOf(' ', StringComparison.Ordinal);
            string path = space < 0 ? text : text[..space];
            return new BootModule(path, KernelLoader.ReadFile(path, "module"), space < 0 ? "" : text[(space + 1)..]);
        })];
    }

    private static BootPlan AddFlatLoads(BootPlan? plan, IReadOnlyList<FlatLoadSpec> loads, MemoryLayout layout)
    {
        var writes = new List<MemoryWrite>(plan?.Writes ?? []);
        foreach (FlatLoadSpec load in loads)
        {
            BootPlan flat = ForOption("-device", () =>
                FlatLoader.Load(load.Path, load.Content?.ToArray() ?? KernelLoader.ReadFile(load.Path, "image"), layout, load.Address, cs: 0, ip: (ushort)load.Address));
            CheckFree(load, flat.Writes, writes);
            writes.AddRange(flat.Writes);
            if (load.StartsCpu)
            {
                plan = plan is null ? flat : throw new MachineConfigException("-device", "loader: cpu-num=0 and -kernel or -bios both say where the CPU starts; keep one");
            }
        }

        return plan is not null
            ? plan with { Writes = writes }
            : throw new MachineConfigException("-device", "loader: nothing says where the CPU starts; add cpu-num=0 to one of the loaders");
    }

    private static void CheckFree(FlatLoadSpec load, IReadOnlyList<MemoryWrite> added, List<MemoryWrite> present)
    {
        if (added.Any(write => present.Any(other => Overlap(write, other))))
        {
            throw new MachineConfigException("-device", $"loader: {load.Path} at 0x{load.Address:x} overlaps another image; choose another addr");
        }
    }

    private static bool Overlap(MemoryWrite left, MemoryWrite right) =>
        left.Address.Value < right.Address.Value + right.Length && right.Address.Value < left.Address.Value + left.Length;

    private static T ForOption<T>(string option, Func<T> load)
    {
        try
        {
            return load();
        }
        catch (LoaderException exception)
        {
            throw new MachineConfigException(option, exception.Message);
        }
    }
}
