using Emu.Cli.Options;
using Emu.Machine;

namespace Emu.Tests.Cli;

public sealed class EmuCommandLineTests
{
    [Fact]
    public void Parse_NoArguments_GivesTheDefaults()
    {
        MachineConfig config = Config("");

        Assert.Equal(128UL << 20, config.MemoryBytes);
        Assert.Equal("pc", config.Machine.Type);
        Assert.Equal("qemu64", config.CpuModel);
        Assert.Equal(["kvm", "tcg"], config.Accelerators.Select(accelerator => accelerator.Name));
        Assert.Equal(1, config.Smp.Cpus);
        Assert.True(config.Boot.IsEmpty);
        Assert.Equal([new CharSpec(CharKind.Stdio) { Mux = true }], config.Serials);
    }

    [Fact]
    public void Parse_DebianBootLine_IsUnderstoodWholly()
    {
        MachineConfig config = Parse("--accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-kernel", "vmlinuz", "-initrd", "initrd.img",
            "-append", "console=ttyS0 panic=-1").Config!;

        Assert.Equal(512UL << 20, config.MemoryBytes);
        Assert.True(config.NoReboot);
        Assert.Equal(("vmlinuz", "initrd.img", "console=ttyS0 panic=-1"), (config.Boot.Kernel, config.Boot.Initrd, config.Boot.Append));
        Assert.Equal([new CharSpec(CharKind.Stdio) { Mux = true }], config.Serials);
    }

    [Theory]
    [InlineData("-m 512", 512UL << 20)]
    [InlineData("--m 512M", 512UL << 20)]
    [InlineData("-m=1G", 1UL << 30)]
    [InlineData("-m size=1.5G", 3UL << 29)]
    [InlineData("-m 8k", 8192)]
    [InlineData("-m 8192B", 8192)]
    [InlineData("-m 64 -m 32", 32UL << 20)]
    public void Parse_MemorySize_IsReadAsQemuDoes(string line, ulong bytes) => Assert.Equal(bytes, Config(line).MemoryBytes);

    [Theory]
    [InlineData("-accel kvm -accel tcg", "kvm,tcg")]
    [InlineData("-accel kvm:tcg", "kvm,tcg")]
    [InlineData("-M pc,accel=kvm:tcg", "kvm,tcg")]
    [InlineData("-machine accel=kvm", "kvm")]
    [InlineData("-enable-kvm", "kvm")]
    [InlineData("-accel kvm,kernel-irqchip=split", "kvm")]
    public void Parse_Accelerators_KeepTheirOrder(string line, string names) =>
        Assert.Equal(names, string.Join(',', Config(line).Accelerators.Select(accelerator => accelerator.Name)));

    [Theory]
    [InlineData("-smp 4", 4, 4, 1, 1)]
    [InlineData("-smp cpus=4,cores=2", 4, 2, 2, 1)]
    [InlineData("-smp 8,sockets=2,cores=2,threads=2", 8, 2, 2, 2)]
    [InlineData("-smp cores=2,threads=2", 4, 1, 2, 2)]
    public void Parse_Smp_FillsInTheTopology(string line, int cpus, int sockets, int cores, int threads) =>
        Assert.Equal(new SmpSpec(cpus, sockets, cores, threads), Config(line).Smp);

    [Theory]
    [InlineData("-serial stdio", CharKind.Stdio, null, false)]
    [InlineData("-serial mon:stdio", CharKind.Stdio, null, true)]
    [InlineData("-nographic", CharKind.Stdio, null, true)]
    [InlineData("-serial file:a=b", CharKind.File, "a=b", false)]
    [InlineData("-serial null -nographic", CharKind.Null, null, false)]
    [InlineData("-display none", CharKind.Null, null, false)]
    public void Parse_Serial_NamesTheBackend(string line, CharKind kind, string? path, bool mux) =>
        Assert.Equal(new CharSpec(kind) { Path = path, Mux = mux }, Assert.Single(Config(line).Serials));

