namespace Cairn.Core.Text;

/// <summary>Content seen as lines; each keeps its end, so that joining them gives the content back.</summary>
public static class TextLines
{
    /// <summary>Longer content is not treated as text.</summary>
    public const int BytesMax = 4 << 20;

    /// <summary>Whether content can be compared line by line: it has no NUL and is not too long.</summary>
    public static bool IsText(ReadOnlySpan<byte> content) => content.Length <= BytesMax && !content.Contains((byte)0);

    /// <summary>Cuts content behind each line feed; the last line may have none.</summary>
    public static List<ReadOnlyMemory<byte>> Split(ReadOnlyMemory<byte> content)
    {
        List<ReadOnlyMemory<byte>> lines = [];
        while (!content.IsEmpty)
        {
            int end = content.Span.IndexOf((byte)'\n');
            int length = end < 0 ? content.Length : end + 1;
            lines.Add(content[..length]);
            content = content[length..];
        }

        return lines;
    }
}
