using System.CommandLine;

namespace Cairn.Cli.Commands;

/// <summary>A command with what a manual page has beyond a table of options: details, and examples to copy.</summary>
/// <param name="name">What is typed.</param>
/// <param name="description">One sentence for listings.</param>
/// <param name="details">What one must know to use it well; may be empty.</param>
/// <param name="examples">Whole command lines; a test parses each of them.</param>
internal sealed class ManualCommand(string name, string description, string details, params string[] examples)
    : Command(name, description)
{
    /// <summary>Shown below the options.</summary>
    public string Details { get; } = details;

    /// <summary>Shown last.</summary>
    public IReadOnlyList<string> Examples { get; } = examples;
}
