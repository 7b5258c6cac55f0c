using System.Buffers;
using System.Text;

namespace Cairn.Core.Text;

/// <summary>Names, which are bytes, as text that can be written down, sent as JSON, and turned back into the same bytes.</summary>
/// <remarks>
/// A name is shown as the UTF-8 it almost always is. A byte that belongs to no UTF-8 character is shown as the private
/// character U+EF00 + byte (U+EF80 to U+EFFF); a name that has such a character itself is shown byte by byte there, so that
/// no two names look the same. From names to text and back is the identity; docs/operations/json.md, "Names".
/// Source: the OPTU encodings of MirBSD. Allocates: the result.
/// </remarks>
public static class NameText
{
    private const int Base = 0xEF00;
    private const int First = Base + 0x80;
    private const int Last = Base + 0xFF;

    /// <summary>A name as text.</summary>
    public static string Of(ReadOnlySpan<byte> name)
    {
        StringBuilder text = new(name.Length);
        Span<char> pair = stackalloc char[2];
        while (!name.IsEmpty)
        {
            bool isWhole = Rune.DecodeFromUtf8(name, out Rune rune, out int bytes) == OperationStatus.Done;
            if (isWhole && rune.Value is < First or > Last)
            {
                text.Append(pair[..rune.EncodeToUtf16(pair)]);
            }
            else
            {
                foreach (byte one in name[..bytes])
                {
                    text.Append((char)(Base + one));
                }
            }

            name = name[bytes..];
        }

        return text.ToString();
    }

    /// <summary>The bytes of a name that was written as text.</summary>
    public static byte[] ToBytes(string text)
    {
        List<byte> name = new(text.Length);
        Span<byte> utf8 = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (rune.Value is >= First and <= Last)
            {
                name.Add((byte)(rune.Value - Base));
            }
            else
            {
                name.AddRange(utf8[..rune.EncodeToUtf8(utf8)]);
            }
        }

        return [.. name];
    }

    /// <summary>Names from the top downwards as one path, with '/' between.</summary>
    public static string Join(IEnumerable<ReadOnlyMemory<byte>> names) =>
        string.Join('/', names.Select(static name => Of(name.Span)));

    /// <summary>The names of a path; leading, trailing and doubled slashes do not count.</summary>
    public static List<ReadOnlyMemory<byte>> Split(string path) =>
        [.. path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(static name => ToBytes(name).AsMemory())];
}
