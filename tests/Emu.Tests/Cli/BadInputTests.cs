using System.Net.Sockets;
using Emu.Machine;
using Emu.Tests.Loaders;

namespace Emu.Tests.Cli;

/// <summary>Files that are there for <see cref="BadInputTests"/>; the names in braces in its rows are these.</summary>
public sealed class BadInputFiles : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("emu-bad-input-").FullName;

    /// <summary>Makes the files.</summary>
    public BadInputFiles()
    {
        byte[] kernel = LinuxLoaderTests.Kernel();
        byte[] random = new byte[100_000];
        new Random(1).NextBytes(random);
        Write("kernel", kernel);
        Write("cut", kernel[..(kernel.Length / 2)]);
        Write("stub", kernel[..0x210]);
        Write("elf-cut", ElfBuilder.Elf64(0x10_0010)[..0x1010]);
        Write("empty", []);
        Write("random", random);
        Write("image", [0xf4]);
        Write("big", new byte[3 << 20]);
        Directory.CreateDirectory(Path.Combine(_folder, "folder"));
    }

    /// <summary>Replaces names in braces by paths.</summary>
    public string Expand(string text) => text.Replace("{", _folder + Path.DirectorySeparatorChar, StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, byte[] content) => File.WriteAllBytes(Path.Combine(_folder, name), content);
}

public sealed class BadInputTests(BadInputFiles files) : IClassFixture<BadInputFiles>
{
    private const string Loader = "-device loader,file={image},addr=0x1000,cpu-num=0";

