using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn volume writers</c>: who alone may change a volume.</summary>
public static class VolumeWritersCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> volume = Names.Volume();
        Argument<string[]> nodes = new("nodes")
        {
            Description = "The machines that may change it: names, ids, or starts of ids.",
            HelpName = "NODE",
            Arity = ArgumentArity.ZeroOrMore,
        };
        nodes.CompletionSources.Add(Completions.Nodes);
        Option<bool> everyone = new("--everyone") { Description = "Every machine may change it again." };
        Option<bool> accept = new("--accept-refused")
        {
            Description = "Let everything stand that was refused in it until now, of those that may change it.",
        };
        ManualCommand command = new(
            "writers",
            "Say which machines alone may change a volume; the others, and those that join later, only read it.",
            "No machine obeys a change of the others, whatever program they run; writing on them fails with 'Read-only "
            + "file system'. Changes of theirs that this machine has not seen yet are refused, too: kept, counted in "
            + "'cairn nodes', shown nowhere. A machine that only reads ('cairn node read-only') stays so. "
            + "'cairn volume ls' shows who may. Admins only.",
            "cairn volume writers accounts desk lap",
            "cairn volume writers accounts --everyone") { volume, nodes, everyone, accept };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string name = parsed.GetValue(volume)!;
            string[] writers = parsed.GetValue(nodes) ?? [];
            if (parsed.GetValue(everyone) == (writers.Length > 0))
            {
                throw new CommandException("name the machines that may change it, or say --everyone");
            }

            string who = string.Concat(writers.Select(writer => "&node=" + Uri.EscapeDataString(writer)));
            string path = $"/v1/volumes/writers?volume={Uri.EscapeDataString(name)}{who}"
                + (parsed.GetValue(accept) ? "&acceptRefused=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, path, null, cancellation);
            context.Say($"{name} is changed by {(writers.Length == 0 ? "everyone" : string.Join(", ", writers))}.");
            return ExitCode.Ok;
        });
        return command;
    }
}
