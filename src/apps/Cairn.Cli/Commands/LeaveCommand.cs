using System.CommandLine;
using Cairn.Gateway.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn leave</c>: hands every copy on, then withdraws.</summary>
public static class LeaveCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<bool> force = new("--force")
        {
            Description = "Do not wait for the copies to move: the others remake what they can.",
        };
        Command command = new ManualCommand(
            "leave",
            "Leave the pool: hand every copy on, then withdraw.",
            "Shows progress until the other machines hold everything this one held. It can be broken off and taken up "
            + "again. Afterwards stop the daemon and delete the home folder.",
            "cairn leave",
            "cairn leave --force") { force };
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            string path = "/v1/leave" + (parsed.GetValue(force) ? "?force=true" : string.Empty);
            return ProgressStream.Follow(
                context,
                context.Client.Stream(HttpMethod.Post, path, ControlJson.Default.ProgressLine, cancellation),
                null,
                cancellation);
        });
        return command;
    }
}
