using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary>What every command gets: the home it speaks to, how to print, and the daemon's client.</summary>
public sealed class CommandContext : IDisposable
{
    private readonly Lazy<ControlClient> _client;

    private CommandContext(string home, bool json, bool quiet)
    {
        Home = home;
        Json = json;
        Quiet = quiet;
        _client = new Lazy<ControlClient>(() => new ControlClient(home));
    }

    /// <summary>The node's home.</summary>
    public string Home { get; }

    /// <summary>Whether output is JSON.</summary>
    public bool Json { get; }

    /// <summary>Whether only results are printed: no advice, no progress.</summary>
    public bool Quiet { get; }

    /// <summary>Whether somebody looks at standard error who would like to see progress.</summary>
    public bool ShowsProgress => !Json && !Quiet && !Console.IsErrorRedirected;

    /// <summary>The daemon.</summary>
    public ControlClient Client => _client.Value;

    /// <summary>Where results go.</summary>
    public TextWriter Output { get; } = Console.Out;

    /// <summary>Gives a command its action: one place turns failures into messages and exit codes.</summary>
    public static void Attach(Command command, Func<CommandContext, ParseResult, CancellationToken, Task<int>> action)
    {
        command.SetAction(async (parsed, cancellation) =>
        {
            using CommandContext context = new(
                HomeFolder.Resolve(parsed.GetValue(GlobalOptions.Home)),
                parsed.GetValue(GlobalOptions.Json),
                parsed.GetValue(GlobalOptions.Quiet));
            try
            {
                return await action(context, parsed, cancellation);
            }
            catch (CommandException error)
            {
                await Console.Error.WriteLineAsync("cairn: " + error.Message);
                return error.Exit;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or HttpRequestException)
            {
                await Console.Error.WriteLineAsync("cairn: " + error.Message);
                return ExitCode.Failed;
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
        });
    }

    /// <summary>Prints a line of advice to people who have not asked for quiet or JSON.</summary>
    public void Say(string line)
    {
        if (!Quiet && !Json)
        {
            Output.WriteLine(Printable.Of(line));
        }
    }

    /// <summary>Prints one JSON value on a line of its own.</summary>
    public Task PrintJson<T>(T value, JsonTypeInfo<T> type) =>
        Output.WriteLineAsync(JsonSerializer.Serialize(value, type));

    /// <summary>Prints a table whose first line is its headings.</summary>
    public void PrintTable(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        foreach (string line in PlainTable.Lines(headings, rows))
        {
            Output.WriteLine(line);
        }
    }

    /// <summary>Asks the daemon for a listing and prints it: JSON as it came, or a table with some rows an item.</summary>
    public async Task<int> PrintListing<T>(
        string request,
        JsonTypeInfo<IReadOnlyList<T>> type,
        IReadOnlyList<string> headings,
        Func<T, IEnumerable<IReadOnlyList<string>>> rows,
        CancellationToken cancellation)
    {
        IReadOnlyList<T> items = await Client.Get(request, type, cancellation);
        return await Print(items, type, all => PrintTable(headings, all.SelectMany(rows)));
    }

    /// <summary>Prints one answer of the daemon: as JSON, or as people read it.</summary>
    public async Task<int> Print<T>(T answer, JsonTypeInfo<T> type, Action<T> show)
    {
        if (Json)
        {
            await PrintJson(answer, type);
        }
        else
        {
            show(answer);
        }

        return ExitCode.Ok;
    }

    /// <summary>Asks the daemon for a change that answers nothing.</summary>
    public async Task<int> Change(HttpMethod method, string request, CancellationToken cancellation)
    {
        using HttpResponseMessage _ = await Client.Send(method, request, null, cancellation);
        return ExitCode.Ok;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_client.IsValueCreated)
        {
            _client.Value.Dispose();
        }
    }
}
