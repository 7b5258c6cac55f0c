using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Records;

namespace Cairn.Node.Garbage;

/// <summary>The encoded manifest roots in a record of a tree: of what is there, what was superseded, what snapshots show.</summary>
internal static class RecordRoots
{
    private static readonly GoneSet NothingGone = new();

    /// <summary>Adds those of one record.</summary>
    public static void Add(TreeQueries tree, byte[] key, byte[] value, List<ReadOnlyMemory<byte>> into) =>
        Add(tree, key, value, NothingGone, into);

    /// <summary>Adds those of one record, but for what does not count.</summary>
    /// <param name="tree">The record's tree.</param>
    /// <param name="key">The record's key.</param>
    /// <param name="value">Its value.</param>
    /// <param name="isGone">What does not count.</param>
    /// <param name="into">Gets them.</param>
    public static void Add(
        TreeQueries tree, byte[] key, byte[] value, GoneSet isGone, List<ReadOnlyMemory<byte>> into)
    {
        if (key[0] == TreeKeys.Object && TreeKeys.TryParseObject(key, out ObjectId id)
            && !isGone.Objects.Contains(id))
        {
            AddHeads(tree, id, into);
        }
        else if (key[0] == TreeKeys.Superseded)
        {
            AddSuperseded(tree, key, isGone, into);
        }
        else if (!isGone.Kept.Contains(key))
        {
            into.AddRange(KeptRecord.ManifestsIn(key, value));
        }
    }

    /// <summary>Adds those of every head of an object.</summary>
    public static void AddHeads(TreeQueries tree, ObjectId id, List<ReadOnlyMemory<byte>> into)
    {
        if (tree.Get(id) is { } view)
        {
            foreach (HeadView head in view.Heads)
            {
                into.Add(head.Manifest);
            }
        }
    }

    private static void AddSuperseded(
        TreeQueries tree, byte[] key, GoneSet isGone, List<ReadOnlyMemory<byte>> into)
    {
        var version = new VersionRef(
            new ObjectId(key.AsSpan(1, ObjectId.Size)), new VersionId(key.AsSpan(1 + ObjectId.Size)));
        if (!isGone.Objects.Contains(version.Object) && !isGone.Versions.Contains(version)
            && tree.Superseded(version) is { } past)
        {
            into.Add(past.Version.Manifest);
        }
    }
}
