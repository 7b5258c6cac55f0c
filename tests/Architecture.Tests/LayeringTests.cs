using System.Xml.Linq;

namespace Cairn.Architecture.Tests;

/// <summary>Who may reference whom: the table of docs/ARCHITECTURE.md, held against the project files.</summary>
public sealed class LayeringTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Cairn.Core"] = [],
        ["Cairn.Coding"] = ["Cairn.Core"],
        ["Cairn.Storage"] = ["Cairn.Core"],
        ["Cairn.Node"] = ["Cairn.Core", "Cairn.Coding", "Cairn.Storage"],
        ["Cairn.Io"] = ["Cairn.Core", "Cairn.Storage", "Cairn.Node"],
        ["Cairn.Fuse"] = ["Cairn.Core", "Cairn.Node"],
        ["Cairn.Gateway"] = ["Cairn.Core", "Cairn.Node"],
        ["Cairn.Simulation"] = ["Cairn.Core", "Cairn.Coding", "Cairn.Storage", "Cairn.Node", "Cairn.Fuse"],
        ["Cairn.Cli"] =
        [
            "Cairn.Core", "Cairn.Coding", "Cairn.Storage", "Cairn.Node", "Cairn.Io", "Cairn.Fuse", "Cairn.Gateway",
            "Cairn.Simulation",
        ],
    };

    // What a door or the I/O room may see of the engine beyond the primitives: its waists and ports.
    private static readonly Dictionary<string, string[]> AllowedNamespacesOfNode = new(StringComparer.Ordinal)
    {
        ["Cairn.Io"] = ["Cairn.Node.Ports"],
        ["Cairn.Fuse"] = ["Cairn.Node.Ports", "Cairn.Node.Volumes"],
        ["Cairn.Gateway"] = ["Cairn.Node.Ports", "Cairn.Node.Volumes", "Cairn.Node.Control"],
    };

    public static TheoryData<string> Products =>
        [.. Repository.Projects().Where(IsProduct).Select(path => Path.GetFileNameWithoutExtension(path))];

    [Theory]
    [MemberData(nameof(Products))]
    public void A_project_references_only_what_its_room_allows(string project)
    {
        Assert.True(Allowed.ContainsKey(project), $"{project} has no row in the table: say what it may reference");
        string path = Repository.Projects().Single(file => Path.GetFileNameWithoutExtension(file) == project);
        Findings.None(References(path).Except(Allowed[project]));
    }

    [Fact]
    public void Every_row_of_the_table_is_a_project() =>
        Findings.None(Allowed.Keys.Except(Products.Select(row => row.Data)));

    [Fact]
    public void Every_project_is_built()
    {
        string solution = Repository.Text("Cairn.slnx");
        Findings.None(Repository.Projects().Where(path => !solution.Contains($"\"{path}\"", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("Cairn.Io")]
    [InlineData("Cairn.Fuse")]
    [InlineData("Cairn.Gateway")]
    public void A_room_sees_of_the_engine_only_its_waist(string project)
    {
        IEnumerable<string> seen = UsedSymbols.NamespacesOf(Repository.Assembly(project))
            .Where(space => space.StartsWith("Cairn.Node", StringComparison.Ordinal));
        Findings.None(seen.Except(AllowedNamespacesOfNode[project]));
    }

    [Fact]
    public void Nothing_outside_the_simulator_and_its_command_knows_that_it_may_be_simulated()
    {
        foreach (string project in Allowed.Keys.Where(name => name is not ("Cairn.Simulation" or "Cairn.Cli")))
        {
            Assert.DoesNotContain(
                UsedSymbols.NamespacesOf(Repository.Assembly(project)),
                space => space.StartsWith("Cairn.Simulation", StringComparison.Ordinal));
        }
    }

    private static bool IsProduct(string path) =>
        path.StartsWith("src/", StringComparison.Ordinal) || path.StartsWith("sim/", StringComparison.Ordinal);

    private static IEnumerable<string> References(string path) =>
        XDocument.Load(Path.Join(Repository.Root, path)).Descendants("ProjectReference")
            .Select(element => Path.GetFileNameWithoutExtension(element.Attribute("Include")!.Value));
}
