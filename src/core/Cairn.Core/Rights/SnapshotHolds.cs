using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Applying;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Rights;

/// <summary>Which snapshots of a volume nobody can remove, because clones need them, as the pool's log says it.</summary>
/// <remarks>
/// An immutable value. A removal is judged as an edit is (<see cref="WriteRights"/>): by the last word about the
/// snapshot that had not seen it, never by its place in the order. So no removal that was made apart, comes late or
/// claims to be old takes a snapshot away from a clone. docs/decisions/clones.md.
/// </remarks>
public sealed class SnapshotHolds
{
    private const int BytesPerSnapshotMin = Bytes16.Size + 1;

    private readonly ImmutableSortedDictionary<Bytes16, ImmutableArray<MemberLimit>> _words;

    private SnapshotHolds(IEnumerable<KeyValuePair<Bytes16, ImmutableArray<MemberLimit>>> words) =>
        _words = words.Select(static list => KeyValuePair.Create(list.Key, MemberLimit.Shorten(list.Value)))
            .Where(static list => !list.Value.IsEmpty).ToImmutableSortedDictionary();

    /// <summary>No clone needs any.</summary>
    public static SnapshotHolds None { get; } = new([]);

    /// <summary>Whether none was ever held.</summary>
    public bool IsEmpty => _words.IsEmpty;

    /// <summary>What clones said about the snapshots of one volume, in the order of the pool's log.</summary>
    public static SnapshotHolds Of(IEnumerable<SnapshotHold> words)
    {
        var lists = new SortedDictionary<Bytes16, ImmutableArray<MemberLimit>>();
        var clones = new SortedSet<(Bytes16 Snapshot, Bytes16 Clone)>();
        foreach (SnapshotHold word in words)
        {
            (Bytes16 Snapshot, Bytes16 Clone) one = (word.Snapshot, word.By.Value);
            _ = word.IsHeld ? clones.Add(one) : clones.Remove(one);
            bool isFree = !clones.Any(held => held.Snapshot == word.Snapshot);
            lists[word.Snapshot] =
                [.. lists.GetValueOrDefault(word.Snapshot, []), new MemberLimit(isFree, word.Seen)];
        }

        return new SnapshotHolds(lists);
    }

    /// <summary>Whether a snapshot cannot be removed now: what is written next, no word has seen.</summary>
    public bool IsHeld(Bytes16 snapshot) => _words.TryGetValue(snapshot, out var list) && !list[^1].MayWrite;

    /// <summary>Whether a transaction's removal of a snapshot has no effect.</summary>
    public bool Refuse(Bytes16 snapshot, TransactionId removal) =>
        _words.TryGetValue(snapshot, out var list) && MemberLimit.Refuse(list, removal);

    /// <summary>Whether any removal that is folded may be judged otherwise than it was.</summary>
    /// <remarks>
    /// A snapshot that is in the table, and of which none was refused, was never removed: whatever is said about it
    /// changes nothing. So a new clone costs other nodes no fold, though they edited the volume meanwhile.
    /// </remarks>
    /// <param name="before">What it was judged by.</param>
    /// <param name="folded">What is folded.</param>
    /// <param name="table">Into what.</param>
    public bool JudgeOtherwise(SnapshotHolds before, LogPositions folded, ITableSource table)
    {
        foreach (Bytes16 snapshot in _words.Keys.Union(before._words.Keys))
        {
            ImmutableArray<MemberLimit> now = _words.GetValueOrDefault(snapshot, []);
            ImmutableArray<MemberLimit> then = before._words.GetValueOrDefault(snapshot, []);
            bool wasRemoved = SnapshotRecord.Find(table, snapshot) is null
                || SnapshotRules.HasRefusedRemoval(table, snapshot);
            if (wasRemoved && folded.Logs.Any(log => MemberLimit.Differ(
                now, then, new TransactionId(log.Key, log.Value.TransactionSeq))))
            {
                return true;
            }
        }

        return false;
    }

    internal void Encode(WireWriter writer)
    {
        writer.Count(_words.Count);
        foreach ((Bytes16 snapshot, ImmutableArray<MemberLimit> list) in _words)
        {
            writer.Bytes16(snapshot);
            MemberLimit.EncodeAll(writer, list);
        }
    }

    internal static SnapshotHolds Decode(ref WireReader reader)
    {
        var words = new KeyValuePair<Bytes16, ImmutableArray<MemberLimit>>[reader.Count(BytesPerSnapshotMin)];
        for (int i = 0; i < words.Length && !reader.Failed; i++)
        {
            words[i] = new(reader.Bytes16(), MemberLimit.DecodeAll(ref reader));
        }

        return new SnapshotHolds(words);
    }
}
