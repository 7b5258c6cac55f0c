using System.CommandLine;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;
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
            Description = "Write the recovery kit to a file instead of printing it.",
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
            (FoundedPool pool, HomeConfig config) = await NewNode.Make(
                context, parsed, world => Task.FromResult(Founding.Found(world.Ports, world.Options)));
            if (parsed.GetValue(kit) is { } file)
            {
                await SaveKit(file, pool.RecoveryKit);
            }

            if (context.Json)
            {
                await context.PrintJson(pool, ControlJson.Default.FoundedPool);
                return ExitCode.Ok;
            }

            string given = SizeText.Format(config.SpaceBytes);
            context.Say($"The pool {pool.Pool.Short} is made; this machine gives {given}.");
            if (parsed.GetValue(kit) is null)
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

    private static async Task SaveKit(string file, string text)
    {
        FileStreamOptions ownerOnly = new()
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        };
        await using StreamWriter writer = new(file, ownerOnly);
        await writer.WriteLineAsync(text);
    }
}
