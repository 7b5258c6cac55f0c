using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Cairn.Core.Rules;

/// <summary>One line of a `.cairnignore`.</summary>
/// <remarks>
/// Matching never goes back further than the last `*` of a name or the last `**` of a path, so a hostile pattern costs the
/// product of the lengths and no more.
/// </remarks>
internal sealed class IgnorePattern
{
    private readonly ImmutableArray<byte[]> _parts;
    private readonly bool _isFolderOnly;
    private readonly bool _isTied;

    private IgnorePattern(ImmutableArray<byte[]> parts, bool takesBack, bool isFolderOnly, bool isTied)
    {
        _parts = parts;
        TakesBack = takesBack;
        _isFolderOnly = isFolderOnly;
        _isTied = isTied;
    }

    /// <summary>Whether it begins with `!`: what it fits is shared after all.</summary>
    public bool TakesBack { get; }

    /// <summary>Reads a line; false for an empty one or a comment.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, [NotNullWhen(true)] out IgnorePattern? pattern)
    {
        pattern = null;
        line = TrimEnd(line);
        if (line.IsEmpty || line[0] == '#')
        {
            return false;
        }

        bool takesBack = line[0] == '!';
        line = takesBack ? line[1..] : line;
        bool isFolderOnly = !line.IsEmpty && line[^1] == '/';
        line = isFolderOnly ? line[..^1] : line;
        bool isTied = line.Contains((byte)'/');
        line = !line.IsEmpty && line[0] == '/' ? line[1..] : line;
        if (line.IsEmpty)
        {
            return false;
        }

        ImmutableArray<byte[]>.Builder parts = ImmutableArray.CreateBuilder<byte[]>();
        foreach (Range part in line.Split((byte)'/'))
        {
            parts.Add(line[part].ToArray());
        }

        pattern = new IgnorePattern(parts.ToImmutable(), takesBack, isFolderOnly, isTied);
        return true;
    }

    /// <summary>Whether it fits a path below its folder.</summary>
    public bool Fits(ReadOnlySpan<byte> path, bool isFolder)
    {
        if (_isFolderOnly && !isFolder)
        {
            return false;
        }

        return _isTied ? FitsPath(path) : FitsName(_parts[0], path[(path.LastIndexOf((byte)'/') + 1)..]);
    }

    /// <summary>A carriage return and spaces at the end do not count, unless a backslash stands before the last.</summary>
    private static ReadOnlySpan<byte> TrimEnd(ReadOnlySpan<byte> line)
    {
        line = !line.IsEmpty && line[^1] == '\r' ? line[..^1] : line;
        while (!line.IsEmpty && line[^1] == ' ' && !(line.Length > 1 && line[^2] == '\\'))
        {
            line = line[..^1];
        }

        return line;
    }

    private bool FitsPath(ReadOnlySpan<byte> path)
    {
        int part = 0;
        int at = 0;
        int retryPart = -1;
        int retryAt = 0;
        while (at <= path.Length)
        {
            ReadOnlySpan<byte> name = NameAt(path, at);
            if (part < _parts.Length && IsAnyDepth(_parts[part]))
            {
                // At the end it stands for everything below, but not for the folder itself.
                if (part == _parts.Length - 1)
                {
                    return at > 0 || part == 0;
                }

                (retryPart, retryAt) = (part++, at);
            }
            else if (part < _parts.Length && FitsName(_parts[part], name))
            {
                part++;
                at += name.Length + 1;
            }
            else if (retryPart >= 0)
            {
                part = retryPart + 1;
                at = retryAt += NameAt(path, retryAt).Length + 1;
            }
            else
            {
                return false;
            }
        }

        return part == _parts.Length;
    }

    private static bool IsAnyDepth(ReadOnlySpan<byte> part) => part.SequenceEqual("**"u8);

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> path, int at)
    {
        ReadOnlySpan<byte> rest = path[at..];
        int end = rest.IndexOf((byte)'/');
        return end < 0 ? rest : rest[..end];
    }

    private static bool FitsName(ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> name)
    {
        int p = 0;
        int n = 0;
        int star = -1;
        int starName = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, starName) = (p++, n);
            }
            else if (p < pattern.Length && TryFitOne(pattern, ref p, name[n]))
            {
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++starName;
            }
            else
            {
                return false;
            }
        }

        return pattern[p..].TrimStart((byte)'*').IsEmpty;
    }

    /// <summary>Whether the pattern's next part fits a byte; moves past it if so.</summary>
    private static bool TryFitOne(ReadOnlySpan<byte> pattern, ref int at, byte value)
    {
        byte first = pattern[at];
        int next = at + 1;
        bool fits;
        if (first == '[' && TryReadSet(pattern, at, value, out int end, out bool isIn))
        {
            (fits, next) = (isIn, end);
        }
        else if (first == '\\' && next < pattern.Length)
        {
            (fits, next) = (pattern[next] == value, next + 1);
        }
        else
        {
            fits = first == '?' || first == value;
        }

        at = fits ? next : at;
        return fits;
    }

    /// <summary>Reads `[a-z]` or `[!a-z]`; false if it is not closed: then the bracket stands for itself.</summary>
    private static bool TryReadSet(ReadOnlySpan<byte> pattern, int at, byte value, out int end, out bool isIn)
    {
        int i = at + 1;
        bool isInverted = i < pattern.Length && pattern[i] is (byte)'!' or (byte)'^';
        i += isInverted ? 1 : 0;
        isIn = false;
        int start = i;
        while (i < pattern.Length && (pattern[i] != ']' || i == start))
        {
            i += pattern[i] == '\\' && i + 1 < pattern.Length ? 1 : 0;
            byte low = pattern[i];
            bool isRange = i + 2 < pattern.Length && pattern[i + 1] == '-' && pattern[i + 2] != ']';
            byte high = isRange ? pattern[i + 2] : low;
            isIn |= value >= low && value <= high;
            i += isRange ? 3 : 1;
        }

        end = i + 1;
        isIn ^= isInverted;
        return i < pattern.Length;
    }
}
