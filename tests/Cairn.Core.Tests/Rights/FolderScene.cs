using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>Members of which the first is the admin, and what it says about folders.</summary>
internal sealed class FolderScene(params Replica[] members)
{
    private readonly List<LimitFolder> _said = [];

    internal Replica Admin => members[0];

    /// <summary>How often something was said.</summary>
    internal int Count => _said.Count;

    /// <summary>The admin says, behind all it has seen, who edits below a folder.</summary>
    internal void Say(ObjectId folder, FolderAccess access, params Replica[] writers)
    {
        Assert.Null(Admin.Do(ImmutableArray.Create<Primitive>(new NameAuthor("admin"u8.ToArray()))));
        IEnumerable<NodeId> all = access == FolderAccess.Only ? writers.Select(writer => writer.Log.Author) : [];
        _said.Add(new LimitFolder(
            default, folder, access, [.. all.Distinct().Order()], Admin.Fold.Positions, Admin.Written[^1].Id));
    }

    /// <summary>Everybody hears all of it.</summary>
    internal void Tell() => Tell(Enumerable.Range(0, Count).ToHashSet(), members);

    /// <summary>Somebody hears a part of it; what that judges otherwise is folded again.</summary>
    internal void Tell(IReadOnlySet<int> heard, params Replica[] to)
    {
        foreach (Replica replica in to)
        {
            WriteRights rights = WriteRights.None.With(
                FolderRights.Of([.. _said.Where((_, i) => heard.Contains(i))]));
            LogPositions folded = replica.Fold.Positions;
            bool isOtherwise = rights.JudgesOtherwise(replica.Applier.Rights, folded, replica.Fold.Table);
            replica.Applier.Rights = WriteRights.Decode(rights.Encode());
            if (isOtherwise)
            {
                replica.Fold.Reset();
                replica.Fold.Receive([.. members.SelectMany(other => other.Written)
                    .Where(written => written.Id.Seq <= folded[written.Id.Log].TransactionSeq)]);
            }
        }
    }
}
