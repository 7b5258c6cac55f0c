using System.CommandLine;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn volume writers</c>: who alone may change a volume, or what is in one of its folders.</summary>
public static class VolumeWritersCommand
{
    private const string Route = "/v1/volumes/writers";

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> place = Names.Path();
        Argument<string[]> nodes = new("nodes")
        {
            Description = "The machines that may change it: names, ids, or starts of ids. Without any, and without "
                + "options, who may is listed.",
            HelpName = "NODE",
            Arity = ArgumentArity.ZeroOrMore,
        };
        nodes.CompletionSources.Add(Completions.Nodes);
        Option<bool> everyone = new("--everyone")
        {
            Description = "Every machine may change it (again): in a folder, also below one that only some may change.",
        };
        Option<bool> inherit = new("--inherit")
        {
            Description = "Nothing is said of this folder any more: who may change the folder above it may change it.",
        };
        Option<bool> accept = new("--accept-refused")
        {
            Description = "Let everything stand that was refused in it until now, of those that may change it.",
        };
        ManualCommand command = new(
            "writers",
            "Say which machines alone may change a volume or a folder; the others, also later ones, only read it.",
            "No machine obeys a change of the others, whatever program they run; writing on them fails with 'Read-only "
            + "file system', in a folder with 'Permission denied'. Changes of theirs that this machine has not seen "
            + "yet are refused, too: kept, counted in 'cairn nodes', shown nowhere. What they made apart elsewhere "
            + "in the volume comes back by itself as soon as they have heard of the limit of a folder. The nearest "
            + "folder that says anything decides, among those who may change the volume; a limit goes with its folder "
            + "when that is moved. A machine that only reads ('cairn node read-only') stays so. Without machines and "
            + "options it lists who may. Changing it: admins only.",
            "cairn volume writers accounts",
            "cairn volume writers accounts desk lap",
            "cairn volume writers accounts/pay desk",
            "cairn volume writers accounts/pay --inherit",
            "cairn volume writers accounts --everyone") { place, nodes, everyone, inherit, accept };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string path = parsed.GetValue(place)!;
            string[] writers = parsed.GetValue(nodes) ?? [];
            bool isForAll = parsed.GetValue(everyone);
            bool isInherited = parsed.GetValue(inherit);
            int said = (writers.Length > 0 ? 1 : 0) + (isForAll ? 1 : 0) + (isInherited ? 1 : 0);
            if (said > 1)
            {
                throw Wrong("name the machines that may change it, or say --everyone, or --inherit");
            }

            if (said == 0)
            {
                return parsed.GetValue(accept)
                    ? throw Wrong("say who may change it beside --accept-refused")
                    : await List(context, path, cancellation);
            }

            string who = string.Concat(writers.Select(writer => "&node=" + Uri.EscapeDataString(writer)));
            string request = Route + VolumePath.Query(path) + who
                + (isInherited ? "&inherit=true" : string.Empty)
                + (parsed.GetValue(accept) ? "&acceptRefused=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, request, null, cancellation);
            context.Say(isInherited
                ? $"{path} is changed by whoever may change the folder above it."
                : $"{path} is changed by {(isForAll ? "everyone" : string.Join(", ", writers))}.");
            await SayShutOut(context, path, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static CommandException Wrong(string sentence) => new(sentence) { Exit = ExitCode.Usage };

    private static Task<int> List(CommandContext context, string path, CancellationToken cancellation) =>
        context.PrintListing(
            Route + VolumePath.Query(VolumePath.Split(path).Volume),
            ControlJson.Default.IReadOnlyListFolderWriters,
            ["PATH", "CHANGED BY"],
            folder => [[folder.Path ?? "(removed)", Changers(folder)]],
            cancellation);

    private static string Changers(FolderWriters folder)
    {
        if (folder.Writers is not { } writers)
        {
            return "everyone";
        }

        string[] able = [.. writers.Except(folder.ShutOut)];
        string some = able.Length == 0 ? "nobody" : string.Join(", ", able);
        return folder.ShutOut.Count == 0 ? some : $"{some} (shut out: {string.Join(", ", folder.ShutOut)})";
    }

    /// <summary>Who changes a folder must be allowed to change its volume, too: what was said may let nobody in.</summary>
    private static async Task SayShutOut(CommandContext context, string path, CancellationToken cancellation)
    {
        string volume = VolumePath.Split(path).Volume;
        IReadOnlyList<FolderWriters> all = await context.Client.Get(
            Route + VolumePath.Query(volume), ControlJson.Default.IReadOnlyListFolderWriters, cancellation);
        foreach (FolderWriters folder in all.Where(folder => folder.ShutOut.Count > 0))
        {
            context.Say(
                $"Shut out of {folder.Path ?? "a folder that was removed"}: {string.Join(", ", folder.ShutOut)}. "
                + $"Who changes it must be allowed to change {volume}, too: see 'cairn volume writers {volume}' and, "
                + "for machines that only read, 'cairn nodes'.");
        }
    }
}
