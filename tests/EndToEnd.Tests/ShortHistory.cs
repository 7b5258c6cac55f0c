using Cairn.Cli;
using Cairn.Cli.Demo;

namespace Cairn.EndToEnd.Tests;

/// <summary>Daemons that drop old history after 60 changes and 3 seconds, and what they say then.</summary>
internal static class ShortHistory
{
    /// <summary>What is answered to who asks for what was dropped.</summary>
    public const string Gone = "the history does not go back so far any more";

    /// <summary>The environment of each.</summary>
    public static readonly (string Name, string Value)[] Environment = [("CAIRN_TRIAL_HISTORY", "60 3")];

    /// <summary>Whether a node's history of the volume "v" cannot be followed from the beginning any more.</summary>
    public static bool HasDropped(DemoNode node) => HasDropped(node, "v");

    /// <summary>Whether a node's history of a volume cannot be followed from the beginning any more.</summary>
    public static bool HasDropped(DemoNode node, string volume)
    {
        try
        {
            node.Ask($"/v1/changes?volume={volume}&path=&from=start");
            return false;
        }
        catch (CommandException refused)
        {
            return refused.Message.Contains(Gone, StringComparison.Ordinal);
        }
    }
}
