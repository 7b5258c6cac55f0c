using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>
/// Crockford's base 32 for codes that people copy: no case, no I, L, O or U, hyphens and blanks ignored.
/// </summary>
internal static class CodeText
{
    private const string Alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

    /// <summary>Digits for a number of bytes; the last digit is padded with zero bits.</summary>
    public static int DigitCount(int byteCount) => ((byteCount * 8) + 4) / 5;

    /// <summary>Encodes, with a hyphen after every <paramref name="groupLength"/> digits.</summary>
    public static string Encode(ReadOnlySpan<byte> bytes, int groupLength)
    {
        System.Text.StringBuilder text = new();
        int digits = DigitCount(bytes.Length);
        for (int i = 0; i < digits; i++)
        {
            text.Append(i > 0 && i % groupLength == 0 ? "-" : string.Empty);
            text.Append(Alphabet[Digit(bytes, i)]);
        }

        return text.ToString();
    }

    /// <summary>Reads the digits of a text; false at the first character that cannot be one.</summary>
    public static bool TryReadDigits(ReadOnlySpan<char> text, List<byte> digits)
    {
        foreach (char character in text)
        {
            if (character is '-' or ' ' or '\t' or '\r' or '\n')
            {
                continue;
            }

            int digit = Alphabet.IndexOf(Likely(character), StringComparison.Ordinal);
            if (digit < 0)
            {
                return false;
            }

            digits.Add((byte)digit);
        }

        return true;
    }

    /// <summary>Turns digits back into bytes; false when the padding is not zero.</summary>
    public static bool TryDecode(List<byte> digits, Span<byte> bytes)
    {
        Invariant.That(digits.Count == DigitCount(bytes.Length), $"{digits.Count} digits for {bytes.Length} bytes");
        int pending = 0;
        int pendingBits = 0;
        int written = 0;
        foreach (byte digit in digits)
        {
            pending = (pending << 5) | digit;
            pendingBits += 5;
            if (pendingBits >= 8)
            {
                pendingBits -= 8;
                bytes[written++] = (byte)(pending >> pendingBits);
                pending &= (1 << pendingBits) - 1;
            }
        }

        return pending == 0;
    }

    private static int Digit(ReadOnlySpan<byte> bytes, int index)
    {
        int bit = index * 5;
        int high = bytes[bit / 8];
        int low = (bit / 8) + 1 < bytes.Length ? bytes[(bit / 8) + 1] : 0;
        return (((high << 8) | low) >> (11 - (bit % 8))) & 31;
    }

    private static char Likely(char character) => char.ToUpperInvariant(character) switch
    {
        'O' => '0',
        'I' or 'L' => '1',
        char other => other,
    };
}
