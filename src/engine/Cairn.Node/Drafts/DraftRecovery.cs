using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Engine;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Recovery;

namespace Cairn.Node.Drafts;

/// <summary>Brings drafts back that were in the journal when the daemon ended, so that they are published now.</summary>
/// <remarks>
/// A draft whose version is in the tree was published: its records are given back. Of a file with two unpublished drafts the
/// lower one was frozen when the upper one began; it is published first. A draft of a file that the tree does not know waits as
/// long as something is missing in the tree (<see cref="ReplicatedLog.IsFoldWhole"/>): a block was lost here, and the file is in it.
/// Used under the gate.
/// </remarks>
internal sealed class DraftRecovery(VolumeState state)
{
    private readonly Dictionary<VersionId, (LayerBegun Begun, Draft Draft)> _layers = [];
    private readonly List<VersionId> _order = [];
    private readonly List<JournalExtent> _freed = [];

    /// <summary>How many drafts wait for their files.</summary>
    public int Waiting => _order.Count;

    /// <summary>Whether any does.</summary>
    public bool IsWaiting => Waiting > 0;

    /// <summary>Files that have a draft again; they want publishing.</summary>
    public int Run(IReadOnlyList<RecoveredRecord> records)
    {
        foreach (RecoveredRecord record in records)
        {
            Take(record);
        }

        return Look();
    }

    /// <summary>The tree has changed: brings those back whose files are known now, and gives up those that nobody wants.</summary>
    /// <returns>Files that have a draft again.</returns>
    public int Look()
    {
        bool isWhole = state.Parts.Log.IsFoldWhole;
        int recovered = 0;
        foreach (VersionId version in _order.ToArray())
        {
            (LayerBegun begun, Draft draft) = _layers[version];
            bool isWanted = IsWanted(begun, draft);
            if (!isWanted && !isWhole && state.Queries.Get(begun.Object) is null)
            {
                continue;
            }

            _order.Remove(version);
            if (isWanted)
            {
                Restore(begun, draft);
                recovered++;
            }
            else
            {
                GiveUp(draft);
            }
        }

        state.Journal.Release(_freed);
        _freed.Clear();
        if (_order.Count == 0)
        {
            _layers.Clear();
        }

        return recovered;
    }

    private void GiveUp(Draft draft)
    {
        draft.Map.Clear(_freed);
        foreach (Cairn.Storage.Journaling.JournalPosition note in draft.Notes)
        {
            state.Journal.Journal.Release(note);
        }
    }

    private void Take(RecoveredRecord record)
    {
        JournalEntry entry = record.Entry;
        if (entry.Type == JournalEntryType.LayerBegun)
        {
            if (state.Journal.Open(record).TryGet(out byte[]? plain, out _) && LayerBegun.Decode(plain) is { } begun)
            {
                Draft draft = new(entry.Layer, entry.Offset)
                {
                    IsRecovered = true,
                    Modified = entry.Time,
                    FirstWriteMs = state.NowMs,
                    LastWriteMs = state.NowMs,
                };
                draft.Notes.Add(record.Position);
                if (_layers.TryAdd(entry.Layer, (begun, draft)))
                {
                    _order.Add(entry.Layer);
                }

                return;
            }

            state.Journal.Journal.Release(record.Position);
            return;
        }

        // Without its beginning a layer was given back before the crash: nothing of it is needed.
        if (!_layers.TryGetValue(entry.Layer, out (LayerBegun Begun, Draft Draft) layer))
        {
            state.Journal.Journal.Release(record.Position);
            return;
        }

        Apply(layer.Draft, record);
    }

    private void Apply(Draft draft, RecoveredRecord record)
    {
        JournalEntry entry = record.Entry;
        draft.Modified = entry.Time;
        switch (entry.Type)
        {
            case JournalEntryType.Extent when entry.Length > 0:
                draft.Map.Put(
                    entry.Offset, entry.Offset + entry.Length, new JournalExtent(record.Position, entry), _freed);
                draft.SizeBytes = Math.Max(draft.SizeBytes, entry.Offset + entry.Length);
                return;
            case JournalEntryType.Resized:
                draft.Resize(entry.Offset, _freed);
                break;
            case JournalEntryType.Hole when entry.Length > 0:
                draft.Map.Put(entry.Offset, entry.Offset + entry.Length, null, _freed);
                break;
            case JournalEntryType.TimeSet or JournalEntryType.Extent or JournalEntryType.Hole:
                break;
            case JournalEntryType.Transaction or JournalEntryType.LayerBegun or JournalEntryType.ChunkStored:
            default:
                throw new InvariantException($"a {entry.Type} among the records of a draft");
        }

        draft.Notes.Add(record.Position);
    }

    private bool IsWanted(LayerBegun begun, Draft draft)
    {
        if (state.IsUnwanted(begun.Object, draft) || state.Queries.Get(begun.Object) is not { } view)
        {
            return false;
        }

        foreach (HeadView head in view.Heads)
        {
            if (head.Is(draft.Version))
            {
                return false;
            }
        }

        return !state.Queries.SupersededVersions(view.Owner).Any(superseded => superseded.Version.Is(draft.Version));
    }

    private void Restore(LayerBegun begun, Draft draft)
    {
        ObjectView view = state.Queries.Get(begun.Object)!;
        OpenObject target = state.OpenFor(view);
        if (begun.Below != default && target.Active is { } below && below.Version == begun.Below)
        {
            target.Frozen = below;
        }
        else
        {
            target.BaseHeads = begun.Below != default ? [begun.Below] : begun.BaseHeads;
            target.BaseRoot = begun.Below != default ? ManifestOf(view, begun.Below) : begun.BaseRoot;
            target.Base = null;
            target.BaseSize = BaseSize(target.BaseRoot);
        }

        target.Active = draft;
        target.WantsPublishing = true;
    }

    /// <summary>The manifest of a published version, which another's may hold the name of by now, or have superseded.</summary>
    private ReadOnlyMemory<byte> ManifestOf(ObjectView view, VersionId version) =>
        view.Heads.Concat(state.Queries.SupersededVersions(view.Owner).Select(past => past.Version))
            .FirstOrDefault(known => known.Is(version))?.Manifest ?? view.Head?.Manifest ?? default;

    private static long BaseSize(ReadOnlyMemory<byte> root) =>
        !root.IsEmpty && ManifestRootCodec.Decode(root.Span).TryGet(out ManifestRoot? decoded, out _)
            ? decoded.SizeBytes
            : 0;
}
