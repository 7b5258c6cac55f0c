using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Pool;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>What the pins of a volume come to.</summary>
internal sealed class PinnedFiles
{
    private readonly VolumeState _state;
    private readonly ContentReader _reader;
    private long _changes;

    /// <summary>Counts changes from now on.</summary>
    public PinnedFiles(VolumeState state, ContentReader reader)
    {
        _state = state;
        _reader = reader;
        ReplicatedLog log = state.Parts.Log;
        log.Changed += _ => Interlocked.Increment(ref _changes);
        log.Written += _ => Interlocked.Increment(ref _changes);
    }

    /// <summary>Grows when anything in the volume changes.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    /// <summary>The pin of what a number names.</summary>
    public Result<Pin, VolumeError> PinOf(InodeNumber inode)
    {
        lock (_state.Gate)
        {
            if (!_state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            Pin pin = new() { Volume = _state.Keys.Volume, Object = view.Id };
            return _state.Queries.Parents(view.Id) is [var place, ..]
                ? pin with { Parent = place.Parent, Name = place.Name }
                : pin;
        }
    }

    /// <summary>What a pin keeps now.</summary>
    public async ValueTask<PinnedContents> Of(Pin pin, CancellationToken cancellation)
    {
        Pin now;
        string path;
        lock (_state.Gate)
        {
            now = Follow(pin);
            IReadOnlyList<ReadOnlyMemory<byte>> names = _state.Queries.PathOf(now.Object);
            path = string.Join('/', [_state.Parts.Name, .. names.Select(name => NameText.Of(name.Span))]);
            if (!IsShown(now.Object))
            {
                return new PinnedContents(pin, path, IsGone: true, 0, 0, []);
            }
        }

        ChunkWalk walk = new(_state, _reader) { Since = pin.Since(_state.Now), PassesOver = true };
        Result<VolumeChunks, VolumeError> walked = await walk.Run(now.Object, cancellation);
        return walked.TryGet(out VolumeChunks? found, out _)
            ? new PinnedContents(now, path, IsGone: false, found.Files, found.Unreadable, found.Chunks)
            : new PinnedContents(now, path, IsGone: false, 0, 1, []);
    }

    /// <summary>The pinned object as long as it is shown; then what its name holds, moved to wherever that goes.</summary>
    private Pin Follow(Pin pin)
    {
        if (pin.Object == TreeQueries.Root)
        {
            return pin;
        }

        if (IsShown(pin.Object))
        {
            return _state.Queries.Parents(pin.Object) is [var place, ..]
                ? pin with { Parent = place.Parent, Name = place.Name }
                : pin;
        }

        return _state.Queries.Lookup(pin.Parent, pin.Name) is { } entry ? pin with { Object = entry.Object } : pin;
    }

    private bool IsShown(ObjectId id) =>
        id == TreeQueries.Root || _state.Queries.Get(id) is { IsDetached: false };
}
