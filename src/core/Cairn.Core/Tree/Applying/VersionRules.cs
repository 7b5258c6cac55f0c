using System.Collections.Immutable;
using System.Security.Cryptography;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>What write-version and discard-heads do to a file's heads at their point in the order.</summary>
/// <remarks>
/// A version takes the place of the heads it was made from, and of no others. One made from none of the present heads
/// is a conflict and goes to the end, so the head that holds the name keeps it, however often either side saves again.
/// Equal content is never a conflict.
/// </remarks>
internal sealed class VersionRules(WorkingSet work, EntryRules entries)
{
    internal void Apply(WriteVersion write)
    {
        if (work.Load(write.Object) is not { Kind: TreeKind.File } record
            || record.HasHead(write.Version))
        {
            return;
        }

        bool conflictsBefore = record.Heads.Count > 1;
        (int index, ObjectId branch) = Supersede(record, write.Parents);
        if (index < 0)
        {
            index = record.Heads.Count;
            branch = index == 0 ? default : BranchOf(record.Id, write.Version);
        }

        record.Heads.Insert(index, new HeadRecord
        {
            Version = write.Version,
            Parents = [.. write.Parents],
            Branch = branch,
            SizeBytes = write.SizeBytes,
            DataBytes = write.DataBytes,
            Modified = write.Modified,
            Written = work.Transaction.Claimed,
            Author = work.Transaction.Id.Log.Author,
            Manifest = write.Manifest,
        });
        record.Modified = write.Modified;
        record.Changed = work.Transaction.Claimed;
        WorkingSet.Dirty(record);
        if (record.Heads.Count > 1)
        {
            JoinEqual(record, index);
        }

        if (conflictsBefore || record.Heads.Count > 1)
        {
            entries.HeadsChanged(record);
        }

        entries.Revive(record);
    }

    internal void Apply(DiscardHeads discard)
    {
        if (work.Load(discard.Object) is { Heads.Count: > 1 } record)
        {
            entries.DropHeads(record, discard.Versions);
        }
    }

    /// <summary>
    /// The id under which a conflicting head is shown: the same on every node, and for as long as it is a head.
    /// </summary>
    internal static ObjectId BranchOf(ObjectId file, VersionId version)
    {
        Span<byte> input = stackalloc byte[ObjectId.Size + VersionId.Size];
        file.Value.CopyTo(input);
        version.Value.CopyTo(input[ObjectId.Size..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, hash);
        return new ObjectId(hash[..ObjectId.Size]);
    }

    /// <summary>
    /// Takes out the heads a version was made from; returns where the first was, or -1 if there was none.
    /// </summary>
    private (int Index, ObjectId Branch) Supersede(ObjectRecord record, ImmutableArray<VersionId> parents)
    {
        int index = -1;
        ObjectId branch = default;
        for (int i = 0; i < record.Heads.Count;)
        {
            HeadRecord head = record.Heads[i];
            if (!head.IsAmong(parents.AsSpan()))
            {
                i++;
                continue;
            }

            if (index < 0)
            {
                (index, branch) = (i, head.Branch);
            }

            work.PutSuperseded(record, head);
            record.Heads.RemoveAt(i);
        }

        return (index, branch);
    }

    private static void JoinEqual(ObjectRecord record, int index)
    {
        HeadRecord added = record.Heads[index];
        int other = record.Heads.FindIndex(head => head != added && head.SameContent(added));
        if (other < 0)
        {
            return;
        }

        HeadRecord kept = record.Heads[Math.Min(index, other)];
        HeadRecord dropped = record.Heads[Math.Max(index, other)];
        kept.Twins = [.. kept.Twins, dropped.Version, .. dropped.Twins];
        record.Heads.Remove(dropped);
    }
}
