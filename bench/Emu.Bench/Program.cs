using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Emu.Bench;

if (args is ["regions", ..])
{
    return RegionComparison.Run(args[1..]);
}

if (args is ["kvm", ..])
{
    return KvmCosts.Run(args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 5);
}

if (args is ["net", ..])
{
    return NetThroughput.Run();
}

if (args is ["diff", ..])
{
    return DiffRate.Run();
}

// In process: the benchmarks are long loops of generated code, and a process of their own per benchmark would only rebuild everything.
ManualConfig config = ManualConfig.CreateEmpty()
    .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance).WithIterationCount(7))
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddColumn(new MipsColumn())
    .AddLogger(ConsoleLogger.Default)
    .WithOptions(ConfigOptions.DisableOptimizationsValidator);

_ = BenchmarkSwitcher.FromAssembly(typeof(InterpreterBenchmarks).Assembly).Run(args, config);
return 0;
