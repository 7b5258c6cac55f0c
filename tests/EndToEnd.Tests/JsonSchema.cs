using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cairn.EndToEnd.Tests;

/// <summary>The tables of docs/operations/json.md, held against what the program prints.</summary>
internal static partial class JsonSchema
{
    /// <summary>The document's text.</summary>
    public static string Document { get; } = File.ReadAllText(Path.Combine(Root(), "docs/operations/json.md"));

    /// <summary>Checks a value against a type as the document writes types: "array of X", "integer or null", "X".</summary>
    public static void Check(string type, JsonElement value, string where)
    {
        if (type.EndsWith(" or null", StringComparison.Ordinal) && value.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        type = type.Replace(" or null", string.Empty, StringComparison.Ordinal);
        if (type.StartsWith("array of ", StringComparison.Ordinal))
        {
            Assert.True(value.ValueKind == JsonValueKind.Array, $"{where} is no array");
            Assert.All(value.EnumerateArray(), item => Check(type["array of ".Length..], item, where + "[]"));
            return;
        }

        switch (type.Split(' ')[0])
        {
            case "integer":
                Assert.True(value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _), $"{where}: {value}");
                break;
            case "number":
                Assert.True(value.ValueKind == JsonValueKind.Number, $"{where}: {value}");
                break;
            case "boolean":
                Assert.True(value.ValueKind is JsonValueKind.True or JsonValueKind.False, $"{where}: {value}");
                break;
            case "string":
                Assert.True(value.ValueKind == JsonValueKind.String, $"{where}: {value}");
                CheckString(type, value.GetString()!, where);
                break;
            default:
                CheckMembers(type, value, where);
                break;
        }
    }

    private static void CheckString(string type, string text, string where)
    {
        if (Hex().Match(type) is { Success: true } hex)
        {
            bool isHex = Regex.IsMatch(text, $"^[0-9a-f]{{{hex.Groups[1].Value}}}$");
            Assert.True(isHex, $"{where}: '{text}' is not {type}");
        }
        else if (type.Contains("RFC 3339", StringComparison.Ordinal))
        {
            Assert.True(DateTimeOffset.TryParse(text, out _), $"{where}: '{text}' is no time");
        }
    }

    private static void CheckMembers(string type, JsonElement value, string where)
    {
        int start = Document.IndexOf($"\n## {type}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"{type} is not in the document");
        int end = Document.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        string section = Document[start..(end < 0 ? Document.Length : end)];
        Dictionary<string, string> members = Row().Matches(section)
            .ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value.Trim());
        Assert.Equal(members.Keys.Order(), value.EnumerateObject().Select(member => member.Name).Order());
        foreach (JsonProperty member in value.EnumerateObject())
        {
            Check(members[member.Name], member.Value, $"{where}: {type}.{member.Name}");
        }
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not in the repository");
        }

        return folder;
    }

    [GeneratedRegex(@"^\| `(\w+)` \| ([^|]+) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex(@"\((\d+) hex\)")]
    private static partial Regex Hex();
}
