using System.Globalization;
using Cairn.Node;

namespace Cairn.Cli.Daemon;

/// <summary>Lets a test of real daemons see in seconds what takes 50,000 changes and 90 days: old history is dropped.</summary>
/// <remarks>
/// <c>CAIRN_TRIAL_HISTORY="CHANGES SECONDS"</c> in the daemon's environment, the same on all nodes. Not a setting of a home:
/// nobody wants it, and one that is left behind would drop what <c>horizonDays</c> keeps. The daemon says that it is set.
/// </remarks>
internal static class TrialHistory
{
    /// <summary>The variable.</summary>
    public const string Variable = "CAIRN_TRIAL_HISTORY";

    /// <summary>Options as they are, or with a short history.</summary>
    /// <exception cref="CommandException">The variable is set to something else than two positive whole numbers.</exception>
    public static NodeOptions Apply(NodeOptions options)
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } text)
        {
            return options;
        }

        string[] words = text.Split(' ');
        if (words.Length != 2 || Number(words[0]) is not { } changes || Number(words[1]) is not { } seconds)
        {
            throw new CommandException($"{Variable} is for tests, and '{text}' is not CHANGES SECONDS: unset it");
        }

        Console.Error.WriteLine($"cairn: {Variable} is set: history older than {seconds} seconds is dropped");
        return options with
        {
            TableFrom = changes,
            Horizon = TimeSpan.FromSeconds(seconds),
            DropBytesMin = 1,
            HousekeepingInterval = TimeSpan.FromSeconds(0.5),
        };
    }

    private static int? Number(string word) =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : null;
}
