using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cairn.Cli.Output;
using Cairn.Gateway.Control;
using Cairn.Node.Volumes;

namespace Cairn.Cli.Commands;

/// <summary>Files without a mount: <c>ls put get cat mkdir rm mv stat</c> on <c>VOLUME/path</c>.</summary>
public static class FileCommands
{
    /// <summary>Builds them all.</summary>
    public static IReadOnlyList<Command> Create() => [List(), Put(), Get(), Cat(), MakeDirectory(), Remove(), Move(), Stat()];

    private static Argument<string> VolumePath(string name = "path") =>
        new(name) { Description = "VOLUME, or VOLUME/path below it.", HelpName = "VOLUME/PATH" };

    private static string Query(string volumePath)
    {
        int slash = volumePath.IndexOf('/', StringComparison.Ordinal);
        string volume = slash < 0 ? volumePath : volumePath[..slash];
        string path = slash < 0 ? string.Empty : volumePath[(slash + 1)..];
        return $"?volume={Uri.EscapeDataString(volume)}&path={Uri.EscapeDataString(path)}";
    }

    private static Command List()
    {
        Argument<string> path = VolumePath();
        Command command = new("ls", "List a directory in a volume.") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            IReadOnlyList<EntrySummary> entries = await context.Client.Get(
                "/v1/files/list" + Query(parsed.GetValue(path)!), ControlJson.Default.IReadOnlyListEntrySummary, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(entries, ControlJson.Default.IReadOnlyListEntrySummary));
                return ExitCode.Ok;
            }

            context.PrintTable(
                ["MODE", "SIZE", "MODIFIED", "NAME"],
                entries.Select(entry => (IReadOnlyList<string>)
                [
                    ModeText(entry), SizeText.Format(entry.SizeBytes), entry.Modified.ToString(), entry.Name,
                ]));
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Stat()
    {
        Argument<string> path = VolumePath();
        Command command = new("stat", "Show what a volume knows of one file or directory.") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            EntrySummary entry = await context.Client.Get(
                "/v1/files/stat" + Query(parsed.GetValue(path)!), ControlJson.Default.EntrySummary, cancellation);
            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(entry, ControlJson.Default.EntrySummary));
                return ExitCode.Ok;
            }

            await context.Output.WriteLineAsync($"{ModeText(entry)}  {entry.Name}");
            await context.Output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{entry.SizeBytes} bytes, {entry.DataBytes} of data; inode {entry.Inode}, links {entry.LinkCount}, owner {entry.UserId}:{entry.GroupId}"));
            await context.Output.WriteLineAsync($"modified {entry.Modified}, changed {entry.Changed}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Put()
    {
        Argument<string> file = new("file") { Description = "A local file; - is standard input.", HelpName = "FILE" };
        Argument<string> path = VolumePath();
        Command command = new("put", "Copy a local file into a volume; it replaces what is there in one step.") { file, path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(file)!;
            string target = parsed.GetValue(path)!;
            await using Stream input = source == "-" ? Console.OpenStandardInput() : File.OpenRead(source);
            if (target.EndsWith('/') && source != "-")
            {
                target += Path.GetFileName(source);
            }

            using StreamContent content = new(input, 1 << 20);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Put, "/v1/files/content" + Query(target), content, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Get()
    {
        Argument<string> path = VolumePath();
        Argument<string?> file = new("file")
        {
            Description = "Where to put it; its own name here by default.",
            HelpName = "FILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Command command = new("get", "Copy a file out of a volume.") { path, file };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(path)!;
            string target = parsed.GetValue(file) ?? Path.GetFileName(source);
            if (Directory.Exists(target))
            {
                target = Path.Combine(target, Path.GetFileName(source));
            }

            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Get, "/v1/files/content" + Query(source), null, cancellation);
            string temporary = target + ".cairn-get";
            await using (FileStream output = new(temporary, FileMode.Create, FileAccess.Write))
            {
                await CopyWhole(response, output, source, cancellation);
            }

            File.Move(temporary, target, overwrite: true);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Cat()
    {
        Argument<string> path = VolumePath();
        Command command = new("cat", "Print a file of a volume.") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(path)!;
            using HttpResponseMessage response = await context.Client.Send(
                HttpMethod.Get, "/v1/files/content" + Query(source), null, cancellation);
            await using Stream output = Console.OpenStandardOutput();
            await CopyWhole(response, output, source, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command MakeDirectory()
    {
        Argument<string> path = VolumePath();
        Option<bool> parents = new("--parents", "-p") { Description = "Make missing parents too; existing directories are fine." };
        Command command = new("mkdir", "Make a directory in a volume.") { path, parents };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string query = Query(parsed.GetValue(path)!) + (parsed.GetValue(parents) ? "&parents=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, "/v1/files/directory" + query, null, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Remove()
    {
        Argument<string> path = VolumePath();
        Option<bool> recursive = new("--recursive", "-r") { Description = "A directory goes with everything below it." };
        Command command = new("rm", "Remove a file or directory from a volume.") { path, recursive };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string query = Query(parsed.GetValue(path)!) + (parsed.GetValue(recursive) ? "&recursive=true" : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Delete, "/v1/files" + query, null, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command Move()
    {
        Argument<string> from = VolumePath("from");
        Argument<string> to = VolumePath("to");
        Command command = new("mv", "Rename or move within a volume; no data moves.") { from, to };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string[] target = parsed.GetValue(to)!.Split('/', 2);
            if (target[0] != parsed.GetValue(from)!.Split('/', 2)[0])
            {
                throw new CommandException("both paths must be in the same volume; use get and put to copy between volumes");
            }

            string query = Query(parsed.GetValue(from)!) + "&target=" + Uri.EscapeDataString(target.Length > 1 ? target[1] : string.Empty);
            using HttpResponseMessage _ = await context.Client.Send(HttpMethod.Post, "/v1/files/move" + query, null, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task CopyWhole(HttpResponseMessage response, Stream output, string source, CancellationToken cancellation)
    {
        try
        {
            await response.Content.CopyToAsync(output, cancellation);
        }
        catch (HttpRequestException error)
        {
            throw new CommandException($"{source}: reading broke off; 'cairn status' and 'cairn logs' say why", error);
        }
    }

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

        return new string(text);
    }
}
