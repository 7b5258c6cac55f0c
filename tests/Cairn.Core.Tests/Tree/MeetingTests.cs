using System.Text;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Tree;

/// <summary>Names that are nearly the same, and a third machine: what else can happen when machines meet.</summary>
public sealed class MeetingTests
{
    private readonly Replica _a = new(1);
    private readonly Replica _b = new(2);

    private void Sync() => Replica.Sync(_a, _b);

    [Theory]
    [InlineData("Photo", "photo")]
    [InlineData("caf\u00e9", "cafe\u0301")]
    public void Names_that_differ_in_case_or_Unicode_form_are_two_names(string one, string other)
    {
        _a.Create(one, "of a");
        _b.Create(other, "of b");
        Sync();
        Assert.Equal(("of a", "of b"), (_b.Read(one), _a.Read(other)));
        Assert.DoesNotContain(Names(), name => name.Contains(" (conflict "));
        Assert.Null(_a.Rename(other, "third"));
        Sync();
        Assert.Equal(("of a", "of b"), (_b.Read(one), _b.Read("third")));
    }

    /// <summary>Of every way to disagree one is open when the third comes; it takes the logs in either order.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_third_machine_that_joins_later_changes_nothing_of_it(bool takesTheSecondFirst)
    {
        _a.MakeDirectory("kept");
        foreach (string file in (string[])["edited", "edited and deleted", "renamed", "kept/old"])
        {
            _a.Create(file, "base");
        }

        Sync();
        _a.Write("edited", "A");
        _b.Write("edited", "B");
        _a.Write("edited and deleted", "A");
        Assert.Null(_b.Unlink("edited and deleted"));
        Assert.Null(_a.Rename("renamed", "by a"));
        Assert.Null(_b.Rename("renamed", "by b"));
        Assert.Null(_a.Unlink("kept/old"));
        Assert.Null(_a.RemoveDirectory("kept"));
        _b.Create("kept/new", "B");
        _a.MakeDirectory("both");
        _b.MakeDirectory("both");
        _a.Create("both/a", "A");
        _b.Create("both/b", "B");
        Sync();
        string before = _a.Listing();
        Replica third = new(3);
        third.Receive(takesTheSecondFirst ? [_b, _a, _b] : [_a, _b, _a]);
        third.Receive(_a, _b);
        Assert.Equal(before, third.Listing());
        string held = third.Read("edited")!;
        third.Write("edited", "C");
        Replica.Sync(_a, _b, third);
        Assert.Equal(before.Replace($"/edited={held}\n", "/edited=C\n"), _a.Listing());
    }

    private IEnumerable<string> Names() => _a.Queries.List(TreeQueries.Root, default, 1000)
        .Select(entry => Encoding.UTF8.GetString(entry.Name.Span));
}
