using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>Content into and out of a volume without a mount: <c>put</c>, <c>get</c>, <c>cat</c>.</summary>
public static class TransferCommands
{
    private const int PermissionBits = 0x1FF;   // 0777

    /// <summary>What is below it is written to and never replaced.</summary>
    private const string Devices = "/dev/";

    /// <summary>Copies in.</summary>
    public static Command CreatePut()
    {
        Argument<string> file = new("file") { Description = "A local file; - is standard input.", HelpName = "FILE" };
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "put",
            "Copy a local file into a volume; it replaces what is there in one step.",
            "A path that ends with /, and a volume, take the file's own name. Readers see the old content or the new, "
            + "never a part. A file that was there keeps its mode and owner, a new one gets the local file's mode.",
            "cairn put beach.jpg photos/2026/",
            "tar -c src | cairn put - backup/src.tar") { file, path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(file)!;
            string target = parsed.GetValue(path)!;
            if (Directory.Exists(source))
            {
                throw new CommandException(
                    $"{source} is a directory: 'put' takes one file; mount the volume to copy folders");
            }

            await using Stream input = source == "-" ? Console.OpenStandardInput() : Open(source);
            if (source != "-" && (target.EndsWith('/') || !target.Contains('/')))
            {
                target = $"{target.TrimEnd('/')}/{Path.GetFileName(source)}";
            }

            // A pipe, such as the shell's <(COMMAND), has neither a length nor a mode that means anything.
            string mode = input.CanSeek && source != "-"
                ? FormattableString.Invariant($"&mode={(int)File.GetUnixFileMode(source) & PermissionBits}")
                : string.Empty;
            await TransferBar.Show(context, target, input.CanSeek ? input.Length : null, async bar =>
            {
                using BarContent content = new(input, bar);
                Task<HttpResponseMessage> sent = context.Client.Send(
                    HttpMethod.Put, "/v1/files/content" + VolumePath.Query(target) + mode, content, cancellation);

                // Reading a terminal or a pipe cannot be broken off: Ctrl-C does not wait for it.
                using HttpResponseMessage _ = await sent.WaitAsync(cancellation);
            });
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Copies out.</summary>
    public static Command CreateGet()
    {
        Argument<string> path = Names.Path();
        Argument<string?> file = new("file")
        {
            Description = "Where to put it; its own name here by default.",
            HelpName = "FILE",
            Arity = ArgumentArity.ZeroOrOne,
        };
        Command command = new ManualCommand(
            "get",
            "Copy a file out of a volume.",
            "The file appears under its name when it is whole. PATH@VERSION and PATH@TIME get a past version.",
            "cairn get photos/2026/beach.jpg",
            "cairn get photos/2026/beach.jpg /tmp/") { path, file };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(path)!;
            if (Path.GetFileName(VolumePath.Split(source).Path).Length == 0)
            {
                throw new CommandException(
                    $"{source} names no file: 'get' takes one file; mount the volume to copy folders")
                {
                    Exit = ExitCode.Usage,
                };
            }

            (HttpResponseMessage answer, string name) = await PastContent.Ask(context, source, cancellation);
            using HttpResponseMessage response = answer;
            string target = parsed.GetValue(file) ?? name;
            if (Directory.Exists(target))
            {
                target = Path.Combine(target, name);
            }

            if (target.StartsWith(Devices, StringComparison.Ordinal))
            {
                await using FileStream device = new(target, FileMode.Open, FileAccess.Write);
                await Fetch(context, source, response, device, cancellation);
            }
            else
            {
                await Replace(target, output => Fetch(context, source, response, output, cancellation));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Prints.</summary>
    public static Command CreateCat()
    {
        Argument<string> path = Names.Path();
        Command command = new ManualCommand(
            "cat",
            "Print a file of a volume.",
            "PATH@VERSION and PATH@TIME print a past version; 'cairn log' lists them.",
            "cairn cat notes/todo.txt",
            "cairn cat notes/todo.txt@1a2b3c4d",
            "cairn cat backup/src.tar | tar -t") { path };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            string source = parsed.GetValue(path)!;
            await using Stream output = Console.OpenStandardOutput();
            (HttpResponseMessage answer, _) = await PastContent.Ask(context, source, cancellation);
            using HttpResponseMessage response = answer;
            await using Stream input = await response.Content.ReadAsStreamAsync(cancellation);
            await Whole(source, () => TransferBar.Copy(input, output, static _ => { }, cancellation));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Without a buffer of its own: that would be waited for when a pipe that gives nothing is closed.</summary>
    private static FileStream Open(string source) => new(source, new FileStreamOptions { BufferSize = 0 });

    /// <summary>Fills a file beside the target, which takes the target's name when it is whole.</summary>
    private static async Task Replace(string target, Func<Stream, Task> fill)
    {
        // Not the target's name and more: that may be as long as names can be.
        string folder = Path.GetDirectoryName(Path.GetFullPath(target))!;
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"there is no folder {folder}");
        }

        string temporary = Path.Combine(folder, FormattableString.Invariant($".cairn-get.{Environment.ProcessId}"));
        await using (FileStream output = new(temporary, FileMode.Create, FileAccess.Write))
        {
            try
            {
                await fill(output);
            }
            catch
            {
                File.Delete(temporary);
                throw;
            }
        }

        File.Move(temporary, target, overwrite: true);
    }

    private static async Task Fetch(
        CommandContext context, string source, HttpResponseMessage response, Stream output,
        CancellationToken cancellation)
    {
        await using Stream input = await response.Content.ReadAsStreamAsync(cancellation);
        await TransferBar.Show(context, source, response.Content.Headers.ContentLength, bar =>
            Whole(source, () => TransferBar.Copy(input, output, bar, cancellation)));
    }

    private static async Task Whole(string source, Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (HttpIOException error)
        {
            throw new CommandException($"{source}: reading broke off; 'cairn status' and 'cairn logs' say why", error);
        }
    }
}
