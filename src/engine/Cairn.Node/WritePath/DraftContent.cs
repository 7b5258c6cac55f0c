using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Logs;
using Cairn.Storage;

namespace Cairn.Node.WritePath;

/// <summary>A run of written bytes without a gap, or a hole.</summary>
/// <param name="Start">First byte in the file.</param>
/// <param name="End">Behind the last byte.</param>
/// <param name="IsHole">Whether it reads as zeros.</param>
internal readonly record struct DirtyRun(long Start, long End, bool IsHole)
{
    /// <summary>Its length.</summary>
    public long Length => End - Start;
}

/// <summary>Reads a frozen draft's own bytes, for publishing.</summary>
internal static class DraftContent
{
    /// <summary>The draft as runs, in order, cut at its size.</summary>
    public static List<DirtyRun> Runs(Draft draft)
    {
        List<DirtyRun> runs = [];
        foreach (Extent extent in draft.Map.InOrder())
        {
            long end = Math.Min(extent.End, draft.SizeBytes);
            if (extent.Start >= end)
            {
                break;
            }

            bool isHole = extent.Source is null;
            if (runs.Count > 0 && runs[^1].End == extent.Start && runs[^1].IsHole == isHole)
            {
                runs[^1] = runs[^1] with { End = end };
            }
            else
            {
                runs.Add(new DirtyRun(extent.Start, end, isHole));
            }
        }

        return runs;
    }

    /// <summary>Reads bytes that lie inside one run.</summary>
    public static Result<Unit, StoreError> Read(JournalWriter journal, Draft draft, long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            bool found = draft.Map.TryFind(offset, out Extent extent);
            Invariant.That(found && extent.Source is not null, $"no bytes at {offset} of a run");
            Result<int, StoreError> read = Read(journal, extent, offset, buffer);
            if (!read.TryGet(out int length, out StoreError error))
            {
                return error;
            }

            buffer = buffer[length..];
            offset += length;
        }

        return Unit.Value;
    }

    /// <summary>The extents of a run of written bytes as they are now. Called under the gate.</summary>
    public static List<Extent> Snapshot(Draft draft, long start, long end)
    {
        List<Extent> extents = [];
        for (long at = start; at < end; at = extents[^1].End)
        {
            bool found = draft.Map.TryFind(at, out Extent extent);
            Invariant.That(found && extent.Source is not null, $"no bytes at {at} of what was written in order");
            extents.Add(extent);
        }

        return extents;
    }

    /// <summary>Reads bytes that lie inside the run of a snapshot; fails when a write has replaced them meanwhile.</summary>
    public static Result<Unit, StoreError> Read(
        JournalWriter journal, List<Extent> extents, ref int next, long offset, Span<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            next += extents[next].End <= offset ? 1 : 0;
            if (!Read(journal, extents[next], offset, buffer).TryGet(out int length, out StoreError error))
            {
                return error;
            }

            buffer = buffer[length..];
            offset += length;
        }

        return Unit.Value;
    }

    /// <summary>Reads as much of a buffer as one extent has.</summary>
    private static Result<int, StoreError> Read(
        JournalWriter journal, in Extent extent, long offset, Span<byte> buffer)
    {
        int length = (int)Math.Min(buffer.Length, extent.End - offset);
        JournalExtent source = extent.Source!;
        Result<Unit, StoreError> read = journal.Read(
            source.Position, source.Entry, extent.SourceOffset + (int)(offset - extent.Start), buffer[..length]);
        return read.IsOk ? length : read.Error;
    }
}
