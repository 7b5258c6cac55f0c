using System.CommandLine;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>The two ways into a pool that exists: <c>join</c> with a one-time code, <c>recover</c> with the recovery kit.</summary>
public static class EnterCommands
{
    /// <summary>Joins a pool.</summary>
    public static Command CreateJoin()
    {
        Argument<string> code = new("code")
        {
            Description = "What 'cairn invite' printed on a machine of the pool; - is standard input.",
            HelpName = "CODE",
        };
        Command command = new ManualCommand(
            "join",
            "Join a pool with a one-time code.",
            "A code works once, for ten minutes, while the daemon that made it runs. A failed join changes nothing: "
            + "ask for another code and join again. Where others use this machine, too, give - and type the code or "
            + "pipe it in: they can read the words of a command.",
            "cairn join CODE --space 20GiB",
            "ssh desk cairn invite --quiet | cairn join - --space 20GiB",
            "cairn join CODE --space 20GiB --name lap --listen 0.0.0.0:7866") { code };
        NewNode.Options.ToList().ForEach(command.Options.Add);
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            string text = Prompt.Secret(parsed.GetValue(code)!, "Code");
            return Enter(
                context, parsed, world => Founding.Join(world.Ports, world.Options, text, cancellation));
        });
        return command;
    }

    /// <summary>Brings an owner back.</summary>
    public static Command CreateRecover()
    {
        Argument<string> kit = new("kit")
        {
            Description = "A file that holds the recovery kit, or the kit itself; - is standard input.",
            HelpName = "KIT",
        };
        Option<string?> address = new("--at")
        {
            Description = "A machine of the pool, if the kit's addresses are old.",
            HelpName = "ADDRESS:PORT",
        };
        Command command = new ManualCommand(
            "recover",
            "Bring an owner back on an empty machine, with the recovery kit.",
            "The machine becomes an admin of the pool under a new identity. Revoke the lost machines afterwards.",
            "cairn recover kit.txt --space 50GiB",
            "cairn recover kit.txt --at 192.168.1.20:7866") { kit, address };
        NewNode.Options.ToList().ForEach(command.Options.Add);
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            string text = Prompt.Secret(parsed.GetValue(kit)!, "Recovery kit");
            text = File.Exists(text) ? File.ReadAllText(text)
                : !text.Contains('/', StringComparison.Ordinal) && !text.Contains('.', StringComparison.Ordinal) ? text
                : throw new CommandException($"there is no file {text}, and a recovery kit looks otherwise");
            return Enter(context, parsed, world => Founding.Recover(
                world.Ports, world.Options, text.Trim(), parsed.GetValue(address), cancellation));
        });
        return command;
    }

    private static async Task<int> Enter(
        CommandContext context, ParseResult parsed, Func<NodeWorld, Task<Result<JoinedPool, ControlError>>> enter)
    {
        (JoinedPool joined, _) = await NewNode.Make(context, parsed, enter);
        if (context.Json)
        {
            await context.PrintJson(joined, ControlJson.Default.JoinedPool);
        }

        context.Say($"This machine is in the pool {joined.Pool.Short}, let in by {joined.InviterName}; "
            + $"it now has {joined.Members} members.");
        context.Say("Next: cairn up --detach; cairn mount VOLUME DIR");
        return ExitCode.Ok;
    }
}
