using System.Globalization;

namespace Cairn.Architecture.Tests;

/// <summary>Old sins per file, in a checked-in list that may only shrink: new ones fail, and so do entries paid off.</summary>
internal static class Ratchet
{
    /// <summary>Compares counts with the list; CAIRN_RATCHET=1 writes the list anew where it shrinks.</summary>
    internal static void Check(string list, IReadOnlyDictionary<string, int> found)
    {
        string path = Path.Join("tests/Architecture.Tests/Exceptions", list);
        Dictionary<string, int> allowed = Repository.Lines(path)
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split(' '))
            .ToDictionary(
                parts => parts[1], parts => int.Parse(parts[0], CultureInfo.InvariantCulture), StringComparer.Ordinal);
        if (Environment.GetEnvironmentVariable("CAIRN_RATCHET") == "1")
        {
            Rewrite(path, found, allowed);
        }

        Findings.None(found
            .Where(pair => pair.Value > allowed.GetValueOrDefault(pair.Key))
            .Select(pair => $"{pair.Key}: {pair.Value}, allowed {allowed.GetValueOrDefault(pair.Key)}"));
    }

    private static void Rewrite(
        string path, IReadOnlyDictionary<string, int> found, IReadOnlyDictionary<string, int> allowed)
    {
        IEnumerable<string> comment = Repository.Lines(path).TakeWhile(line => line.StartsWith('#'));
        IEnumerable<string> kept = allowed
            .Select(pair => (Path: pair.Key, Count: Math.Min(pair.Value, found.GetValueOrDefault(pair.Key))))
            .Where(entry => entry.Count > 0)
            .OrderBy(entry => entry.Path, StringComparer.Ordinal)
            .Select(entry => string.Create(CultureInfo.InvariantCulture, $"{entry.Count} {entry.Path}"));
        string[] lines = [.. comment, .. kept];
        File.WriteAllLines(Path.Join(Repository.Root, path), lines);
    }
}
