using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>Ends one conflict, or all below a folder, by a person's choice.</summary>
public sealed class ConflictResolver(CommandContext context)
{
    /// <summary>Resolves; the exit code says whether there was a conflict at all.</summary>
    /// <param name="place">A name in conflict, a folder, or a volume.</param>
    /// <param name="keep">mine, theirs, newest, both or merge.</param>
    public async Task<int> Run(PastPath place, string keep, CancellationToken cancellation)
    {
        IReadOnlyList<ConflictSummary> conflicts = await context.Client.Get(
            "/v1/history/conflicts" + place.Query, ControlJson.Default.IReadOnlyListConflictSummary, cancellation);
        if (conflicts.Count == 0)
        {
            throw new CommandException($"{place.Volume}/{place.Path}: there is no conflict")
            {
                Exit = ExitCode.NotFound,
            };
        }

        if (keep == "merge")
        {
            return await Each(conflicts, conflict => Merge(place, conflict, cancellation));
        }

        NodeStatus node = await context.Client.Get("/v1/status", ControlJson.Default.NodeStatus, cancellation);
        return await Each(conflicts, conflict => Keep(place, conflict, keep, node.Node, cancellation));
    }

    /// <summary>One that must be left to people, or is called otherwise since the last was ended, does not stop the others.</summary>
    private async Task<int> Each(IReadOnlyList<ConflictSummary> conflicts, Func<ConflictSummary, Task<string>> end)
    {
        int exit = ExitCode.Ok;
        foreach (ConflictSummary conflict in conflicts)
        {
            try
            {
                context.Say($"{conflict.Path}: {await end(conflict)}");
            }
            catch (CommandException refused) when (refused.Exit is ExitCode.Failed or ExitCode.NotFound)
            {
                await Console.Error.WriteLineAsync("cairn: " + refused.Message);
                exit = ExitCode.Failed;
            }
        }

        return exit;
    }

    private async Task<string> Keep(
        PastPath place, ConflictSummary conflict, string keep, NodeId self, CancellationToken cancellation)
    {
        ConflictSideSummary? kept = keep == "both" ? null : Choose(conflict, keep, self);
        string query = (place with { Path = conflict.Path }).Query
            + (kept is null ? string.Empty : $"&inode={kept.Inode}");
        using HttpResponseMessage _ = await context.Client.Send(
            HttpMethod.Post, "/v1/history/resolve" + query, null, cancellation);
        return kept is null
            ? "each side is a file of its own"
            : $"kept what {Names.Who(kept.AuthorUser, kept.AuthorName)} wrote ({kept.Modified})";
    }

    private async Task<string> Merge(PastPath place, ConflictSummary conflict, CancellationToken cancellation)
    {
        string query = (place with { Path = conflict.Path }).Query;
        using HttpResponseMessage _ = await context.Client.Send(
            HttpMethod.Post, "/v1/history/merge" + query, null, cancellation);
        return "merged";
    }

    /// <summary>The side that is to hold the name.</summary>
    /// <exception cref="CommandException">The choice does not name one side.</exception>
    public static ConflictSideSummary Choose(ConflictSummary conflict, string keep, NodeId self)
    {
        IEnumerable<ConflictSideSummary> sides = keep switch
        {
            "mine" => conflict.Sides.Where(side => side.Author == self),
            "theirs" => conflict.Sides.Where(side => side.Author != self),
            _ => conflict.Sides.OrderByDescending(side => side.Modified).Take(1),
        };
        return sides.ToList() is [ConflictSideSummary only]
            ? only
            : throw new CommandException(
                $"{conflict.Path}: '{keep}' does not name one side; 'cairn conflicts' lists them: "
                + "use --keep newest or both, or remove the names you do not want");
    }
}
