using System.Buffers.Binary;
using System.Globalization;
using Cairn.Core.Fold;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>
/// Finds past states by name: snapshots, which the tree keeps, and moments, which are replayed from the logs.
/// </summary>
/// <remarks>
/// A moment is everything that every node had written by then, by its own clock. It is made of the logs as far as they
/// are held here; the last few are remembered. Guarded by the volume's gate; a replay runs on a worker without it.
/// </remarks>
internal sealed class PastViews(VolumeState state)
{
    private const int MomentsMax = 2;

    // Of the first and the last year that .NET knows no time can be said in every zone.
    private const int YearMin = 2;
    private const int YearMax = 9998;

    private readonly SnapshotQueries _snapshots = new(state.Parts.Log.Fold.Table);
    private readonly List<(PastState State, WallTime Time, PastView View)> _moments = [];

    /// <summary>A moment is no longer remembered. Raised inside the gate.</summary>
    public event Action<PastView>? Forgotten;

    /// <summary>The snapshots under the names they are shown with, in the order of their making.</summary>
    public IReadOnlyList<(string Name, SnapshotRecord Snapshot)> Named()
    {
        var named = new List<(string Name, SnapshotRecord Snapshot)>();
        var taken = new HashSet<string>();
        foreach (SnapshotRecord snapshot in _snapshots.All())
        {
            string name = NameText.Of(snapshot.Name.Span);
            name = taken.Add(name) ? name : $"{name}-{snapshot.Id.ToHex(4)}";
            named.Add((name, snapshot));
        }

        return named;
    }

    /// <summary>The snapshot with a name; null if there is none.</summary>
    public SnapshotRecord? Snapshot(string name) => Named().FirstOrDefault(one => one.Name == name).Snapshot;

    /// <summary>What a snapshot shows.</summary>
    public PastView Of(SnapshotRecord snapshot) => new(
        _snapshots.View(snapshot), snapshot.Folder,
        BinaryPrimitives.ReadUInt64LittleEndian(snapshot.Id.ToArray()), KeepsData: true);

    /// <summary>The states that a number may belong to: all snapshots, and the moments that are remembered.</summary>
    public IEnumerable<PastView> Known() =>
        _snapshots.All().Select(Of).Concat(_moments.Select(moment => moment.View));

    /// <summary>A past state by its name.</summary>
    public async ValueTask<Result<PastView, VolumeError>> Find(PastState past, CancellationToken cancellation)
    {
        WallTime time;
        lock (state.Gate)
        {
            if (!past.Name.StartsWith('@'))
            {
                return past.Without.Count == 0 && Snapshot(past.Name) is { } snapshot
                    ? Of(snapshot)
                    : VolumeError.NotFound;
            }

            if (Moment(past.Name) is not { } moment || moment > state.Parts.Time.GetUtcNow())
            {
                return VolumeError.NotFound;
            }

            time = WallTime.From(moment);
            if (_moments.Find(known => known.Time == time && known.State.Without.SequenceEqual(past.Without)).View
                is { } remembered)
            {
                return remembered;
            }
        }

        Result<MemoryTable, VolumeError> replayed = await HistoryReplay.Run(
            state,
            written => written.Claimed <= time
                || (past.Without.Count > 0 && !past.Without.Contains(written.Id.Log.Author)),
            cancellation);
        if (!replayed.IsOk)
        {
            return replayed.Error;
        }

        PastView view = new(
            new TreeQueries(replayed.Value), TreeQueries.Root, (ulong)time.UnixNanoseconds, KeepsData: false);
        lock (state.Gate)
        {
            _moments.Add((past, time, view));
            if (_moments.Count > MomentsMax)
            {
                Forgotten?.Invoke(_moments[0].View);
                _moments.RemoveAt(0);
            }
        }

        return view;
    }

    /// <summary>The time behind the '@'; local unless it says otherwise.</summary>
    private DateTimeOffset? Moment(string name)
    {
        string text = name[1..];
        if (!text.Contains('-', StringComparison.Ordinal)
            || !DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _)
            || !DateTime.TryParse(
                text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out DateTime read)
            || read.Year is < YearMin or > YearMax)
        {
            return null;
        }

        TimeZoneInfo zone = state.Parts.Time.LocalTimeZone;
        return read.Kind == DateTimeKind.Unspecified
            ? new DateTimeOffset(read, zone.GetUtcOffset(read))
            : new DateTimeOffset(read);
    }
}