    [Theory]
    [InlineData("-serial unix:/tmp/s", false, false)]
    [InlineData("-serial unix:/tmp/s,server", true, true)]
    [InlineData("-serial unix:/tmp/s,server,nowait", true, false)]
    [InlineData("-serial unix:/tmp/s,server=on,wait=off", true, false)]
    public void Parse_UnixSerial_ReadsServerAndWait(string line, bool server, bool wait) =>
        Assert.Equal(new CharSpec(CharKind.Unix) { Path = "/tmp/s", Server = server, Wait = wait }, Assert.Single(Config(line).Serials));

    [Fact]
    public void Parse_Devices_AreReadWithHexAndDefaults()
    {
        MachineConfig config = Config("-device isa-debug-exit,iobase=0xf4,iosize=0x04 -device loader,file=a,,b,addr=0x1000,cpu-num=0 -device loader,file=c,addr=4096");

        Assert.Equal(new DebugExitSpec(0xf4, 4), config.DebugExit);
        Assert.Equal([new FlatLoadSpec("a,b", 0x1000, true), new FlatLoadSpec("c", 0x1000, false)], config.Boot.FlatLoads);
        Assert.Equal(new DebugExitSpec(0x501, 2), Config("-device isa-debug-exit").DebugExit);
    }

    [Fact]
    public void Parse_DebugFilter_ReadsAllThreeForms()
    {
        MachineConfig config = Config("-dfilter 0x1000..0x1fff,16+8 -dfilter 0x20-0x21");

        Assert.Equal([(0x1000UL, 0x1fffUL), (16UL, 23UL), (0UL, 0x20UL)], config.DebugLogFilter);
    }

    [Fact]
    public void Parse_LogItems_Accumulate()
    {
        MachineConfig config = Config("-d int,unimp -d in_asm -D log.txt");

        Assert.Equal(new DebugLogSpec(DebugLogItems.Int | DebugLogItems.Unimp | DebugLogItems.InAsm, "log.txt"), config.DebugLog);
    }

    [Theory]
    [InlineData("--help")]
    [InlineData("-x=y z")]
    [InlineData("")]
    [InlineData("@file")]
    [InlineData("doctor")]
    [InlineData("a:b=c")]
    public void Parse_AppendValue_IsTakenVerbatim(string value) =>
        Assert.Equal(value, Parse("-kernel", "k", "-append", value).Config!.Boot.Append);

    [Theory]
    [InlineData("-help", "usage: emu")]
    [InlineData("--h", "-nographic")]
    [InlineData("-version", "emu version")]
    [InlineData("-accel help", "tcg")]
    [InlineData("-M help", "pc")]
    [InlineData("-cpu help", "qemu64")]
    [InlineData("-device help", "isa-debug-exit")]
    [InlineData("-d help", "unimp")]
    public void Parse_HelpValue_GivesTextOnly(string line, string expected)
    {
        CommandLineResult result = Parse(line.Split(' '));

        Assert.Contains(expected, result.Text, StringComparison.Ordinal);
        Assert.Null(result.Config);
    }

    [Fact]
    public void Help_NamesEveryOption() =>
        Assert.All(OptionTable.All, option => Assert.Contains($"  -{option.Name}", Parse("-help").Text, StringComparison.Ordinal));

