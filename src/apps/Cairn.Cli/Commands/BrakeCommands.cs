using System.CommandLine;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Commands;

/// <summary>Deciding about a machine that took a large part of a volume away: <c>brake ls|release|undo</c>.</summary>
public static class BrakeCommands
{
    private const string Route = "/v1/brake";

    /// <summary>Builds them.</summary>
    public static Command Create() =>
        new("brake", "A machine that removed or rewrote a large part of a volume: what is held, and the decision.")
        {
            CreateList(), CreateRelease(), CreateUndo(),
        };

    private static Command CreateList()
    {
        Argument<string> volume = Names.Volume();
        Command command = new ManualCommand(
            "ls",
            "List the machines that removed or rewrote a large part of a volume, and how much.",
            "Everybody sees at once what such a machine did, and can take it back; what it took away is kept, whatever "
            + "the retention says, until somebody decides. 'cairn status' shows it on every machine.",
            "cairn brake ls photos",
            "cairn brake ls photos --json") { volume };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            Route + VolumePath.Query(parsed.GetValue(volume)!),
            ControlJson.Default.IReadOnlyListBrakedMember,
            ["WHO", "FROM", "TO", "FILES", "OF", "BYTES", "OF"],
            held =>
            [
                [
                    Names.Who(held.User, held.NodeName), held.From.ToString(), held.To.ToString(), $"{held.Objects}",
                    $"{held.ObjectsBefore}", SizeText.Format(held.Bytes), SizeText.Format(held.BytesBefore),
                ],
            ],
            cancellation));
        return command;
    }

    private static Command CreateRelease()
    {
        (Argument<string> volume, Argument<string> node) = (Names.Volume(), Names.NodeOrUser());
        Command command = new ManualCommand(
            "release",
            "Say that it was meant: what the machine took away is kept as long as any past, and no longer.",
            "It holds for all that the machine did in the volume until now.",
            "cairn brake release photos laptop") { volume, node };
        CommandContext.Attach(command, async (context, parsed, cancellation) => await context.Change(
            HttpMethod.Post, await Decision(context, "release", parsed, volume, node, cancellation), cancellation));
        return command;
    }

    private static Command CreateUndo()
    {
        (Argument<string> volume, Argument<string> node) = (Names.Volume(), Names.NodeOrUser());
        Command command = new ManualCommand(
            "undo",
            "Make the volume what it would be without what the machine did since it began.",
            "What others did stays. It is 'cairn rewind VOLUME@TIME --by NODE' with the right time, and ends the hold. "
            + "A snapshot is made first and named in the answer: going back to it undoes the undoing.",
            "cairn brake undo photos laptop") { volume, node };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            RestoreOutcome outcome = await context.Client.Post(
                await Decision(context, "undo", parsed, volume, node, cancellation),
                ControlJson.Default.RestoreOutcome,
                cancellation);
            return await SnapshotCommands.Tell(context, parsed.GetValue(volume)!, outcome);
        });
        return command;
    }

    private static async Task<string> Decision(
        CommandContext context, string verb, ParseResult parsed, Argument<string> volume, Argument<string> node,
        CancellationToken cancellation) =>
        $"{Route}/{verb}{VolumePath.Query(parsed.GetValue(volume)!)}"
        + string.Concat(
            (await Machines.Of(context, parsed.GetValue(node)!, cancellation)).Select(id => $"&node={id}"));
}
