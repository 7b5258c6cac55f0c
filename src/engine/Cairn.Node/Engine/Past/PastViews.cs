using System.Buffers.Binary;
using System.Globalization;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Core.Tree.Records;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>
/// Finds past states by name: snapshots, which the tree keeps, and moments, which are replayed from the logs.
/// </summary>
/// <remarks>
/// A moment is everything that every node had written by then, by its own clock; what was refused is shown by the
/// volume as it would be without limits. Both are made of the logs as far as they are held here; the last few are
/// remembered. Guarded by the volume's gate; a replay runs on a worker without it.
/// </remarks>
internal sealed class PastViews(VolumeState state)
{
    private const int MomentsMax = 2;

    // Of the first and the last year that .NET knows no time can be said in every zone.
    private const int YearMin = 2;
    private const int YearMax = 9998;

    private readonly SnapshotQueries _snapshots = new(state.Parts.Log.Fold.Table);
    private readonly List<(PastState State, long Stamp, PastView View)> _moments = [];

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

    /// <summary>A past state by its name, to be read from: it stays as it is for a while.</summary>
    public ValueTask<Result<PastView, VolumeError>> Find(PastState past, CancellationToken cancellation) =>
        past.Name == PastState.Refused ? FindRefused(cancellation)
        : past.Name.StartsWith('@') ? FindMoment(past, cancellation)
        : new(FindSnapshot(past));

    /// <summary>What the volume would be now if nothing were refused, to be held against the present.</summary>
    public async ValueTask<Result<PastView, VolumeError>> RefusedNow(CancellationToken cancellation)
    {
        ulong written;
        lock (state.Gate)
        {
            if (RefusedCount() == 0)
            {
                return VolumeError.NotFound;
            }

            written = WrittenCount();
        }

        // A number no other view has: moments are as far from it as nanoseconds from transactions.
        Result<MemoryTable, VolumeError> replayed = await HistoryReplay.RunWithRefused(state, cancellation);
        return replayed.IsOk
            ? new PastView(new TreeQueries(replayed.Value), TreeQueries.Root, ~written, KeepsData: false)
            : replayed.Error;
    }

    private Result<PastView, VolumeError> FindSnapshot(PastState past)
    {
        lock (state.Gate)
        {
            return past.Without.Count == 0 && Snapshot(past.Name) is { } snapshot
                ? Of(snapshot)
                : VolumeError.NotFound;
        }
    }

    /// <summary>
    /// While nothing else is refused, the same: who copies out of it must not lose it at the next write of anybody.
    /// </summary>
    private async ValueTask<Result<PastView, VolumeError>> FindRefused(CancellationToken cancellation)
    {
        long refused;
        lock (state.Gate)
        {
            refused = RefusedCount();
            if (_moments.Find(known => known.State.Name == PastState.Refused && known.Stamp == refused).View
                is { } remembered)
            {
                return remembered;
            }
        }

        Result<PastView, VolumeError> made = await RefusedNow(cancellation);
        return made.IsOk ? Remember(new PastState(PastState.Refused), refused, made.Value) : made;
    }

    private async ValueTask<Result<PastView, VolumeError>> FindMoment(PastState past, CancellationToken cancellation)
    {
        WallTime time;
        lock (state.Gate)
        {
            if (Moment(past.Name) is not { } moment || moment > state.Parts.Time.GetUtcNow())
            {
                return VolumeError.NotFound;
            }

            time = WallTime.From(moment);
            if (_moments.Find(known => known.State.Name != PastState.Refused && known.Stamp == time.UnixNanoseconds
                && known.State.Without.SequenceEqual(past.Without)).View is { } remembered)
            {
                return remembered;
            }
        }

        Result<MemoryTable, VolumeError> replayed = await HistoryReplay.Run(
            state,
            written => written.Claimed <= time
                || (past.Without.Count > 0 && !past.Without.Contains(written.Id.Log.Author)),
            cancellation,
            time);
        return replayed.IsOk
            ? Remember(past, time.UnixNanoseconds, new PastView(
                new TreeQueries(replayed.Value), TreeQueries.Root, (ulong)time.UnixNanoseconds, KeepsData: false))
            : replayed.Error;
    }

    private PastView Remember(PastState past, long stamp, PastView view)
    {
        lock (state.Gate)
        {
            _moments.Add((past, stamp, view));
            if (_moments.Count > MomentsMax)
            {
                Forgotten?.Invoke(_moments[0].View);
                _moments.RemoveAt(0);
            }
        }

        return view;
    }

    private long RefusedCount() => state.Parts.Log.Fold.Positions.Logs
        .Select(log => log.Key.Author).Distinct().Sum(state.Queries.RefusedOf);

    private ulong WrittenCount() =>
        state.Parts.Log.Fold.Positions.Logs.Aggregate(0UL, (sum, log) => sum + log.Value.TransactionSeq);

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
