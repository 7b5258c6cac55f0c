using System.CommandLine.Completions;
using System.CommandLine.Parsing;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Commands;

/// <summary>What the shell may put where the cursor is: names the daemon knows. Without a daemon there are none.</summary>
internal static class Completions
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Names of volumes.</summary>
    public static IEnumerable<CompletionItem> Volumes(CompletionContext context) =>
        Ask(context, async (client, cancellation) =>
            (await VolumeNames(client, cancellation)).Select(name => new CompletionItem(name)));

    /// <summary>"VOLUME/", then what lies in the directory that is typed so far.</summary>
    public static IEnumerable<CompletionItem> Paths(CompletionContext context) =>
        Ask(context, async (client, cancellation) =>
        {
            string typed = context.WordToComplete;
            int slash = typed.LastIndexOf('/');
            if (slash < 0)
            {
                return (await VolumeNames(client, cancellation)).Select(name => new CompletionItem(name + "/"));
            }

            IReadOnlyList<EntrySummary> entries = await client.Get(
                "/v1/files/list" + VolumePath.Query(typed[..slash]),
                ControlJson.Default.IReadOnlyListEntrySummary,
                cancellation);
            return entries.Select(entry => new CompletionItem(
                typed[..(slash + 1)] + entry.Name + (entry.Kind == ObjectKind.Directory ? "/" : string.Empty)));
        });

    /// <summary>Names of the snapshots of the volume that the command line names before.</summary>
    public static IEnumerable<CompletionItem> Snapshots(CompletionContext context) =>
        Ask(context, async (client, cancellation) =>
        {
            if (context.ParseResult.CommandResult.Children.OfType<ArgumentResult>().FirstOrDefault() is not
                { Tokens: [{ Value: var place }, ..] })
            {
                return [];
            }

            IReadOnlyList<VolumeSnapshot> snapshots = await client.Get(
                "/v1/snapshots" + VolumePath.Query(VolumePath.Split(place).Volume),
                ControlJson.Default.IReadOnlyListVolumeSnapshot,
                cancellation);
            return snapshots.Select(snapshot => new CompletionItem(snapshot.Name));
        });

    /// <summary>Names of machines.</summary>
    public static IEnumerable<CompletionItem> Nodes(CompletionContext context) =>
        Ask(context, async (client, cancellation) =>
        {
            IReadOnlyList<NodeSummary> nodes =
                await client.Get("/v1/nodes", ControlJson.Default.IReadOnlyListNodeSummary, cancellation);
            return nodes.Select(node => new CompletionItem(node.Name));
        });

    private static async Task<IEnumerable<string>> VolumeNames(ControlClient client, CancellationToken cancellation)
    {
        IReadOnlyList<VolumeSummary> volumes =
            await client.Get("/v1/volumes", ControlJson.Default.IReadOnlyListVolumeSummary, cancellation);
        return volumes.Select(volume => volume.Name);
    }

    /// <summary>A completion must never fail or hang: it is asked for while somebody types.</summary>
    private static IEnumerable<CompletionItem> Ask(
        CompletionContext context, Func<ControlClient, CancellationToken, Task<IEnumerable<CompletionItem>>> ask)
    {
        string home = HomeFolder.Resolve(context.ParseResult.GetValue(GlobalOptions.Home));
        using ControlClient client = new(home);
        using CancellationTokenSource patience = new(Patience);
        try
        {
            return [.. ask(client, patience.Token).GetAwaiter().GetResult()];
        }
        catch (Exception none) when (none is CommandException or OperationCanceledException or HttpRequestException)
        {
            return [];
        }
    }
}
