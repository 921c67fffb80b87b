using Emu.Cli.Image;
using Emu.Cli.Options;
using Emu.Cli.Terminal;
using Emu.Machine;

namespace Emu.Cli;

/// <summary>The program: command line in, exit code out.</summary>
internal static class Program
{
    /// <summary>Exit code of every error that the user can mend.</summary>
    private const int ErrorExit = 1;

    private static int Main(string[] args)
    {
        try
        {
            if (args.Length > 0 && args[0] == DiffCommand.Name)
            {
                return DiffCommand.Run(args);
            }

            if (args.Length > 0 && args[0] == ImageCommand.Name)
            {
                return ImageCommand.Run(args);
            }

            CommandLineResult result = EmuCommandLine.Parse(args);
            if (result.Config is null)
            {
                StandardStreams.Print(result.Text!);
                return 0;
            }

            return MachineLauncher.Run(result.Config, isBare: args.Length == 0);
        }
        catch (Exception exception) when (exception is OptionException or MachineConfigException)
        {
            Console.Error.WriteLine($"emu: {exception.Message}");
            return ErrorExit;
        }
    }
}
