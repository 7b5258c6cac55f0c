using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Engine;
using Cairn.Node.Ports;

namespace Cairn.Node.WritePath;

/// <summary>Cuts large drafts while they are being written, so that most of their chunks are on their way when they are closed.</summary>
/// <remarks>
/// Invariant: a chunk that was put here is named by the draft's version, or reported as unnamed once the draft has changed
/// below it. What a removal of garbage may take away meanwhile is not counted on: <see cref="VoidAll"/>.
/// Thread: the publisher's rounds; the cutting itself runs on a worker.
/// </remarks>
internal sealed class EarlyCutter(VolumeState state, ContentCutter cutter, Action<IEnumerable<ChunkAddress>> unnamed)
{
    private readonly List<Draft> _begun = [];

    /// <summary>Whether there is something to cut, or to report. Called under the gate.</summary>
    public bool IsDue => _begun.Exists(draft => draft.Ahead is { IsVoid: true }) || Next() is not null;

    /// <summary>Whether drafts count on chunks that were put here. Called under the gate.</summary>
    public bool HoldsChunks => _begun.Exists(static draft => draft.Ahead is { IsVoid: false });

    /// <summary>Cuts the next part of one draft.</summary>
    public async Task Step()
    {
        Draft? draft;
        List<Extent> extents = [];
        long end = 0;
        lock (state.Gate)
        {
            ForgetEnded();
            draft = Next();
            if (draft?.Ahead is { } begun)
            {
                end = Math.Min(begun.WrittenEnd, begun.End + (2 * state.Parts.Publishing.AheadStepBytes));
                extents = DraftContent.Snapshot(draft, begun.End, end);
                if (!_begun.Contains(draft))
                {
                    _begun.Add(draft);
                }
            }
        }

        if (draft?.Ahead is { } ahead && !await state.Parts.Workers.Run(
                WorkPriority.Background, () => cutter.CutAhead(ahead, extents, end).IsOk))
        {
            // Overwritten under its hands, or no space: what is wrong is seen when the draft is published.
            lock (state.Gate)
            {
                ahead.Void();
            }
        }
    }

    /// <summary>Chunks are about to be removed that a draft may count on: all of it is cut when it is published.</summary>
    public void VoidAll()
    {
        foreach (Draft draft in _begun)
        {
            draft.Ahead?.Void();
        }
    }

    private Draft? Next()
    {
        foreach (OpenObject target in state.OpenObjects)
        {
            if (target.Active is { Ahead: { } ahead } draft && ahead.IsDue(state.Parts.Publishing))
            {
                return draft;
            }
        }

        return null;
    }

    private void ForgetEnded()
    {
        foreach (Draft draft in _begun)
        {
            if (draft.Ahead is { IsVoid: true } ahead)
            {
                unnamed(ahead.Content.Build().Addresses());
            }
        }

        _begun.RemoveAll(static draft => draft.Ahead is not { IsVoid: false });
    }
}
