using System.Collections.Immutable;

namespace Cairn.Core.Rules;

/// <summary>What a `.cairnignore` file says: which names below its folder stay on the node that made them.</summary>
/// <remarks>
/// The syntax is that of gitignore: a pattern a line, `#` begins a comment, the last pattern that fits decides and `!` takes back;
/// a slash at the end means folders only, any other slash ties the pattern to this folder, without one it fits at any depth.
/// Names are bytes, as in the tree. Source: gitignore(5), section "Pattern format". docs/decisions/local-files.md.
/// </remarks>
public sealed class IgnorePatterns
{
    /// <summary>The name of the file.</summary>
    public const string FileName = ".cairnignore";

    /// <summary>The longest file that is read, in bytes; what follows is not.</summary>
    public const int FileBytesMax = 64 * 1024;

    private readonly ImmutableArray<IgnorePattern> _patterns;

    private IgnorePatterns(ImmutableArray<IgnorePattern> patterns) => _patterns = patterns;

    /// <summary>Says nothing about any name.</summary>
    public static IgnorePatterns None { get; } = new([]);

    /// <summary>Whether no pattern is in it.</summary>
    public bool IsEmpty => _patterns.IsEmpty;

    /// <summary>Reads a file; no text is wrong, a line that is no pattern fits nothing.</summary>
    public static IgnorePatterns Parse(ReadOnlySpan<byte> text)
    {
        text = text[..Math.Min(text.Length, FileBytesMax)];
        ImmutableArray<IgnorePattern>.Builder patterns = ImmutableArray.CreateBuilder<IgnorePattern>();
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            if (IgnorePattern.TryParse(line, out IgnorePattern? pattern))
            {
                patterns.Add(pattern);
            }
        }

        return patterns.Count == 0 ? None : new IgnorePatterns(patterns.ToImmutable());
    }

    /// <summary>Whether a name stays local, or null if no pattern fits it: then the folder above is asked.</summary>
    /// <param name="path">From the folder of the file down to the name, without a slash at either end.</param>
    /// <param name="isFolder">Whether the name is a folder's.</param>
    public bool? Decide(ReadOnlySpan<byte> path, bool isFolder)
    {
        for (int i = _patterns.Length - 1; i >= 0; i--)
        {
            if (_patterns[i].Fits(path, isFolder))
            {
                return !_patterns[i].TakesBack;
            }
        }

        return null;
    }
}
