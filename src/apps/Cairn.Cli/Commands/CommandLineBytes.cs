using Cairn.Core.Text;

namespace Cairn.Cli.Commands;

/// <summary>The words of the command line as they were typed: names in a volume are bytes, and need not be UTF-8.</summary>
public static class CommandLineBytes
{
    private const char Unreadable = '\uFFFD';

    /// <summary>
    /// The words, with each byte that is no UTF-8 in the form in which listings print it. The runtime puts one mark in place of
    /// all of them: a command would make, or look for, another name than was meant.
    /// </summary>
    /// <param name="words">What the runtime made of them.</param>
    /// <param name="read">Reads all words of the process, each ended by a zero: /proc/self/cmdline.</param>
    public static string[] Restore(string[] words, Func<byte[]> read)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(read);
        if (!words.Any(static word => word.Contains(Unreadable, StringComparison.Ordinal)))
        {
            return words;
        }

        List<byte[]> typed = Split(read());
        return typed.Count < words.Length
            ? words
            : [.. words.Zip(typed[^words.Length..], static (word, bytes) =>
                word.Contains(Unreadable, StringComparison.Ordinal) ? NameText.Of(bytes) : word)];
    }

    private static List<byte[]> Split(ReadOnlySpan<byte> all)
    {
        List<byte[]> words = [];
        while (all.IndexOf((byte)0) is >= 0 and int end)
        {
            words.Add(all[..end].ToArray());
            all = all[(end + 1)..];
        }

        return words;
    }
}
