using System.Net.Http.Json;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;

namespace Cairn.Cli;

/// <summary>Speaks HTTP with the daemon over its control socket.</summary>
public sealed class ControlClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _home;

    /// <summary>A client for the daemon of a home; connects at the first request.</summary>
    /// <exception cref="CommandException">The socket would lie in a folder that somebody else has.</exception>
    public ControlClient(string home)
    {
        _home = home;
        string socket = HomeFolder.ControlSocket(home);
        ControlSocketFile.Check(home, socket);
        _http = Client(socket);
    }

    /// <summary>Whether a daemon answers at a control socket.</summary>
    public static async Task<bool> Answers(string socket, CancellationToken cancellation)
    {
        try
        {
            using HttpClient http = Client(socket);
            Uri ping = new("/v1/ping", UriKind.Relative);
            using HttpResponseMessage response = await http.GetAsync(ping, cancellation);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>A request whose answer is one JSON value.</summary>
    /// <exception cref="CommandException">The daemon does not answer or refused; the message is its own.</exception>
    public async Task<T> Get<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await Send(HttpMethod.Get, path, null, cancellation);
        return await response.Content.ReadFromJsonAsync(type, cancellation)
            ?? throw new CommandException("the daemon's answer is empty");
    }

    /// <summary>A request that changes something and answers one JSON value.</summary>
    /// <exception cref="CommandException">The daemon does not answer or refused; the message is its own.</exception>
    public async Task<T> Post<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using HttpResponseMessage response = await Send(HttpMethod.Post, path, null, cancellation);
        return await response.Content.ReadFromJsonAsync(type, cancellation)
            ?? throw new CommandException("the daemon's answer is empty");
    }

    /// <summary>A request that changes something.</summary>
    /// <exception cref="CommandException">The daemon does not answer or refused; the message is its own.</exception>
    public async Task<HttpResponseMessage> Send(
        HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using HttpRequestMessage request = new(method, new Uri(path, UriKind.Relative)) { Content = content };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException error) when (error.InnerException is SocketException)
        {
            string advice = HomeFolder.IsInitialized(_home)
                ? $"the daemon of {_home} does not run: start it with 'cairn up' (or 'cairn up --detach')"
                : $"there is no node in {_home}: run 'cairn init' or 'cairn join', or name its home with --home";
            throw new CommandException(advice, error) { Exit = ExitCode.NoDaemon };
        }
        catch (HttpRequestException error) when (error.HttpRequestError == HttpRequestError.ResponseEnded)
        {
            throw Ended(error);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            string reason = Printable.Of((await response.Content.ReadAsStringAsync(cancellation)).Trim());
            throw new CommandException(reason.Length > 0 ? reason : $"the daemon answered {(int)response.StatusCode}")
            {
                Exit = (int)response.StatusCode switch
                {
                    400 => ExitCode.Usage,
                    404 => ExitCode.NotFound,
                    423 => ExitCode.Locked,
                    _ => ExitCode.Failed,
                },
            };
        }
    }

    /// <summary>A request whose answer is a JSON value a line, each as it comes.</summary>
    public IAsyncEnumerable<T> Stream<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) =>
        Stream(HttpMethod.Get, path, type, cancellation);

    /// <summary>As <see cref="Stream{T}(string, JsonTypeInfo{T}, CancellationToken)"/>, for a request that changes something.</summary>
    public async IAsyncEnumerable<T> Stream<T>(
        HttpMethod method, string path, JsonTypeInfo<T> type, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using HttpResponseMessage response = await Send(method, path, null, cancellation);
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync(cancellation));
        while (await ReadLine(lines, cancellation) is { } line)
        {
            if (line.Length > 0 && JsonSerializer.Deserialize(line, type) is { } item)
            {
                yield return item;
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<string?> ReadLine(StreamReader lines, CancellationToken cancellation)
    {
        try
        {
            return await lines.ReadLineAsync(cancellation);
        }
        catch (IOException error)
        {
            throw Ended(error);
        }
    }

    private CommandException Ended(Exception error) =>
        new($"the daemon of {_home} ended before it answered; why is in {HomeFolder.Log(_home)}", error)
        {
            Exit = ExitCode.NoDaemon,
        };

    private static HttpClient Client(string socket)
    {
        SocketsHttpHandler handler = new()
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket connection = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            },
        };
        return new HttpClient(handler) { BaseAddress = new Uri("http://cairn"), Timeout = Timeout.InfiniteTimeSpan };
    }
}
