using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Ends a conflict of two texts by a version that has what either side changed.</summary>
/// <remarks>
/// (1) Under the gate, find both sides and their common ancestor. (2) Read the three, which may have to be fetched. (3) Merge.
/// (4) Under the gate again, if both sides are still what they were: the merged content becomes a draft of the holder of the
/// name that supersedes both. Two nodes that do it at the same time make equal texts; of those the greater version stays.
/// </remarks>
internal sealed class ConflictMerger(VolumeState state, FileOperations files)
{
    private readonly CommonAncestor _ancestors = new(state.Queries);
    private readonly HistoryEdits _edits = new(state.Queries, state.Fresh);

    private sealed record Sides(ObjectView One, ObjectView Other, HistoricVersion Ancestor);

    /// <summary>Merges the first two sides of a name.</summary>
    public async ValueTask<Result<MergeReport, VolumeError>> Merge(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        // (1)
        Sides sides;
        lock (state.Gate)
        {
            Result<Sides, MergeOutcome> found = Find(parent, name);
            if (!found.TryGet(out Sides? both, out MergeOutcome why))
            {
                return new MergeReport(why, 0);
            }

            sides = both;
        }

        // (2)
        byte[][] texts = new byte[3][];
        HeadView[] versions = [sides.Ancestor.Version, sides.One.Head!, sides.Other.Head!];
        for (int i = 0; i < texts.Length; i++)
        {
            Result<byte[], VolumeError> read = await Read(versions[i]);
            if (!read.TryGet(out byte[]? text, out VolumeError error))
            {
                return error;
            }

            if (!TextLines.IsText(text))
            {
                return new MergeReport(MergeOutcome.NotText, 0);
            }

            texts[i] = text;
        }

        // (3)
        TextMergeResult merged = TextMerge.Merge(texts[0], texts[1], texts[2]);
        if (merged.Content is not { } content)
        {
            return new MergeReport(MergeOutcome.Overlap, merged.FirstOverlap);
        }

        // (4)
        lock (state.Gate)
        {
            Result<Sides, MergeOutcome> still = Find(parent, name);
            bool isSame = still.TryGet(out Sides? now, out _)
                && now.One.Head!.Is(sides.One.Head!.Version) && now.Other.Head!.Is(sides.Other.Head!.Version);
            if (!isSame)
            {
                return new MergeReport(MergeOutcome.Busy, 0);
            }

            VolumeError? failed = texts[1].AsSpan().SequenceEqual(texts[2])
                ? GiveUpLesser(parent, name, now!)
                : Publish(parent, name, now!, content);
            return failed is { } error ? error : new MergeReport(MergeOutcome.Merged, 0);
        }
    }

    private Result<Sides, MergeOutcome> Find(ObjectId parent, ReadOnlyMemory<byte> name)
    {
        if (state.Queries.Sides(parent, name) is not [EntryView first, EntryView second, ..])
        {
            return MergeOutcome.NoConflict;
        }

        ObjectView one = state.Queries.Get(first.Object)!;
        ObjectView other = state.Queries.Get(second.Object)!;
        if (one.Head is null || other.Head is null || Math.Max(one.SizeBytes, other.SizeBytes) > TextLines.BytesMax)
        {
            return MergeOutcome.NotText;
        }

        // Whoever writes either of them now goes first; the next version is looked at again.
        if (state.FindOpen(one.Id) is { IsPinned: true } || state.FindOpen(other.Id) is { IsPinned: true })
        {
            return MergeOutcome.Busy;
        }

        return _ancestors.Of(one, other) is { } ancestor && ancestor.Version.SizeBytes <= TextLines.BytesMax
            ? new Sides(one, other, ancestor)
            : MergeOutcome.NoAncestor;
    }

    private async ValueTask<Result<byte[], VolumeError>> Read(HeadView version)
    {
        OpenHandle handle;
        lock (state.Gate)
        {
            OpenObject past = state.OpenPast(InodeNumber.Root, version);
            Result<OpenHandle, VolumeError> opened = state.AddHandle(past, OpenIntent.Read);
            if (!opened.TryGet(out handle, out VolumeError error))
            {
                state.CloseIfIdle(past);
                return error;
            }
        }

        byte[] content = new byte[version.SizeBytes];
        Result<int, VolumeError> read = await files.Read(handle, 0, content);
        files.Release(handle);
        return read.TryGet(out int count, out VolumeError failed) ? content[..count] : failed;
    }

    private VolumeError? GiveUpLesser(ObjectId parent, ReadOnlyMemory<byte> name, Sides sides)
    {
        bool isFirst = sides.One.Head!.Version.CompareTo(sides.Other.Head!.Version) < 0;
        return GiveUp(parent, name, isFirst ? sides.One : sides.Other);
    }

    /// <summary>A draft survives a crash like any write, so the other side may be given up at once.</summary>
    private VolumeError? Publish(ObjectId parent, ReadOnlyMemory<byte> name, Sides sides, byte[] content)
    {
        InodeNumber inode = state.Inodes.NumberOf(sides.One.Id);
        if (!files.Open(inode, OpenIntent.Write).TryGet(out OpenedFile opened, out VolumeError error))
        {
            return error;
        }

        bool isOneFile = sides.One.Owner == sides.Other.Owner;
        if (isOneFile)
        {
            state.FindHandle(opened.Handle)!.Target.BaseHeads =
                [sides.One.Head!.Version, sides.Other.Head!.Version];
        }

        Result<int, VolumeError> written = files.Write(opened.Handle, 0, content);
        bool isOk = written.TryGet(out _, out error)
            && files.Resize(inode, content.Length, opened.Handle).TryGet(out _, out error);
        files.Release(opened.Handle);
        return !isOk ? error
            : isOneFile ? null
            : GiveUp(parent, name, sides.Other);
    }

    private VolumeError? GiveUp(ObjectId parent, ReadOnlyMemory<byte> name, ObjectView side) =>
        state.EndConflict(parent, name, _edits.GiveUp(parent, name, [side]));
}
