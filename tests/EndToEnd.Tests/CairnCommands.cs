using Cairn.Cli;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Runs <c>cairn</c> as its users do, for tests that look at what it prints and exits with.</summary>
internal static class CairnCommands
{
    /// <summary>Runs a command to its end, whatever that is.</summary>
    public static Task<CairnProcess.Outcome> Try(this DemoNode node, params string[] arguments) =>
        CairnProcess.Run(node.Home, TestContext.Current.CancellationToken, arguments);

    /// <summary>Runs a command that must succeed; returns what it printed.</summary>
    public static Task<string> Must(this DemoNode node, params string[] arguments) =>
        node.Run(TestContext.Current.CancellationToken, arguments);

    /// <summary>A file as the daemon shows it; null when it does not.</summary>
    public static byte[]? Read(this DemoNode node, string volume, string path)
    {
        try
        {
            return node.Ask($"/v1/files/content?volume={volume}&path={path}");
        }
        catch (Exception refused) when (refused is CommandException or HttpRequestException)
        {
            return null;
        }
    }

    /// <summary>Has the daemon make a file. For many of them: a process each would take long.</summary>
    public static async Task Write(this DemoNode node, string volume, string path, byte[] bytes)
    {
        using ControlClient client = new(node.Home);
        using ByteArrayContent content = new(bytes);
        using HttpResponseMessage written = await client.Send(
            HttpMethod.Put, $"/v1/files/content?volume={volume}&path={path}", content,
            TestContext.Current.CancellationToken);
    }

    /// <summary>What the daemon answers. For conditions that are asked again and again: a process each would take long.</summary>
    public static byte[] Ask(this DemoNode node, string path)
    {
        using ControlClient client = new(node.Home);
        return Fetch(client, path).GetAwaiter().GetResult();
    }

    /// <summary>Runs a command that must be refused with a code and with words on standard error.</summary>
    public static async Task MustRefuse(this DemoNode node, int exit, string words, params string[] arguments)
    {
        CairnProcess.Outcome outcome = await node.Try(arguments);
        Assert.True(
            outcome.ExitCode == exit && outcome.Error.Contains(words, StringComparison.Ordinal),
            $"wanted {exit} and '{words}' of cairn {string.Join(' ', arguments)}, got {outcome}");
    }

    private static async Task<byte[]> Fetch(ControlClient client, string path)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using HttpResponseMessage response = await client.Send(HttpMethod.Get, path, null, cancellation);
        return await response.Content.ReadAsByteArrayAsync(cancellation);
    }
}
