using System.CommandLine;

namespace Cairn.Cli.Commands;

/// <summary>Arguments that name something of the pool: described and completed alike in every command.</summary>
internal static class Names
{
    /// <summary>A volume.</summary>
    public static Argument<string> Volume()
    {
        Argument<string> volume = new("volume") { Description = "The volume's name.", HelpName = "VOLUME" };
        volume.CompletionSources.Add(Completions.Volumes);
        return volume;
    }

    /// <summary>A place in a volume.</summary>
    public static Argument<string> Path(string name = "path") => WithPaths(new Argument<string>(name));

    /// <summary>A place in a volume, or nothing.</summary>
    public static Argument<string?> OptionalPath() =>
        WithPaths(new Argument<string?>("path") { Arity = ArgumentArity.ZeroOrOne });

    /// <summary>A machine of the pool.</summary>
    public static Argument<string> Node()
    {
        Argument<string> node = new("node")
        {
            Description = "A node's name, its id, or the start of its id.",
            HelpName = "NODE",
        };
        node.CompletionSources.Add(Completions.Nodes);
        return node;
    }

    /// <summary>A machine of the pool, or a person who uses some.</summary>
    public static Argument<string> NodeOrUser()
    {
        Argument<string> node = Node();
        node.Description = "A node's name, its id, or the start of its id; or a person, for all their machines.";
        node.HelpName = "NODE|USER";
        return node;
    }

    /// <summary>Who did something, for people: the person who uses the machine before its name.</summary>
    public static string Who(string user, string node) => user.Length == 0 ? node : $"{user} ({node})";

    private static Argument<T> WithPaths<T>(Argument<T> path)
    {
        path.Description = "VOLUME, or VOLUME/path below it.";
        path.HelpName = "VOLUME/PATH";
        path.CompletionSources.Add(Completions.Paths);
        return path;
    }
}
