using System.Security.Cryptography;

namespace Cairn.Cli.Demo;

/// <summary>Compares two folders byte for byte, through whatever file systems they lie on.</summary>
public static class TreeComparer
{
    /// <summary>What was compared.</summary>
    /// <param name="Files">Regular files read.</param>
    /// <param name="Bytes">Bytes read on the second side.</param>
    /// <param name="Differences">Sentences, empty when all is equal; at most twenty.</param>
    public sealed record Comparison(int Files, long Bytes, IReadOnlyList<string> Differences);

    /// <summary>Everything below a folder; what a symbolic link points at is not.</summary>
    internal static EnumerationOptions EverythingBelow => new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    /// <summary>The hashes of all regular files below a folder, by relative path in ordinal order.</summary>
    public static SortedDictionary<string, string> Hash(string root, CancellationToken cancellation)
    {
        SortedDictionary<string, string> hashes = new(StringComparer.Ordinal);
        foreach (string path in Directory.EnumerateFiles(root, "*", EverythingBelow))
        {
            cancellation.ThrowIfCancellationRequested();
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            hashes[Path.GetRelativePath(root, path)] = Convert.ToHexStringLower(SHA256.HashData(file));
        }

        return hashes;
    }

    /// <summary>How long each regular file below a folder is, by relative path.</summary>
    public static Dictionary<string, long> Lengths(string root) =>
        Directory.EnumerateFiles(root, "*", EverythingBelow)
            .ToDictionary(path => Path.GetRelativePath(root, path), path => new FileInfo(path).Length);

    /// <summary>Compares a folder with hashes taken before.</summary>
    public static Comparison Compare(
        SortedDictionary<string, string> expected, string root, CancellationToken cancellation)
    {
        SortedDictionary<string, string> actual = Hash(root, cancellation);
        List<string> differences = [];
        foreach ((string path, string hash) in expected)
        {
            if (!actual.TryGetValue(path, out string? found))
            {
                differences.Add($"{path} is missing");
            }
            else if (found != hash)
            {
                differences.Add($"{path} differs");
            }
        }

        IEnumerable<string> added = actual.Keys.Where(path => !expected.ContainsKey(path));
        differences.AddRange(added.Select(path => $"{path} is too much"));
        long bytes = actual.Keys.Sum(path => new FileInfo(Path.Combine(root, path)).Length);
        return new Comparison(actual.Count, bytes, [.. differences.Take(20)]);
    }
}
