using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Cairn.Core.Text;

namespace Cairn.Cli.Commands;

/// <summary>Options of every command, and the shape of options that take a size.</summary>
public static class GlobalOptions
{
    /// <summary>Twenty days: longer waits are not what timers are for.</summary>
    private const double SecondsMax = 20 * 86_400;

    /// <summary>The node's home.</summary>
    public static Option<string?> Home { get; } = new("--home")
    {
        Description = "The node's home folder. Default: $CAIRN_HOME, else ~/.local/share/cairn.",
        HelpName = "DIR",
        Recursive = true,
    };

    /// <summary>Machine-readable output.</summary>
    public static Option<bool> Json { get; } = new("--json")
    {
        Description = "Print JSON; the schemas are in docs/operations/json.md.",
        Recursive = true,
    };

    /// <summary>Results only.</summary>
    public static Option<bool> Quiet { get; } = new("--quiet", "-q")
    {
        Description = "Print results only: no advice, no progress.",
        Recursive = true,
    };

    /// <summary>An option that takes a size such as 50GiB.</summary>
    public static Option<long?> Size(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SIZE",
        CustomParser = result => ParseSize(result),
    };

    /// <summary>Makes an argument take a size such as 50GiB.</summary>
    public static Argument<long> Size(Argument<long> argument)
    {
        ArgumentNullException.ThrowIfNull(argument);
        argument.CustomParser = result => ParseSize(result) ?? 0;
        return argument;
    }

    /// <summary>An option that takes a number of seconds, none of them negative.</summary>
    public static Option<TimeSpan?> Seconds(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "SECONDS",
        CustomParser = ParseSeconds,
    };

    /// <summary>An option that takes a whole number.</summary>
    /// <param name="name">What is typed.</param>
    /// <param name="least">The smallest that makes sense.</param>
    /// <param name="whole">What is said of another: "is not a number of days".</param>
    public static Option<int?> Number(string name, int least, string whole) => new(name)
    {
        CustomParser = result =>
        {
            string text = result.Tokens is [var only] ? only.Value : string.Empty;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least)
            {
                return number;
            }

            if (result.Tokens.Count > 0)
            {
                result.AddError($"'{text}' {whole}");
            }

            return null;
        },
    };

    private static TimeSpan? ParseSeconds(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : string.Empty;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds <= SecondsMax)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        result.AddError($"'{text}' is not a number of seconds, such as 90 or 0.5");
        return null;
    }

    private static long? ParseSize(ArgumentResult result)
    {
        string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : string.Empty;
        if (SizeText.TryParse(text, out long bytes))
        {
            return bytes;
        }

        result.AddError($"'{text}' is not a size: write a number and a unit, such as 50GiB or 1.5TB");
        return null;
    }
}
