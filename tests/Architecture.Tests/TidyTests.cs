using System.Text.RegularExpressions;

namespace Cairn.Architecture.Tests;

/// <summary>The look of the sources, read as text. Exceptions are listed beside this file; the lists may only shrink.</summary>
public sealed partial class TidyTests
{
    private const int ColumnsMax = 120;
    private const int ProseColumnsMax = 140;
    private const int FileLinesMax = 500;
    private const int MethodLinesMax = 70;

    [Fact]
    public void Lines_fit_the_page() => Ratchet.Check(
        "long-lines.txt",
        Repository.Sources().ToDictionary(
            path => path, path => Repository.Lines(path).Count(line => IsLong(path, line))));

    [Fact]
    public void Files_hold_one_idea()
    {
        string[] long_ = [.. Repository.Sources().Where(path => Repository.Lines(path).Length > FileLinesMax)];
        Findings.None(long_);
    }

    [Fact]
    public void Methods_fit_a_screen() => Ratchet.Check(
        "long-methods.txt", Repository.Sources().ToDictionary(path => path, path => LongMethods(path)));

    [Fact]
    public void Nothing_is_folded_away_or_left_for_later()
    {
        IEnumerable<string> found = Repository.Sources()
            .Where(path => !path.StartsWith("tests/Architecture.Tests/", StringComparison.Ordinal))
            .SelectMany(path => Repository.Lines(path).Select((line, index) => (path, line, index)))
            .Where(at => Unwanted().IsMatch(at.line))
            .Select(at => $"{at.path}:{at.index + 1}: {at.line.Trim()}");
        Findings.None(found);
    }

    [Fact]
    public void Sources_have_spaces_a_final_newline_and_no_carriage_returns()
    {
        IEnumerable<string> found = Repository.Sources().Where(path =>
        {
            string text = Repository.Text(path);
            return text.Contains('\r', StringComparison.Ordinal) || !text.EndsWith('\n')
                || (text.Contains('\t', StringComparison.Ordinal));
        });
        Findings.None(found);
    }

    /// <summary>As `dotnet format` wants it, and no analyzer says.</summary>
    [Fact]
    public void Usings_are_in_order()
    {
        IEnumerable<string> found = Repository.Sources().Where(path =>
        {
            string[] usings = [.. Repository.Lines(path)
                .Select(line => Using().Match(line)).Where(match => match.Success)
                .Select(match => match.Groups[1].Value)];
            return !usings.SequenceEqual(usings
                .OrderBy(name => name != "System" && !name.StartsWith("System.", StringComparison.Ordinal))
                .ThenBy(name => name, StringComparer.OrdinalIgnoreCase));
        });
        Findings.None(found);
    }

    [Fact]
    public void A_file_is_named_after_a_type_in_it()
    {
        IEnumerable<string> found = Repository.Files("src", "*.cs")
            .Where(path => Path.GetFileName(path) is not ("Program.cs" or "AssemblyInfo.cs" or "GlobalUsings.cs"))
            .Where(path => !Family().IsMatch(path))
            .Where(path => !Regex.IsMatch(
                Repository.Text(path),
                $@"\b(class|struct|record|interface|enum|delegate)\b.*\bI?{Regex.Escape(FirstName(path))}"));
        Findings.None(found);
    }

    [Fact]
    public void No_registry_is_named()
    {
        IEnumerable<string> found = Repository.Sources().Concat(Repository.Documents())
            .Where(path => Registry().IsMatch(Repository.Text(path)));
        Findings.None(found);
    }

    // Doc comments and the signatures of interfaces are read as sentences and may be longer.
    private static bool IsLong(string path, string line) =>
        line.Length > (IsProse(path, line) ? ProseColumnsMax : ColumnsMax);

    private static bool IsProse(string path, string line) =>
        Path.GetFileName(path) is ['I', >= 'A' and <= 'Z', ..]
        || line.AsSpan().TrimStart().StartsWith("//", StringComparison.Ordinal);

    // "WriteCommand.Json.cs" continues "WriteCommand.cs".
    private static string FirstName(string path) => Path.GetFileName(path).Split('.')[0];

    // A method is what stands between "{" and "}" four columns in: members of a type in a file-scoped namespace.
    private static int LongMethods(string path)
    {
        int long_ = 0;
        int start = -1;
        string[] lines = Repository.Lines(path);
        for (int i = 0; i < lines.Length; i++)
        {
            if (lines[i] == "    {" && i > 0 && !TypeStart().IsMatch(lines[i - 1]))
            {
                start = i;
            }
            else if (lines[i].StartsWith("    }", StringComparison.Ordinal) && start >= 0)
            {
                long_ += i - start - 1 > MethodLinesMax ? 1 : 0;
                start = -1;
            }
        }

        return long_;
    }

    [GeneratedRegex(@"^\s*#region|\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b|NotImplementedException")]
    private static partial Regex Unwanted();

    [GeneratedRegex(@"^using ([A-Za-z0-9_.]+);")]
    private static partial Regex Using();

    [GeneratedRegex(@"^    \S.*\b(class|struct|record|interface|enum)\b")]
    private static partial Regex TypeStart();

    // Small types of one kind that are read together: FilePrimitives, AttributeStructs.
    [GeneratedRegex(@"(Primitives|Structs|Flags|Headers|Records|Types|Messages)\.cs$")]
    private static partial Regex Family();

    [GeneratedRegex(@"nuget\.org|npmjs\.|pypi\.|crates\.io")]
    private static partial Regex Registry();
}
