using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Logs;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Engine.Requests;

/// <summary>Writes into drafts: the first half of a write, acknowledged from the journal.</summary>
/// <remarks>
/// The steps (docs/ARCHITECTURE.md, life of a write): (1) under the gate, find the file's draft, or begin one and say so in
/// the journal; (2) outside it, seal the bytes and append them to the journal; (3) under the gate again, lay the extent
/// over the draft. The publisher takes it from there.
/// </remarks>
internal sealed class DraftWriter(VolumeState state, Action signal)
{
    private const int ExtentBytesMax = 1 << 20;

    /// <summary>Writes bytes at an offset; the end of the file for an append.</summary>
    public Result<int, VolumeError> Write(HandleState handle, long offset, ReadOnlySpan<byte> data)
    {
        OpenObject target = handle.Target;
        Draft draft;
        lock (state.Gate)
        {
            // (1) The draft.
            bool isAppend = (handle.Intent & OpenIntent.Append) != 0;
            offset = isAppend ? Math.Max(target.SizeBytes, target.Active?.AppendEnd ?? 0) : offset;
            if (offset < 0 || offset > long.MaxValue - data.Length)
            {
                return VolumeError.FileTooLarge;
            }

            if (!Begin(target).TryGet(out Draft? begun, out VolumeError error))
            {
                return error;
            }

            draft = begun;
            draft.AppendEnd = isAppend ? offset + data.Length : draft.AppendEnd;
            draft.Pending++;
        }

        // (2) The journal.
        WallTime now = state.Now;
        VolumeError? failed = null;
        int written = 0;
        while (failed is null && written < data.Length)
        {
            ReadOnlySpan<byte> part = data.Slice(written, Math.Min(ExtentBytesMax, data.Length - written));
            JournalEntry entry = new()
            {
                Volume = state.Keys.Volume,
                Type = JournalEntryType.Extent,
                Layer = draft.Version,
                Offset = offset + written,
                Length = part.Length,
                Time = now,
            };
            failed = Append(target, draft, entry, part);
            written += failed is null ? part.Length : 0;
        }

        lock (state.Gate)
        {
            draft.AppendEnd = --draft.Pending == 0 ? 0 : draft.AppendEnd;
            if (failed is not null || target.WantsPublishing)
            {
                signal();
            }
        }

        return failed is { } why && written == 0 ? why : written;
    }

    /// <summary>Cuts or extends. Called under the gate.</summary>
    public Result<Unit, VolumeError> Resize(OpenObject target, long sizeBytes)
    {
        if (sizeBytes == target.SizeBytes)
        {
            return Touch(target);
        }

        if (!Begin(target).TryGet(out Draft? draft, out VolumeError error))
        {
            return error;
        }

        JournalEntry entry = Entry(draft, JournalEntryType.Resized) with { Offset = sizeBytes };
        return Note(draft, entry, freed => draft.Resize(sizeBytes, freed));
    }

    /// <summary>Marks the content as changed now, without changing it (an explicit truncate to the same size).</summary>
    public Result<Unit, VolumeError> Touch(OpenObject target) =>
        Begin(target).TryGet(out Draft? draft, out VolumeError error) ? Time(draft, state.Now) : error;

    /// <summary>Sets the modification time of a draft. Called under the gate.</summary>
    public Result<Unit, VolumeError> Time(Draft draft, WallTime modified) => state.Refusal is { } refusal
        ? refusal
        : Note(draft, Entry(draft, JournalEntryType.TimeSet) with { Time = modified }, _ => { });

    /// <summary>Makes a range a hole, inside the file's size. Called under the gate.</summary>
    public Result<Unit, VolumeError> Punch(OpenObject target, long offset, long length)
    {
        long end = Math.Min(target.SizeBytes, length > long.MaxValue - offset ? long.MaxValue : offset + length);
        if (offset >= end)
        {
            return Unit.Value;
        }

        if (!Begin(target).TryGet(out Draft? draft, out VolumeError error))
        {
            return error;
        }

        JournalEntry entry = Entry(draft, JournalEntryType.Hole) with { Offset = offset, Length = end - offset };
        return Note(draft, entry, freed => draft.Map.Put(offset, end, null, freed));
    }

