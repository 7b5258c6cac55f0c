using Cairn.Core.Primitives;

namespace Cairn.Core.Presence;

/// <summary>Somebody else who has a file open for writing.</summary>
/// <param name="Member">Where.</param>
/// <param name="SinceMs">When this node heard of it first, by its own monotonic clock.</param>
public readonly record struct FileOpener(NodeId Member, long SinceMs);

/// <summary>Which files of a volume the other members say they have open for writing.</summary>
/// <remarks>
/// Soft state: a member's word is whole and takes the place of the one before, and lapses when it is not repeated. Nothing
/// depends on it but what people are shown. At most <see cref="OpenFilesTold.FilesMax"/> files a member.
/// </remarks>
public sealed class OpenFilesHeard
{
    /// <summary>After so many milliseconds of silence a member's word holds no longer: three times it was not repeated.</summary>
    public const long LapseMs = 3 * OpenFilesTold.RepeatMs;

    private readonly SortedDictionary<NodeId, Word> _members = [];

    /// <summary>Takes what a member says.</summary>
    /// <returns>Those of the files that it did not have open before, in the order in which it said them.</returns>
    public IReadOnlyList<ObjectId> Hear(NodeId member, IReadOnlyList<ObjectId> files, long nowMs)
    {
        DropLapsed(nowMs);
        Word? before = _members.GetValueOrDefault(member);
        Dictionary<ObjectId, long> since = [];
        List<ObjectId> opened = [];
        foreach (ObjectId file in files.Take(OpenFilesTold.FilesMax))
        {
            long openedMs = nowMs;
            bool isKnown = before?.SinceMs.TryGetValue(file, out openedMs) == true;
            if (since.TryAdd(file, isKnown ? openedMs : nowMs) && !isKnown)
            {
                opened.Add(file);
            }
        }

        _members.Remove(member);
        if (since.Count > 0)
        {
            _members.Add(member, new Word(since, nowMs));
        }

        return opened;
    }

    /// <summary>Who has a file open, in the order of their ids.</summary>
    public IReadOnlyList<FileOpener> Of(ObjectId file, long nowMs)
    {
        if (_members.Count == 0)
        {
            return [];
        }

        DropLapsed(nowMs);
        return
        [
            .. _members.Where(member => member.Value.SinceMs.ContainsKey(file))
                .Select(member => new FileOpener(member.Key, member.Value.SinceMs[file])),
        ];
    }

    /// <summary>The files that anybody has open, in the order of their ids.</summary>
    public IReadOnlyList<ObjectId> Files(long nowMs)
    {
        DropLapsed(nowMs);
        return [.. _members.Values.SelectMany(word => word.SinceMs.Keys).Distinct().Order()];
    }

    private void DropLapsed(long nowMs)
    {
        foreach (NodeId silent in _members.Where(member => nowMs - member.Value.HeardMs >= LapseMs)
            .Select(member => member.Key).ToArray())
        {
            _members.Remove(silent);
        }
    }

    private sealed record Word(Dictionary<ObjectId, long> SinceMs, long HeardMs);
}
