using System.Text.RegularExpressions;

namespace Cairn.Architecture.Tests;

/// <summary>Documents that nothing checks grow old: these are held against the tree.</summary>
public sealed partial class DocumentTests
{
    [Fact]
    public void A_document_has_one_top_heading()
    {
        IEnumerable<string> found = Repository.Documents().Where(path => TopHeadings(path) != 1);
        Findings.None(found);
    }

    [Fact]
    public void Every_document_is_linked_from_the_index()
    {
        string index = Repository.Text("docs/README.md");
        IEnumerable<string> missing = Repository.Files("docs", "*.md")
            .Where(path => path != "docs/README.md")
            .Where(path => !index.Contains($"({path["docs/".Length..]})", StringComparison.Ordinal));
        Findings.None(missing);
    }

    [Fact]
    public void Every_link_leads_somewhere()
    {
        IEnumerable<string> broken = Repository.Documents().SelectMany(path => Link()
            .Matches(Repository.Text(path))
            .Select(match => match.Groups[1].Value.Split('#')[0])
            .Where(target => target.Length > 0 && !target.Contains("://", StringComparison.Ordinal))
            .Where(target => !Path.Exists(Path.Join(Repository.Root, Path.GetDirectoryName(path), target)))
            .Select(target => $"{path}: {target}"));
        Findings.None(broken);
    }

    [Fact]
    public void Every_type_named_in_the_architecture_exists()
    {
        var declared = new HashSet<string>(
            Repository.Sources().SelectMany(path => Declaration().Matches(Repository.Text(path)))
                .Select(match => match.Groups[1].Value),
            StringComparer.Ordinal);
        string[] missing = [.. TypeInBackticks().Matches(Repository.Text("docs/ARCHITECTURE.md"))
            .Select(match => match.Groups[1].Value)
            .Distinct()
            .Where(name => !declared.Contains(name))];
        Findings.None(missing);
    }

    [Fact]
    public void The_architecture_names_every_room_of_the_core_and_the_engine_and_no_other()
    {
        string[] rooms = [.. new[] { "src/core/Cairn.Core", "src/engine/Cairn.Node" }
            .SelectMany(project => Repository.Files(project, "*.cs")
                .Select(path => Path.GetDirectoryName(path[project.Length..])!.TrimStart('/')))
            .Where(room => room.Length > 0)
            .Distinct()];
        string[] named = [.. RoomInBackticks().Matches(Repository.Text("docs/ARCHITECTURE.md"))
            .Select(match => match.Groups[1].Value)];
        Findings.None(rooms.Except(named).Concat(named.Except(rooms)));
    }

    [Fact]
    public void Every_test_named_in_the_table_of_conflicts_exists()
    {
        string tests = string.Join('\n', Repository.Files("tests", "*.cs").Select(Repository.Text));
        string[] named = [.. TestInBackticks().Matches(Repository.Text("docs/operations/conflicts.md"))
            .Select(match => match.Groups[1].Value)];
        Assert.True(named.Length > 20);
        Findings.None(named.Where(name => !tests.Contains($" {name}(", StringComparison.Ordinal)));
    }

    // "`X.FormatVersion`" in a format's document, beside "Version N": the constant in X's source is N.
    [Fact]
    public void A_formats_version_is_that_of_its_constant()
    {
        var wrong = new List<string>();
        foreach (string path in Repository.Files("docs/formats", "*.md"))
        {
            foreach (Match match in StatedVersion().Matches(Repository.Text(path)))
            {
                string source = Repository.Files("src", match.Groups[2].Value + ".cs").SingleOrDefault() ?? "";
                string text = source.Length == 0 ? "" : Repository.Text(source);
                string constant = match.Groups[3].Value;
                if (!Regex.IsMatch(text, $@"const \w+ {constant} = {match.Groups[1].Value};"))
                {
                    wrong.Add($"{path}: {match.Value}");
                }
            }
        }

        Findings.None(wrong);
    }

    private static int TopHeadings(string path)
    {
        bool inCode = false;
        int count = 0;
        foreach (string line in Repository.Lines(path))
        {
            inCode ^= line.StartsWith("```", StringComparison.Ordinal);
            count += !inCode && line.StartsWith("# ", StringComparison.Ordinal) ? 1 : 0;
        }

        return count;
    }

    [GeneratedRegex("`([A-Z][A-Za-z]+(?:/[A-Z][A-Za-z]+)*)/`")]
    private static partial Regex RoomInBackticks();

    [GeneratedRegex(@"`([A-Z][a-z]*(?:_\w+){3,})`")]
    private static partial Regex TestInBackticks();

    [GeneratedRegex(@"\[[^\]]*\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(
        @"\b(?:class|struct|record|interface|enum|delegate [\w<>,\s\[\]]+?)\s+(?:struct\s+|class\s+)?([A-Z]\w*)")]
    private static partial Regex Declaration();

    // A capital and a lower-case letter somewhere: `WritePath`, `IVolume`, also before a dot; not `GET` or `.cairnignore`.
    [GeneratedRegex(@"`([A-Z]\w*[a-z]\w*)(?:\.\w+)*(?:\(\))?`")]
    private static partial Regex TypeInBackticks();

    [GeneratedRegex(@"[Vv]ersion (\d+)[^\n`]*\(`(\w+)\.(\w*Version\w*)`\)")]
    private static partial Regex StatedVersion();
}