    [Theory]
    // Images.
    [InlineData("-kernel {missing}", "-kernel: {missing}: no such kernel")]
    [InlineData("-kernel {empty}", "-kernel: {empty}: the kernel is empty")]
    [InlineData("-kernel {folder}", "-kernel: {folder}: the kernel is a directory")]
    [InlineData("-kernel {random}", "-kernel: {random}: ")]
    [InlineData("-kernel {stub}", "-kernel: {stub}: truncated: ")]
    [InlineData("-kernel {cut}", "-kernel: {cut}: truncated: ")]
    [InlineData("-kernel {elf-cut}", "-kernel: {elf-cut}: truncated: ")]
    [InlineData("-kernel {kernel} -m 1", "-kernel: {kernel}: too little memory")]
    [InlineData("-kernel {kernel} -initrd {missing}", "-initrd: {missing}: no such initial RAM disk")]
    [InlineData("-kernel {kernel} -initrd {empty}", "-initrd: {empty}: the initial RAM disk is empty")]
    [InlineData("-kernel {kernel} -initrd {folder}", "-initrd: {folder}: the initial RAM disk is a directory")]
    [InlineData("-kernel {kernel} -initrd {big} -m 33", "-kernel: {kernel}: too little memory: no room for ")]
    [InlineData("-bios {missing}", "-bios: {missing}: no such firmware")]
    [InlineData("-bios {empty}", "-bios: {empty}: the firmware is empty")]
    [InlineData("-bios {folder}", "-bios: {folder}: the firmware is a directory")]
    [InlineData("-bios {random}", "-bios: random: a firmware image has a multiple of 64 KiB")]
    [InlineData("-kernel {kernel} -bios {random}", "-kernel: cannot be combined with -bios")]
    [InlineData("-device loader,file={missing},addr=0x1000,cpu-num=0", "-device: {missing}: no such image")]
    [InlineData("-device loader,file={empty},addr=0x1000,cpu-num=0", "-device: {empty}: the image is empty")]
    [InlineData("-device loader,file={image},addr=0x40000000,cpu-num=0", "-device: loader: with cpu-num=0 the image starts in real mode")]
    [InlineData("-device loader,file={image},addr=0xa0000 " + Loader, "-device: {image}: the image needs 0x1 bytes at 0xa0000")]
    [InlineData("-device loader,file={image},addr=0x2000", "-device: loader: nothing says where the CPU starts")]
    [InlineData("-m 512", "-kernel: there is nothing to run")]
    // Resources.
    [InlineData(Loader + " -device isa-debug-exit,iobase=0x3f8", "-device: isa-debug-exit cannot have ports 0x3f8-0x3f9")]
    [InlineData(Loader + " -m 90000G", "-m: ")]
    [InlineData(Loader + " -mem-path {missing}", "-mem-path: ")]
    [InlineData(Loader + " -mem-path {image}", "-mem-path: ")]
    [InlineData(Loader + " -serial file:{missing}/x", "-serial: cannot use {missing}/x")]
    [InlineData(Loader + " -serial unix:{missing}", "-serial: cannot use {missing}")]
    [InlineData(Loader + " -debugcon file:{folder}", "-debugcon: cannot use {folder}")]
    [InlineData(Loader + " -d int -D {folder}", "-D: cannot write {folder}")]
    // Disks and PCI devices.
    [InlineData(Loader + " -drive file={missing},if=virtio", "-drive: {missing}: there is no such file")]
    [InlineData(Loader + " -drive file={folder},if=virtio", "-drive: {folder}: permission denied, or it is a folder")]
    [InlineData(Loader + " -drive if=virtio", "-drive: needs file=PATH")]
    [InlineData("-hda {missing}", "-hda: {missing}: ")]
    [InlineData("{missing}", "-hda: {missing}: ")]
    [InlineData(Loader + " -drive file={image},if=floppy", "-drive: if=floppy is not there yet; there is ide, virtio and none")]
    [InlineData(Loader + " -device ide-hd", "-device: ide-hd: needs drive=ID")]
    [InlineData(Loader + " -device ide-cd,bus=ide.2", "-device: ide-cd: there is no bus 'ide.2'; there is ide.0 and ide.1")]
    [InlineData(Loader + " -device ide-cd,unit=1,bus=ide.0 -device ide-cd,id=b,unit=1,bus=ide.0", "-device: ide-cd: there is an IDE drive at that bus and unit already")]
    [InlineData(Loader + " -device ide-cd,bootindex=1 -device ide-cd,id=b,bootindex=1", "-device: ide-cd: bootindex=1 is given twice")]
    [InlineData(Loader + " -drive file={image},if=virtio,frobnicate=1", "-drive: unknown property 'frobnicate'; there is file, if")]
    [InlineData(Loader + " -drive file={image},if=virtio,format=vdi", "-drive: image format 'vdi' is not supported; there is raw, qcow2")]
    [InlineData(Loader + " -drive file={image},if=virtio,cache=hot", "-drive: cache='hot' is none of writeback")]
    [InlineData(Loader + " -drive file={image},if=virtio,readonly=perhaps", "-drive: readonly='perhaps' is neither on nor off")]
    [InlineData(Loader + " -drive file={image},if=none,id=a -drive file={image},if=none,id=a", "-drive: id 'a' is given twice")]
    [InlineData(Loader + " -drive file={image},if=none,id=a,serial=x", "-drive: serial= goes with if=ide and if=virtio")]
    [InlineData(Loader + " -device virtio-blk-pci", "-device: virtio-blk-pci: needs drive=ID")]
    [InlineData(Loader + " -device virtio-blk-pci,drive=d9", "-device: virtio-blk-pci: there is no drive 'd9'")]
    [InlineData(Loader + " -device virtio-blk-pci,frobnicate=1", "-device: device 'virtio-blk-pci' has no property 'frobnicate'")]
    [InlineData(Loader + " -drive file={big},if=none,id=a,readonly=on -device virtio-blk-pci,drive=a,queue-size=100", "-device: virtio-blk-pci: queue-size=100 is not a power of two")]
    [InlineData(Loader + " -drive file={big},if=none,id=a,readonly=on -device virtio-blk-pci,drive=a,num-queues=0", "-device: virtio-blk-pci: num-queues='0' is not a number from 1 to 64")]
    [InlineData(Loader + " -drive file={big},if=none,id=a,readonly=on -device virtio-blk-pci,drive=a -device virtio-blk-pci,drive=a", "-device: virtio-blk-pci: drive 'a' is used by two devices")]
    [InlineData(Loader + " -device virtio-rng-pci,addr=1.0", "-device: virtio-rng-pci: PCI address 01.0 is taken")]
    [InlineData(Loader + " -device virtio-rng-pci,addr=20", "-device: virtio-rng-pci: addr='20' is not a place on the PCI bus")]
    [InlineData(Loader + " -device virtio-rng-pci,packed=maybe", "-device: virtio-rng-pci: packed='maybe' is neither on nor off")]
    [InlineData(Loader + " -device virtio-rng-pci,id=a -device virtio-net-pci,id=a", "-device: virtio-net-pci: there is a device 'a' already")]
    [InlineData(Loader + " -device virtio-net-pci,netdev=n0", "-device: virtio-net-pci: there is no network 'n0'")]
    [InlineData(Loader + " -device virtio-net-pci,mac=01:00:00:00:00:00", "-device: virtio-net-pci: mac='01:00:00:00:00:00' is not an address of one card")]
    [InlineData(Loader + " -device ide-cd,id=a -device ide-cd,id=a", "-device: ide-cd: there is a device 'a' already")]
    // The machine without PCI.
    [InlineData(Loader + " -M microvm,hpet=off", "-machine: machine 'microvm' has no property 'hpet'; it has accel, acpi, auto-kernel-cmdline")]
    [InlineData(Loader + " -M microvm,pit=perhaps", "-machine: pit='perhaps' is neither on nor off")]
    [InlineData(Loader + " -M microvm -device virtio-rng-pci", "-device: virtio-rng-pci: machine 'microvm' has no place for it")]
    [InlineData(Loader + " -M microvm -drive file={big},if=virtio,readonly=on,bootindex=1", "-device: virtio-blk-device: machine 'microvm' runs no firmware; leave out bootindex")]
    [InlineData(Loader + " -M microvm -drive file={big},readonly=on", "-device: ide-hd: machine 'microvm' has no place for it")]
    [InlineData(Loader + " -M microvm -serial null -serial null", "-serial: a microvm has at most 1 serial port, not 2")]
    [InlineData("-M microvm -hda {big}", "-kernel: machine 'microvm' runs no firmware")]
    [InlineData(Loader + " -device virtio-blk-device", "-device: virtio-blk-device: machine 'pc' has no place for it")]
    // Names.
    [InlineData("-frobnicate", "-frobnicate: unknown option")]
    [InlineData("-kernal x", "-kernal: unknown option; did you mean -kernel?")]
    [InlineData("-fda disk.img", "-fda: an option of QEMU that emu does not have yet")]
    [InlineData(Loader + " -device e1000", "-device: unknown device 'e1000'")]
    [InlineData(Loader + " -cpu pentium", "-cpu: unknown CPU model 'pentium'")]
    [InlineData(Loader + " -cpu max,+frobnicate", "-cpu: ")]
    [InlineData(Loader + " -cpu qemu64,frobnicate=on", "-cpu: ")]
    [InlineData(Loader + " -machine q36", "-machine: unknown machine 'q36'")]
    [InlineData(Loader + " -accel hax", "-accel: unknown accelerator 'hax'")]
    [InlineData(Loader + " -accel tcg,frobnicate=1", "-accel: accelerator 'tcg' has no property 'frobnicate'")]
    [InlineData(Loader + " -accel tcg,tb-threshold=-1", "-accel: tb-threshold='-1' is not a number from 0 to 1000000000")]
    [InlineData(Loader + " -accel tcg,tb-threshold=1000000001", "-accel: tb-threshold='1000000001' is not a number from 0 to 1000000000")]
    [InlineData(Loader + " -accel tcg,region-size=0", "-accel: region-size='0' is not a number from 1 to 300")]
    [InlineData(Loader + " -accel tcg,region-size=301", "-accel: region-size='301' is not a number from 1 to 300")]
    [InlineData(Loader + " -accel tcg,jit=maybe", "-accel: jit='maybe' is neither on nor off")]
    [InlineData(Loader + " --jit-off shift,string", "--jit-off: unknown family 'string'; there is memory, alu, shift")]
    [InlineData(Loader + " -dfilter 0x1000", "-dfilter: '0x1000' is not a range")]
    [InlineData(Loader + " -d frobnicate", "-d: unknown log item 'frobnicate'")]
    [InlineData(Loader + " -smp 0", "-smp: ")]
    [InlineData(Loader + " -m lots", "-m: ")]
    public void CommandLine_Wrong_IsOneLineNamingTheOption_AndExitCode1(string line, string expected)
    {
        EmuOutcome outcome = EmuProcess.Run(line.Split(' ').Select(files.Expand));

        Assert.StartsWith($"emu: {files.Expand(expected)}", outcome.Errors, StringComparison.Ordinal);
        Assert.EndsWith("\n", outcome.Errors, StringComparison.Ordinal);
        Assert.Equal(1, outcome.Errors.Count(c => c == '\n'));
        Assert.DoesNotContain("   at ", outcome.Errors, StringComparison.Ordinal);
        Assert.Equal((1, ""), (outcome.ExitCode, outcome.Output));
    }

    [UnixFact]
    public void Kvm_DeviceThatCannotBeOpened_IsOneReasonNamingIt()
    {
        // Nobody, not even root, can open a socket as a file.
        string path = Path.Combine(Path.GetTempPath(), $"emu-kvm-{Environment.ProcessId}");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        try
        {
            string? reason = KvmAvailability.WhyNot(path);

            Assert.StartsWith($"{path} cannot be opened: ", reason, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', reason!);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [UnixFact(AsRoot = false)]
    public void Kvm_DeviceOfAnotherUser_NamesTheGroup()
    {
        string path = Path.GetTempFileName();
        try
        {
#pragma warning disable CA1416 // Skipped where there are no such modes.
            File.SetUnixFileMode(path, UnixFileMode.None);
#pragma warning restore CA1416

            Assert.Equal($"{path} may not be opened by this user: join its group (usually kvm)", KvmAvailability.WhyNot(path));
        }
        finally
        {
            File.Delete(path);
        }
    }
}
