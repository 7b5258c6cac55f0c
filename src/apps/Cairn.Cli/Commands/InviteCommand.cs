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
        Option<bool> readOnly = new("--read-only")
        {
            Description = "The machine only reads: it stores copies and sees everything, and no machine obeys a change "
                + "of it. 'cairn node read-write' ends it.",
        };
        Command command = new ManualCommand(
            "invite",
            "Print a one-time code that lets one machine join within ten minutes.",
            "The code works once, while this daemon runs, and dies after five wrong attempts. Admins only. "
            + "With --quiet only the code is printed.",
            "cairn invite",
            "cairn invite --role admin --quiet",
            "cairn invite --read-only")
        { role, readOnly };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string reads = parsed.GetValue(readOnly) ? "&readOnly=true" : string.Empty;
            InviteTicket ticket = await context.Client.Post(
                $"/v1/invites?role={parsed.GetValue(role)}{reads}", ControlJson.Default.InviteTicket, cancellation);
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
