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

    /// <summary>Runs a command that must be refused with a code and with words on standard error.</summary>
    public static async Task MustRefuse(this DemoNode node, int exit, string words, params string[] arguments)
    {
        CairnProcess.Outcome outcome = await node.Try(arguments);
        Assert.True(
            outcome.ExitCode == exit && outcome.Error.Contains(words, StringComparison.Ordinal),
            $"wanted {exit} and '{words}' of cairn {string.Join(' ', arguments)}, got {outcome}");
    }
}
