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
            int length = (int)Math.Min(buffer.Length, extent.End - offset);
            Result<Unit, StoreError> read = journal.Read(
                extent.Source.Position, extent.Source.Entry, extent.SourceOffset + (int)(offset - extent.Start),
                buffer[..length]);
            if (!read.IsOk)
            {
                return read;
            }

            buffer = buffer[length..];
            offset += length;
        }

        return Unit.Value;
    }
}
