using System.CommandLine;
using System.Text;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn init</c>: makes a pool.</summary>
public static class InitCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<string?> kit = new("--kit")
        {
            Description = "Write the recovery kit to a new file instead of printing it.",
            HelpName = "FILE",
        };
        Command command = new ManualCommand(
            "init",
            "Make a pool with this machine as its first, and print the recovery kit.",
            "The recovery kit restores the pool's owner on an empty machine when every admin's machine is lost. "
            + "Whoever has it owns the pool: print it, keep it away from the machines. It cannot be printed again.",
            "cairn init --space 50GiB",
            "cairn init --space 50GiB --name desk --zone attic --kit /media/usb/kit.txt") { kit };
        NewNode.Options.ToList().ForEach(command.Options.Add);
        CommandContext.Attach(command, async (context, parsed, _) =>
        {
            string? file = parsed.GetValue(kit);
            NewNode.RefuseUsed(context.Home);
            await using FileStream? output = Create(file);
            (FoundedPool pool, HomeConfig config) = await MakePool(context, parsed, file);
            bool isKept = output is not null && await Keep(output, pool.RecoveryKit);
            if (context.Json)
            {
                await context.PrintJson(pool, ControlJson.Default.FoundedPool);
                return ExitCode.Ok;
            }

            string given = SizeText.Format(config.SpaceBytes);
            context.Say($"The pool {pool.Pool.Short} is made; this machine gives {given}.");
            if (!isKept)
            {
                // Even with --quiet: this is the one time that it can be had.
                await context.Output.WriteLineAsync(
                    "Recovery kit: print it and keep it away from the machines. Whoever has it owns the pool.");
                await context.Output.WriteLineAsync(pool.RecoveryKit);
            }

            context.Say("Next: cairn up --detach; cairn volume create NAME; cairn invite");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>
    /// Makes the file for the kit, if one is named: before the pool, whose kit is lost when it cannot be written. One that is
    /// there is left alone, because it may hold another pool's.
    /// </summary>
    private static FileStream? Create(string? file) => file is null ? null : new FileStream(file, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
    });

    private static async Task<(FoundedPool Pool, HomeConfig Config)> MakePool(
        CommandContext context, ParseResult parsed, string? file)
    {
        try
        {
            return await NewNode.Make(
                context, parsed, world => Task.FromResult(Founding.Found(world.Ports, world.Options)));
        }
        catch when (file is not null)
        {
            File.Delete(file);
            throw;
        }
    }

    /// <summary>Whether the kit is in the file; why not is said.</summary>
    private static async Task<bool> Keep(FileStream output, string kit)
    {
        try
        {
            await output.WriteAsync(Encoding.UTF8.GetBytes(kit + '\n'));
            output.Flush(flushToDisk: true);
            return true;
        }
        catch (IOException error)
        {
            await Console.Error.WriteLineAsync($"cairn: the recovery kit is not in {output.Name}: {error.Message}");
            return false;
        }
    }
}
