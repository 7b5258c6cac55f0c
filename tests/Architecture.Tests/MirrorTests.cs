using System.Text.RegularExpressions;

namespace Cairn.Architecture.Tests;

/// <summary>Tests lie where their sources lead one to look.</summary>
public sealed class MirrorTests
{
    [Fact]
    public void Every_project_has_its_tests()
    {
        IEnumerable<string> missing = Repository.Projects()
            .Where(path => path.Split('/')[0] is "src" or "sim")
            .Select(path => Path.GetFileNameWithoutExtension(path))
            .Where(name => !Directory.Exists(Path.Join(Repository.Root, "tests", name + ".Tests")));
        Findings.None(missing);
    }

    [Theory]
    [InlineData("Cairn.Core", "src/core")]
    [InlineData("Cairn.Coding", "src/core")]
    public void Every_public_type_of_the_core_is_named_in_its_tests(string project, string group)
    {
        string tests = string.Join('\n', Repository.Files("tests", "*.cs").Select(Repository.Text));
        var missing = Repository.Files($"{group}/{project}", "*.cs")
            .Where(DeclaresPublicType)
            .Where(path => !tests.Contains(Path.GetFileNameWithoutExtension(path), StringComparison.Ordinal))
            .ToDictionary(path => path, _ => 1);
        Ratchet.Check("untested-core.txt", missing);
    }

    private static bool DeclaresPublicType(string path) => Regex.IsMatch(
        Repository.Text(path),
        $@"^public .*\b{Path.GetFileNameWithoutExtension(path)}\b",
        RegexOptions.Multiline);
}
