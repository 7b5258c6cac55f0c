using System.Globalization;
using System.Text;

namespace Cairn.Io.FuseDevice;

/// <summary>A line of /proc/self/mountinfo.</summary>
/// <param name="Device">"major:minor".</param>
/// <param name="Directory">The mount point.</param>
/// <param name="Type">"fuse.cairn", "ext4".</param>
/// <param name="Source">What is mounted.</param>
public readonly record struct MountEntry(string Device, string Directory, string Type, string Source);

/// <summary>What is mounted where, as the kernel says.</summary>
public static class MountTable
{
    private const string Path = "/proc/self/mountinfo";

    /// <summary>All mounts, in the order they were made.</summary>
    public static IReadOnlyList<MountEntry> Read()
    {
        List<MountEntry> entries = [];
        foreach (string line in File.ReadLines(Path, Encoding.UTF8))
        {
            if (Parse(line) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return entries;
    }

    /// <summary>The topmost mount on a directory, or null.</summary>
    public static MountEntry? Find(string directory)
    {
        MountEntry? found = null;
        foreach (MountEntry entry in Read())
        {
            found = entry.Directory == directory ? entry : found;
        }

        return found;
    }

    /// <summary>
    /// Reads a line: id, parent, device, root, mount point, options, optional fields, "-", type, source, options.
    /// </summary>
    /// <remarks>Source: proc_pid_mountinfo(5). Null when it is not such a line.</remarks>
    public static MountEntry? Parse(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        string[] fields = line.Split(' ');
        int dash = Array.IndexOf(fields, "-");
        return fields.Length > 5 && dash >= 6 && fields.Length > dash + 2
            ? new MountEntry(fields[2], Unescape(fields[4]), fields[dash + 1], Unescape(fields[dash + 2]))
            : null;
    }

    /// <summary>Space, tab, newline and backslash are written as three octal digits.</summary>
    private static string Unescape(string field)
    {
        if (!field.Contains('\\', StringComparison.Ordinal))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (int i = 0; i < field.Length; i++)
        {
            bool isEscape = field[i] == '\\'
                && i + 3 < field.Length
                && field.AsSpan(i + 1, 3).IndexOfAnyExceptInRange('0', '7') < 0;
            text.Append(isEscape ? (char)Octal(field.AsSpan(i + 1, 3)) : field[i]);
            i += isEscape ? 3 : 0;
        }

        return text.ToString();
    }

    private static int Octal(ReadOnlySpan<char> digits) =>
        digits[^1] - '0'
        + (8 * (digits[^2] - '0'))
        + (64 * int.Parse(digits[..1], NumberStyles.None, CultureInfo.InvariantCulture));
}