    /// <summary>Throws a draft away. Called under the gate.</summary>
    public void Drop(Draft draft)
    {
        List<JournalExtent> freed = [];
        draft.Map.Clear(freed);

        // What was stored of it may have no other draft to wait for: see Publisher.ReportUnnamed.
        signal();
        state.Journal.Release(freed);
        foreach (JournalPosition note in draft.Notes)
        {
            state.Journal.Journal.Release(note);
        }

        draft.Notes.Clear();
    }

    private static JournalEntry Entry(Draft draft, JournalEntryType type) =>
        new() { Type = type, Layer = draft.Version };

    /// <summary>The active draft, begun in the journal if there is none.</summary>
    private Result<Draft, VolumeError> Begin(OpenObject target)
    {
        if (state.RefusalOf(target.Id) is { } refusal)
        {
            return refusal;
        }

        if (target.Active is { } active)
        {
            active.LastWriteMs = state.NowMs;
            return active;
        }

        if (state.IsStopping)
        {
            return VolumeError.Stopping;
        }

        long nowMs = state.NowMs;
        Draft draft = new(new VersionId(state.Fresh()), target.SizeBytes)
        {
            FirstWriteMs = nowMs,
            LastWriteMs = nowMs,
            Modified = state.Now,
            IsOfRemoved = state.Queries.Get(target.Id) is not { IsDetached: false },
        };
        ArrayBufferWriter<byte> begun = new(256 + target.BaseRoot.Length);
        LayerBegun layer = new(target.Id, target.BaseHeads, target.Frozen?.Version ?? default, target.BaseRoot);
        LayerBegun.Encode(layer, new WireWriter(begun));
        JournalEntry entry = Entry(draft, JournalEntryType.LayerBegun) with
        {
            Offset = draft.SizeBytes,
            Time = draft.Modified,
        };
        Result<JournalPosition, StoreError> appended = state.Journal.Append(entry, begun.WrittenSpan, out _);
        if (!appended.TryGet(out JournalPosition position, out StoreError error))
        {
            return Errors.From(error);
        }

        draft.Notes.Add(position);
        target.Active = draft;
        signal();
        return draft;
    }

    private Result<Unit, VolumeError> Note(Draft draft, in JournalEntry entry, Action<List<JournalExtent>> apply)
    {
        WallTime time = entry.Type == JournalEntryType.TimeSet ? entry.Time : state.Now;
        Result<JournalPosition, StoreError> appended = state.Journal.Append(entry with { Time = time }, [], out _);
        if (!appended.TryGet(out JournalPosition position, out StoreError error))
        {
            return Errors.From(error);
        }

        List<JournalExtent> freed = [];
        apply(freed);
        state.Journal.Release(freed);
        draft.Notes.Add(position);
        draft.Modified = time;
        draft.LastWriteMs = state.NowMs;
        return Unit.Value;
    }

    private VolumeError? Append(OpenObject target, Draft draft, JournalEntry entry, ReadOnlySpan<byte> part)
    {
        Result<JournalPosition, StoreError> appended = state.Journal.Append(entry, part, out ulong nonce);
        if (!appended.TryGet(out JournalPosition position, out StoreError error))
        {
            return Errors.From(error);
        }

        // (3) The extent map.
        List<JournalExtent> freed = [];
        lock (state.Gate)
        {
            JournalExtent extent = new(position, entry with { Run = state.Journal.Run, Nonce = nonce });
            draft.Map.Put(entry.Offset, entry.Offset + entry.Length, extent, freed);
            draft.SizeBytes = Math.Max(draft.SizeBytes, entry.Offset + entry.Length);
            draft.Modified = entry.Time;
            draft.LastWriteMs = state.NowMs;
            state.TellObject(target.Inode, contentChanged: true);
        }

        state.Journal.Release(freed);
        return null;
    }
}
