using System.CommandLine;
using System.Globalization;
using Cairn.Cli.Output;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Commands;

/// <summary>Looking into a volume without a mount: <c>ls</c>, <c>stat</c>.</summary>
public static class ListCommands
{
    /// <summary>Lists a directory.</summary>
    public static Command CreateList()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "ls",
            "List a directory in a volume.",
            string.Empty,
            "cairn ls photos/2026",
            "cairn ls photos --json") { path };
        CommandContext.Attach(command, (context, parsed, cancellation) => context.PrintListing(
            "/v1/files/list" + VolumePath.Query(parsed.GetValue(path)!),
            ControlJson.Default.IReadOnlyListEntrySummary,
            ["MODE", "SIZE", "MODIFIED", "NAME"],
            entry => [[ModeText(entry), SizeText.Format(entry.SizeBytes), entry.Modified.ToString(), entry.Name]],
            cancellation));
        return command;
    }

    /// <summary>Shows one entry.</summary>
    public static Command CreateStat()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "stat",
            "Show what a volume knows of one file or directory.",
            string.Empty,
            "cairn stat photos/2026/beach.jpg") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            EntrySummary entry = await context.Client.Get(
                "/v1/files/stat" + VolumePath.Query(parsed.GetValue(path)!),
                ControlJson.Default.EntrySummary,
                cancellation);
            await (context.Json ? context.PrintJson(entry, ControlJson.Default.EntrySummary) : Print(context, entry));
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task Print(CommandContext context, EntrySummary entry)
    {
        await context.Output.WriteLineAsync($"{ModeText(entry)}  {Printable.Of(entry.Name)}");
        await context.Output.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture,
            $"{entry.SizeBytes} bytes, {entry.DataBytes} of data; inode {entry.Inode}, links {entry.LinkCount}, ")
            + string.Create(CultureInfo.InvariantCulture, $"owner {entry.UserId}:{entry.GroupId}"));
        await context.Output.WriteLineAsync($"modified {entry.Modified}, changed {entry.Changed}");
        if (entry.OpenOn.Count > 0)
        {
            await context.Output.WriteLineAsync("open for writing on " + string.Join(", ", entry.OpenOn));
        }
    }

    /// <summary>As <c>ls -l</c> writes it: "drwxr-x---".</summary>
    private static string ModeText(EntrySummary entry)
    {
        char kind = entry.Kind switch
        {
            ObjectKind.File => '-',
            ObjectKind.Directory => 'd',
            ObjectKind.SymbolicLink => 'l',
            ObjectKind.Fifo => 'p',
            ObjectKind.Socket => 's',
            ObjectKind.CharacterDevice => 'c',
            ObjectKind.BlockDevice => 'b',
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        Span<char> text = stackalloc char[10];
        text[0] = kind;
        for (int bit = 0; bit < 9; bit++)
        {
            text[bit + 1] = (entry.Mode >> (8 - bit) & 1) == 1 ? "rwx"[bit % 3] : '-';
        }

        // Set-user-id, set-group-id and sticky stand where the execute bit of their class does, capital without it.
        for (int set = 0; set < 3; set++)
        {
            int at = 3 * (set + 1);
            if ((entry.Mode >> (11 - set) & 1) == 1)
            {
                text[at] = text[at] == 'x' ? "sst"[set] : "SST"[set];
            }
        }

        return new string(text);
    }
}
