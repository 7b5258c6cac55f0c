using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Pool;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Walks;

/// <summary>What the pins of a volume come to.</summary>
/// <remarks>
/// What a pin came to is kept with the keys of the tree that said so, until one of them changes: while others work elsewhere in
/// the volume, nothing is walked.
/// </remarks>
internal sealed class PinnedFiles
{
    /// <summary>A pin of more than about half as many files and folders is walked after every change.</summary>
    private const int KeysMax = 50_000;

    /// <summary>Pins that were taken away since are forgotten with the rest.</summary>
    private const int KnownMax = 100;

    private readonly List<Known> _known = [];
    private readonly VolumeState _state;
    private readonly ContentReader _reader;
    private long _changes;

    /// <summary>Counts changes from now on.</summary>
    public PinnedFiles(VolumeState state, ContentReader reader)
    {
        _state = state;
        _reader = reader;
        ReplicatedLog log = state.Parts.Log;
        log.Changed += keys =>
        {
            _known.RemoveAll(known => keys.Count == 0 || keys.Any(key => known.Reads.Has(key)));
            Interlocked.Increment(ref _changes);
        };
        log.Written += _ =>
        {
            _known.Clear();
            Interlocked.Increment(ref _changes);
        };
    }

    /// <summary>What a pin came to when it was walked last, and nothing of it changed since. Under the gate.</summary>
    private sealed record Known(Pin Asked, int ReloadCount, string Name, NotedReads Reads, PinnedContents Contents)
    {
        public bool Answers(Pin pin) => Asked.IsSame(pin) && Asked.Parent == pin.Parent
            && Asked.Name.Span.SequenceEqual(pin.Name.Span);
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
        long changes;
        NotedReads reads;
        TreeQueries queries;
        lock (_state.Gate)
        {
            if (_known.Find(known => known.Answers(pin)) is { } known && known.ReloadCount == ReloadCount
                && known.Name == _state.Parts.Name)
            {
                return known.Contents;
            }

            changes = Changes;
            reads = new NotedReads(_state.Parts.Log.Fold.Table, KeysMax);
            queries = new TreeQueries(reads);
            now = Follow(pin, queries);
            IReadOnlyList<ReadOnlyMemory<byte>> names = queries.PathOf(now.Object);
            path = string.Join('/', [_state.Parts.Name, .. names.Select(name => NameText.Of(name.Span))]);
            if (!IsShown(now.Object, queries))
            {
                return new PinnedContents(pin, path, IsGone: true, 0, 0, []);
            }
        }

        ChunkWalk walk = new(_state, _reader)
        {
            Queries = queries,
            Since = pin.Since(_state.Now),
            PassesOver = true,
        };
        Result<VolumeChunks, VolumeError> walked = await walk.Run(now.Object, cancellation);
        if (!walked.TryGet(out VolumeChunks? found, out _))
        {
            return new PinnedContents(now, path, IsGone: false, 0, 1, []);
        }

        PinnedContents contents = new(now, path, IsGone: false, found.Files, found.Unreadable, found.Chunks);
        if (found.Unreadable == 0 && pin.RecentDays == 0 && reads.IsWhole)
        {
            Keep(pin, changes, reads, contents);
        }

        return contents;
    }

    private int ReloadCount => _state.Parts.Log.Fold.ReloadCount;

    /// <summary>Keeps what a walk found, unless something changed while it went on.</summary>
    private void Keep(Pin asked, long changes, NotedReads reads, PinnedContents contents)
    {
        lock (_state.Gate)
        {
            if (changes == Changes)
            {
                _known.RemoveAll(known => known.Answers(asked) || _known.Count >= KnownMax);
                _known.Add(new Known(asked, ReloadCount, _state.Parts.Name, reads, contents));
            }
        }
    }

    /// <summary>The pinned object as long as it is shown; then what its name holds, moved to wherever that goes.</summary>
    private static Pin Follow(Pin pin, TreeQueries queries)
    {
        if (pin.Object == TreeQueries.Root)
        {
            return pin;
        }

        if (IsShown(pin.Object, queries))
        {
            return queries.Parents(pin.Object) is [var place, ..]
                ? pin with { Parent = place.Parent, Name = place.Name }
                : pin;
        }

        return queries.Lookup(pin.Parent, pin.Name) is { } entry ? pin with { Object = entry.Object } : pin;
    }

    private static bool IsShown(ObjectId id, TreeQueries queries) =>
        id == TreeQueries.Root || queries.Get(id) is { IsDetached: false };
}
