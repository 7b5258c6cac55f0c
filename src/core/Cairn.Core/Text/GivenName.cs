using System.Text;

namespace Cairn.Core.Text;

/// <summary>What may be the name of a volume, a snapshot, a machine or a person: one rule for all that people name.</summary>
/// <remarks>
/// Such a name stands in commands beside options, paths and moments, and on the screens of others: it must not read as any of
/// these, nor hide what it is. Names of files are free: <see cref="Log.EntryName"/>.
/// </remarks>
public static class GivenName
{
    /// <summary>The longest in bytes of UTF-8.</summary>
    public const int BytesMax = 128;

    /// <summary>The rule, to be said behind "A volume's name" and the like.</summary>
    public const string Rule = "has 1 to 128 bytes, no slash and no control characters; it does not begin with '-' "
        + "or '@', is not '.' or '..', and has no space at either end.";

    /// <summary>Whether something may be called so.</summary>
    public static bool IsValid(string name) =>
        name.Length > 0 && Encoding.UTF8.GetByteCount(name) <= BytesMax
        && !name.Contains('/', StringComparison.Ordinal) && !name.Any(char.IsControl)
        && name is not ("." or ".." or ['-' or '@', ..]) && name.Trim() == name;
}
