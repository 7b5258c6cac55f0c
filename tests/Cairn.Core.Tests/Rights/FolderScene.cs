using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>Members of which the first is the admin, and what it says about folders.</summary>
internal sealed class FolderScene(params Replica[] members)
{
    private readonly List<Primitive> _said = [];
    private readonly List<TransactionId> _lost = [];

    internal Replica Admin => members[0];

    /// <summary>How often something was said.</summary>
    internal int Count => _said.Count;

    /// <summary>The admin says, behind all it has seen, who edits below a folder.</summary>
    internal void Say(ObjectId folder, FolderAccess access, params Replica[] writers) =>
        Say(folder, access, Mark(), writers);

    /// <summary>The same, by a mark that nobody will ever see.</summary>
    internal void SayLost(ObjectId folder, params Replica[] writers)
    {
        _lost.Add(new TransactionId(Admin.Log with { Incarnation = 77 }, (ulong)_said.Count + 1));
        Say(folder, FolderAccess.Only, new AdminMark(Admin.Fold.Positions, _lost[^1]), writers);
    }

    /// <summary>Another mark stands for every one that was lost.</summary>
    internal void ReplaceLost()
    {
        _said.AddRange(_lost.Select(lost => new ReplaceMark(default, lost, Mark().After)));
        _lost.Clear();
    }

    /// <summary>The admin guards what is in the folders by now.</summary>
    internal void Renew()
    {
        AdminMark mark = Mark();
        _said.Add(new RenewMark(
            default, mark.Seen, mark.After, Admin.Applier.Rights.Folders.IdleBeside(mark.Seen, Admin.Fold.Table)));
    }

    /// <summary>Everybody hears all of it.</summary>
    internal void Tell() => Tell(Enumerable.Range(0, Count).ToHashSet(), members);

    /// <summary>Somebody hears a part of it; what that judges otherwise is applied again.</summary>
    internal void Tell(IReadOnlySet<int> heard, params Replica[] to)
    {
        WriteRights rights = WriteRights.None.With(
            _said.Where((_, i) => heard.Contains(i)).Aggregate(FolderRights.None, static (all, said) => all.And(said)));
        foreach (Replica replica in to)
        {
            WriteRights before = replica.Applier.Rights;
            LogPositions alike = rights.JudgedAlike(before, replica.Fold.Positions, replica.Fold.Table);
            replica.Applier.Obey(WriteRights.Decode(rights.Encode()), before, replica.Fold.Table);
            Assert.NotNull(replica.Fold.Again(alike));
        }
    }

    private void Say(ObjectId folder, FolderAccess access, AdminMark mark, Replica[] writers)
    {
        IEnumerable<NodeId> all = access == FolderAccess.Only ? writers.Select(writer => writer.Log.Author) : [];
        _said.Add(new LimitFolder(default, folder, access, [.. all.Distinct().Order()], mark.Seen, mark.After));
    }

    private AdminMark Mark()
    {
        Assert.Null(Admin.Do(ImmutableArray.Create<Primitive>(new NameAuthor("admin"u8.ToArray()))));
        return new AdminMark(Admin.Fold.Positions, Admin.Written[^1].Id);
    }
}
