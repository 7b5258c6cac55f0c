using System.Buffers;
using System.Globalization;

namespace Cairn.Core.Text;

/// <summary>Sizes as people write and read them: <c>50GiB</c>, <c>1.5T</c>, <c>20GB</c>, plain bytes.</summary>
public static class SizeText
{
    private static readonly SearchValues<char> NumberCharacters = SearchValues.Create("0123456789.");
    private static readonly string[] BinaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary>Parses a size; a bare letter means the binary unit (K = KiB), "KB" the decimal one.</summary>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        string trimmed = text.Trim();
        int digits = trimmed.AsSpan().IndexOfAnyExcept(NumberCharacters);
        string number = digits < 0 ? trimmed : trimmed[..digits];
        string unit = digits < 0 ? string.Empty : trimmed[digits..].Trim().ToUpperInvariant();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal value)
            || UnitBytes(unit) is not { } factor)
        {
            return false;
        }

        decimal product;
        try
        {
            product = value * factor;
        }
        catch (OverflowException)
        {
            return false;
        }

        if (product > long.MaxValue)
        {
            return false;
        }

        bytes = (long)product;
        return true;
    }

    /// <summary>Three significant digits and a binary unit: <c>1.25 GiB</c>.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        for (; Math.Abs(value) >= 1000 && unit < BinaryUnits.Length - 1; unit++)
        {
            value /= 1024;
        }

        string format = unit == 0 || Math.Abs(value) >= 100 ? "0" : Math.Abs(value) >= 10 ? "0.0" : "0.00";
        return value.ToString(format, CultureInfo.InvariantCulture) + " " + BinaryUnits[unit];
    }

    private static decimal? UnitBytes(string unit) => unit switch
    {
        "" or "B" => 1,
        "K" or "KIB" => 1L << 10,
        "M" or "MIB" => 1L << 20,
        "G" or "GIB" => 1L << 30,
        "T" or "TIB" => 1L << 40,
        "P" or "PIB" => 1L << 50,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "PB" => 1_000_000_000_000_000,
        _ => null,
    };
}