    [Theory]
    [InlineData("-kernal x", "-kernal: unknown option; did you mean -kernel?")]
    [InlineData("--frobnicate", "--frobnicate: unknown option")]
    [InlineData("-fda x", "-fda: an option of QEMU that emu does not have yet")]
    [InlineData("-boot x", "-boot: order='x' is not an order")]
    [InlineData("-boot order=cc", "-boot: order='cc' is not an order")]
    [InlineData("-boot menu=maybe", "-boot: menu='maybe' is neither on nor off")]
    [InlineData("-boot c,speed=1", "-boot: unknown property 'speed'")]
    [InlineData("-drive if=ide", "-drive: needs file=PATH")]
    [InlineData("-drive file=a,if=floppy", "-drive: if=floppy is not there yet; there is ide, virtio and none")]
    [InlineData("-drive file=a,media=tape", "-drive: media='tape' is neither disk nor cdrom")]
    [InlineData("-drive file=a,index=4", "-drive: index=4 is out of range")]
    [InlineData("-drive file=a,index=1,bus=0", "-drive: index= stands for bus= and unit=")]
    [InlineData("-drive file=a,if=virtio,index=1", "-drive: index= goes with if=ide")]
    [InlineData("-hda a -drive file=b,index=0", "-drive: drive 0 (bus 0, unit 0) is given twice, also by -hda")]
    [InlineData("a -hdb b -hdc c -hdd d -drive file=e", "-drive: an IDE controller has room for 4 drives")]
    [InlineData("-cdrom a -hdc b", "-cdrom: drive 2 (bus 1, unit 0) is given twice, also by -hdc")]
    [InlineData("-global x.y=1", "-global: 'x.y=1' is not there; there is isa-debugcon.iobase=PORT")]
    [InlineData("-m", "-m: needs a value")]
    [InlineData("-kernel", "-kernel: needs a value")]
    [InlineData("-S=1", "-S: takes no value")]
    [InlineData("diff", "'diff': this command is not there yet")]
    [InlineData("doctor --yaml", "doctor: '--yaml' is not known; it takes --json or nothing")]
    [InlineData("-m 12Q", "-m: '12Q' is not a size")]
    [InlineData("-m 0", "-m: '0' is not a positive multiple of 4 KiB")]
    [InlineData("-m 5000B", "-m: '5000B' is not a positive multiple of 4 KiB")]
    [InlineData("-m -1", "-m: '-1' is not a size")]
    [InlineData("-m 99999999999G", "-m: '99999999999G' is not a size below 8 EiB")]
    [InlineData("-m 1G,slots=2", "-m: 'slots' is not supported")]
    [InlineData("-accel hax", "-accel: unknown accelerator 'hax'; there is tcg, kvm")]
    [InlineData("-accel tcg,x=1", "-accel: accelerator 'tcg' has no property 'x'; it has thread, tb-threshold, region-size, jit")]
    [InlineData("-accel tcg,thread=two", "-accel: thread='two'")]
    [InlineData("-accel kvm,kernel-irqchip=maybe", "-accel: kernel-irqchip='maybe'")]
    [InlineData("-accel kvm:hax", "-accel: unknown accelerator 'hax'")]
    [InlineData("-accel tcg -M accel=kvm", "-machine: accel= and -accel are both given")]
    [InlineData("-M q36", "-machine: unknown machine 'q36'; there is pc")]
    [InlineData("-M pc,foo=1", "-machine: machine 'pc' has no property 'foo'")]
    [InlineData("-M pc,hpet=maybe", "-machine: hpet='maybe' is neither on nor off")]
    [InlineData("-cpu pentium", "-cpu: unknown CPU model 'pentium'; there is qemu64, max, host")]
    [InlineData("-cpu max,avx2", "-cpu: 'avx2' is not a feature; write +avx2 or -avx2")]
    [InlineData("-smp 0", "-smp: cpus='0' is not a positive number")]
    [InlineData("-smp 1000", "-smp: 1000 CPUs are too many")]
    [InlineData("-smp 3,cores=2", "-smp: sockets 1 × cores 2 × threads 1 is not cpus 3")]
    [InlineData("-smp 2,dies=2", "-smp: unknown property 'dies'")]
    [InlineData("-smp 2,maxcpus=4", "-smp: CPUs cannot be added later")]
    [InlineData("-initrd x", "-initrd: needs a kernel")]
    [InlineData("-append x", "-append: needs a kernel")]
    [InlineData("-serial bogus", "-serial: unknown back end 'bogus'; there is stdio")]
    [InlineData("-serial file:", "-serial: 'file:' names no path; write file:PATH")]
    [InlineData("-serial unix:,server", "-serial: 'unix:,server' names no path")]
    [InlineData("-serial unix:a,foo", "-serial: 'foo' is not a property of unix:")]
    [InlineData("-serial stdio -serial mon:stdio", "-serial: stdio is used twice")]
    [InlineData("-debugcon stdio", "-debugcon: stdio is taken by the first serial port")]
    [InlineData("-serial null -serial null -serial null -serial null -serial null", "-serial: given 5 times")]
    [InlineData("-device e1000", "-device: unknown device 'e1000'; there is isa-debug-exit, loader")]
    [InlineData("-device isa-debug-exit,port=1", "-device: device 'isa-debug-exit' has no property 'port'")]
    [InlineData("-device isa-debug-exit,iobase=zz", "-device: iobase='zz' is not a number")]
    [InlineData("-device isa-debug-exit,iobase=0x10000", "-device: iobase=0x10000 is out of range")]
    [InlineData("-device isa-debug-exit,iosize=3", "-device: isa-debug-exit: iobase 0x501 with iosize 3")]
    [InlineData("-device isa-debug-exit -device isa-debug-exit", "-device: isa-debug-exit is given twice")]
    [InlineData("-device loader,addr=1", "-device: loader needs file=PATH")]
    [InlineData("-device loader,file=a", "-device: loader needs addr=ADDRESS")]
    [InlineData("-device loader,file=a,addr=0x10000,cpu-num=0", "-device: loader: with cpu-num=0 the image starts in real mode")]
    [InlineData("-device loader,file=a,addr=1,cpu-num=0 -device loader,file=a,addr=1,cpu-num=0", "-device: two loaders")]
    [InlineData("-device loader,,=1", "-device: unknown device")]
    [InlineData("-dfilter 5..4", "-dfilter: '5..4' holds no address")]
    [InlineData("-dfilter 0x10-0x12", "-dfilter: '0x10-0x12' holds no address")]
    [InlineData("-dfilter 1.2", "-dfilter: '1.2' is not a range")]
    [InlineData("-dfilter +5", "-dfilter: '+5' is not a range")]
    [InlineData("-dfilter 5+x", "-dfilter: length='x' is not a number")]
    [InlineData("-d everything", "-d: unknown log item 'everything'")]
    [InlineData("-display gtk", "-display: 'gtk' is not there yet; write -display none, curses or vnc=:N")]
    [InlineData("-net user", "-net: 'user' is not there yet")]
    [InlineData("-", "'-' is no option")]
    [InlineData("--", "'--' is no option")]
    public void Parse_BadInput_IsOneLineThatNamesTheOption(string line, string expected)
    {
        var exception = Assert.Throws<OptionException>(() => Parse(line.Split(' ')));

        Assert.StartsWith(expected, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
    }

    [Theory]
    [InlineData("disk.img", "ide-hd drive=hda bus=ide.0 unit=0")]
    [InlineData("-hdb disk.img", "ide-hd drive=hdb bus=ide.0 unit=1")]
    [InlineData("-cdrom a,b.iso", "ide-cd drive=cdrom bus=ide.1 unit=0")]
    [InlineData("-drive file=x -hda y", "ide-hd drive=hda bus=ide.0 unit=0; ide-hd drive=drive0 bus=ide.0 unit=1")]
    [InlineData("-drive file=x,bus=1,unit=1,media=cdrom,bootindex=3", "ide-cd drive=drive0 bootindex=3 bus=ide.1 unit=1")]
    [InlineData("-drive if=ide,media=cdrom", "ide-cd bus=ide.0 unit=0")]
    [InlineData("-drive if=none,id=d,file=x -device ide-hd,drive=d", "ide-hd drive=d")]
    public void Parse_Drives_BecomeDevices(string line, string devices)
    {
        MachineConfig config = Config(line);

        Assert.Equal(devices, string.Join("; ", config.Devices.Select(device => $"{device.Driver} {string.Join(' ', device.Properties.Select(pair => $"{pair.Key}={pair.Value}"))}")));
        Assert.All(config.Drives, drive => Assert.Equal(devices.StartsWith("ide-cd", StringComparison.Ordinal), drive.IsReadOnly));
    }

    [Fact]
    public void Parse_Boot_TakesLettersAndProperties()
    {
        BootOrderSpec boot = Config("-boot d -boot once=c,menu=on,strict=on,splash-time=500,reboot-timeout=1000").Boot.Order;

        Assert.Equal(new BootOrderSpec { Order = "d", Once = "c", Menu = true, Strict = true, SplashMilliseconds = 500, RebootMilliseconds = 1000 }, boot);
    }

    [Fact]
    public void Parse_EmptyArgument_SaysSo() =>
        Assert.StartsWith("an empty argument", Assert.Throws<OptionException>(() => Parse("")).Message, StringComparison.Ordinal);

    private static MachineConfig Config(string line) => Parse(line.Length == 0 ? [] : line.Split(' ')).Config!;

    private static CommandLineResult Parse(params string[] args) => EmuCommandLine.Parse(args);
}
