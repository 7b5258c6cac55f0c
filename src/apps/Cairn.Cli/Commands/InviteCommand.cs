using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn invite</c>: a one-time code that lets one machine in.</summary>
public static class InviteCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<string> role = new("--role")
        {
            Description = "What the machine becomes: member (stores, reads, writes) or admin (also invites, revokes, "
                + "makes and removes volumes). Default member.",
            HelpName = "member|admin",
            DefaultValueFactory = _ => "member",
        };
        role.AcceptOnlyFromAmong("member", "admin");
        Command command = new ManualCommand(
            "invite",
            "Print a one-time code that lets one machine join within ten minutes.",
            "The code works once, while this daemon runs, and dies after five wrong attempts. Admins only. "
            + "With --quiet only the code is printed.",
            "cairn invite",
            "cairn invite --role admin --quiet")
        { role };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            InviteTicket ticket = await context.Client.Post(
                $"/v1/invites?role={parsed.GetValue(role)}", ControlJson.Default.InviteTicket, cancellation);
            if (context.Json)
            {
                await context.PrintJson(ticket, ControlJson.Default.InviteTicket);
            }
            else if (context.Quiet)
            {
                await context.Output.WriteLineAsync(ticket.Code);
            }

            context.Say("On the other machine, within ten minutes:");
            context.Say($"  cairn join {ticket.Code} --space 20GiB");
            context.Say("The code works once, while this daemon runs.");
            return ExitCode.Ok;
        });
        return command;
    }
}
