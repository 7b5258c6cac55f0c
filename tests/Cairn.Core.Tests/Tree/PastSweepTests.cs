using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>What of the past may go, and what no rule lets go.</summary>
public sealed class PastSweepTests
{
    private const long Day = 86_400_000_000_000;

    private readonly Replica _a = new(1);

    /// <summary>What would go so many days from now, as contents and names.</summary>
    private string Swept(
        string keep, int daysFromNow, bool isSettled = true, LogPositions? emptied = null, bool keepsNothing = false)
    {
        TreeRules rules = new(_a.Queries, Rule.Default with { Keep = Retention.Parse(keep) });
        PastSweep sweep = new(_a.Queries, rules, new PastLimits(
            new WallTime(_a.Now.UnixNanoseconds + (daysFromNow * Day)), _ => isSettled, emptied ?? LogPositions.Empty,
            keepsNothing));
        IEnumerable<string> objects = _a.Queries.DetachedObjects().Where(sweep.MayForget)
            .Select(gone => "-" + Replica.ContentOf(_a.Queries.Get(gone.Object)!));
        IEnumerable<string> versions = _a.Queries.SupersededVersions().Where(sweep.MayForget)
            .Select(past => Encoding.UTF8.GetString(past.Version.Manifest.Span));
        string swept = string.Join(' ', objects.Concat(versions).Order(StringComparer.Ordinal));
        Assert.Equal(!isSettled && _a.Queries.DetachedObjects().Any(), sweep.HasUnsettled);
        return swept;
    }

    private void Remove(string name, params string[] contents)
    {
        _a.Create(name, contents[0]);
        foreach (string content in contents[1..])
        {
            _a.Write(name, content);
        }

        _a.Unlink(name);
    }

    [Fact]
    public void Days_keep_what_was_replaced_or_removed_since()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        _a.Write("doc", "3");
        Remove("gone", "x", "y");
        Assert.Equal(string.Empty, Swept("all 30d", 29));
        Assert.Equal("-y 1 2 x", Swept("all 30d", 31));
        Assert.Equal("-y 1 2 x", Swept("none", 0));
        Assert.Equal(string.Empty, Swept("none", 0, isSettled: false));
        Assert.Equal(string.Empty, Swept("forever", 100_000));
        Assert.Equal("-y 1 2 x", Swept("forever", 0, keepsNothing: true));
    }

    [Fact]
    public void Last_counts_versions_of_what_is_there_and_keeps_nothing_that_was_removed()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        _a.Write("doc", "3");
        _a.Write("doc", "4");
        Remove("gone", "x", "y");
        Assert.Equal("-y 1 x", Swept("last 2", 1));
    }

    [Fact]
    public void Saves_by_rename_count_as_versions_of_one_file()
    {
        _a.Create("doc", "1");
        foreach (string content in (string[])["2", "3", "4"])
        {
            _a.Create("doc.tmp", content);
            _a.Rename("doc.tmp", "doc");
        }

        Assert.Equal("-1", Swept("last 2", 1));
        Assert.Equal("-1", Swept("last 1", 1));
        Assert.Equal(string.Empty, Swept("last 3", 1));
        Assert.Equal("-1", Swept("none", 1));
    }

    [Fact]
    public void The_rule_of_the_folder_it_was_in_holds()
    {
        _a.MakeDirectory("kept");
        _a.MakeDirectory("scratch");
        Rule none = new() { Keep = Retention.None };
        Assert.Null(_a.Do(System.Collections.Immutable.ImmutableArray.Create<Primitive>(
            new SetRule(_a.Find("scratch")!.Value.Object, RuleCodec.Encode(none)))));
        Remove("kept/a", "A");
        Remove("scratch/b", "B");
        Assert.Equal("-B", Swept("all 30d", 1));
        TreeRules rules = new(_a.Queries, Rule.Default);
        Assert.Equal(Retention.None, rules.For(_a.Find("scratch")!.Value.Object).Keep);
        Assert.Equal(Rule.Default.Keep, rules.For(_a.Find("kept")!.Value.Object).Keep);
        Assert.Equal(none, rules.Own(_a.Find("scratch")!.Value.Object));
        Assert.Equal(Rule.Empty, rules.Own(default));
    }

    [Fact]
    public void An_emptied_trash_keeps_versions_of_what_is_there()
    {
        _a.Create("doc", "1");
        _a.Write("doc", "2");
        Remove("gone", "x");
        LogPositions emptied = _a.Fold.Positions;
        Remove("later", "z");
        Assert.Equal("-x", Swept("all 30d", 1, emptied: emptied));
    }
}
