using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>Text in the pool's formats: a length-prefixed run of well-formed UTF-8 with a stated limit.</summary>
internal static class WireText
{
    private static readonly UTF8Encoding Strict =
        new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Writes text; an unpaired surrogate or a text over the limit is the caller's bug.</summary>
    public static void Write(WireWriter writer, string text, int bytesMax)
    {
        byte[] bytes = Strict.GetBytes(text);
        Invariant.That(bytes.Length <= bytesMax, $"text of {bytes.Length} bytes, at most {bytesMax}");
        writer.LengthPrefixed(bytes);
    }

    /// <summary>Reads text; ill-formed UTF-8 or too many bytes fail the reader.</summary>
    public static string Read(ref WireReader reader, int bytesMax)
    {
        ReadOnlySpan<byte> bytes = reader.LengthPrefixed(bytesMax);
        if (System.Text.Unicode.Utf8.IsValid(bytes))
        {
            return Strict.GetString(bytes);
        }

        reader.Fail();
        return string.Empty;
    }
}
