using System.Runtime.CompilerServices;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node;

/// <content>How safe data is, waiting until it is, and leaving.</content>
public sealed partial class CairnNode
{
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OwedPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan HeardPatience = TimeSpan.FromSeconds(10);

    /// <inheritdoc/>
    public async ValueTask<Result<SafetyReport, ControlError>> Safe(string path, CancellationToken cancellation)
    {
        Result<VolumeContents, ControlError> found = await ContentsOf(path, cancellation);
        if (!found.TryGet(out VolumeContents? contents, out ControlError error))
        {
            return error;
        }

        bool[] here = [.. contents.Chunks.Select(address => _server.OutcomeOf(address) == ChunkOutcome.Held)];
        List<HolderSummary> holders = [new HolderSummary(_view.Self, _options.Name, here.Count(isHeld => isHeld))];
        int[] elsewhere = await _census.Elsewhere(contents.Chunks, holders);
        int[] copies = [.. elsewhere.Zip(here, (others, isHere) => others + (isHere ? 1 : 0))];
        PlacementTable table = _view.Placement;
        int possible = Math.Min(table.Copies, table.NodeCount);
        int confirmed = copies.Length == 0 ? possible : Math.Min(possible, copies.Min());
        bool isSafe = confirmed >= possible && !contents.HasUnpublishedWrites && _sync.IsSafe(possible)
            && !contents.Chunks.Any(_replicator.Owes);
        return new SafetyReport
        {
            Path = path,
            Files = contents.Files,
            Chunks = contents.Chunks.Count,
            Bytes = contents.Chunks.Sum(address => (long)Math.Max(0, _chunks.Length(RecordKey.Copy(address)))),
            CopiesWanted = PlacementPolicy.CopiesDefault,
            CopiesPossible = possible,
            CopiesConfirmed = confirmed,
            HasUnpublishedWrites = contents.HasUnpublishedWrites,
            Holders = holders,
            IsSafe = isSafe,
            Sentence = SafetyVerdict.OfFile(confirmed, possible, PlacementPolicy.CopiesDefault),
        };
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Result<SafetyProgress, ControlError>> WaitSafe(
        string? path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        (long Chunks, long Bytes) most = (0, 0);
        long reported = 0;
        long asked = 0;
        long? heard = null;
        while (!cancellation.IsCancellationRequested && !_stop.IsCancellationRequested)
        {
            Task progress = _progress.Task;
            SafetyProgress now = OwnProgress(ref most);
            if (path is null && now.IsSafe
                && (heard is not { } last || _ports.Time.GetElapsedTime(last) > AskEvery))
            {
                await HearOwed(cancellation);
                heard = _ports.Time.GetTimestamp();
                now = OwnProgress(ref most);
            }

            if (path is null && now.IsSafe && OwingNodes() is { Count: > 0 } others)
            {
                string sentence = $"{string.Join(", ", others)} still copies what was written there.";
                now = now with { IsSafe = false, Sentence = sentence };
            }

            // The holders are asked when this node owes nothing more, or once a second while others keep writing here.
            if (path is not null && (now.IsSafe || _ports.Time.GetElapsedTime(asked) > AskEvery))
            {
                asked = _ports.Time.GetTimestamp();
                Result<SafetyReport, ControlError> report = await Safe(path, cancellation);
                if (!report.TryGet(out SafetyReport? safe, out ControlError error))
                {
                    yield return error;
                    yield break;
                }

                now = now with { IsSafe = safe.IsSafe, Sentence = safe.Sentence };
            }

            if (now.IsSafe || _ports.Time.GetElapsedTime(reported) >= ReportEvery)
            {
                reported = _ports.Time.GetTimestamp();
                yield return now;
            }

            if (now.IsSafe)
            {
                yield break;
            }

            await Either(progress, ReportEvery, cancellation);
        }

        yield return new ControlError(ControlErrorKind.Stopping, "The wait was ended before everything was safe.");
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<Result<SafetyProgress, ControlError>> Leave(
        bool force, [EnumeratorCancellation] CancellationToken cancellation)
    {
        NodeId[] others = [.. _view.State.ActiveNodes.Select(member => member.Node).Where(node => node != _view.Self)];
        if (!force && LeavesNoAdmin() is { } refusal)
        {
            yield return refusal;
            yield break;
        }

        Result<Unit, StoreError> said = Say(NodeState.Decommissioning);
        if (!said.TryGet(out _, out StoreError failure))
        {
            yield return new ControlError(ControlErrorKind.Storage, failure.ToString());
            yield break;
        }

        try
        {
            if (!force && others.Length > 0)
            {
                await foreach (Result<SafetyProgress, ControlError> step in HandOn(cancellation))
                {
                    yield return step;
                    if (!step.IsOk)
                    {
                        yield break;
                    }
                }
            }

            Result<Unit, ControlError> left = Done(_poolLog.Append([new Exclude(_view.Self, true)]));
            if (!left.TryGet(out _, out ControlError error))
            {
                yield return error;
                yield break;
            }
        }
        finally
        {
            _isLeaving = false;
        }

        Say(NodeState.Gone);
        bool isHeard = await IsHeard(others, cancellation);
        yield return new SafetyProgress(0, 0, 0, 0, true, isHeard
            ? "This node has left the pool."
            : "This node has left the pool, but no other has heard of it yet: let its daemon run until one has, "
                + $"or run `cairn node forget {_options.Name}` there.");
    }

    /// <summary>Whether another member has what was written into the pool's log; a home that is deleted tells it to nobody.</summary>
    private async Task<bool> IsHeard(NodeId[] others, CancellationToken cancellation)
    {
        LogPositions written = _poolLog.Positions;
        long start = _ports.Time.GetTimestamp();
        bool HasHeard(NodeId node) => _sync.ConfirmedBy(node, _poolLog.Volume).Covers(written);
        while (others.Length > 0 && !others.Any(HasHeard))
        {
            bool isOver = cancellation.IsCancellationRequested || _stop.IsCancellationRequested
                || _ports.Time.GetElapsedTime(start) > HeardPatience;
            if (isOver)
            {
                return false;
            }

            await Either(_progress.Task, ReportEvery, cancellation);
        }

        return true;
    }

    /// <summary>Why the last admin does not leave: nobody could let anybody in, or put anybody out, any more.</summary>
    private ControlError? LeavesNoAdmin()
    {
        Member[] others = [.. _view.State.ActiveNodes.Where(member => member.Node != _view.Self)];
        return _view.IsAdmin && others.Length > 0 && !others.Any(static member => member.IsAuthority)
            ? new ControlError(
                ControlErrorKind.InvalidArgument,
                $"{_options.Name} is the pool's only admin: without it nobody can invite, revoke or make volumes. "
                + $"Run `cairn node promote {_view.NameOf(others[0].Node)}` first. With --force it leaves all the "
                + "same, and only the recovery kit makes another admin.")
            : null;
    }

    /// <summary>Until others hold all that this node holds; then nothing is written here any more, and that is waited for, too.</summary>
    /// <remarks>What is acknowledged between the last look and the leaving would be here alone.</remarks>
    private async IAsyncEnumerable<Result<SafetyProgress, ControlError>> HandOn(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        _replicator.OweEverything();
        (long Chunks, long Bytes) most = (0, 0);
        SafetyProgress step = OwnProgress(ref most);
        while (!(step.IsSafe && _isLeaving))
        {
            if (cancellation.IsCancellationRequested || _stop.IsCancellationRequested)
            {
                yield return new ControlError(
                    ControlErrorKind.Stopping, "Leaving was ended before every copy was handed on.");
                yield break;
            }

            _isLeaving |= step.IsSafe;
            if (!step.IsSafe)
            {
                yield return step;
                await Either(_progress.Task, ReportEvery, cancellation);
            }

            step = OwnProgress(ref most);
        }
    }

    /// <summary>Whether this node has left the pool, by the pool's log or by its record. Any thread.</summary>
    private bool HasLeft => _record.HasLeft || _view.HasLeft(_view.Self);

    private Task Either(Task first, TimeSpan atMost, CancellationToken cancellation) =>
        Waiting.AtMost(first, atMost, _ports.Time, cancellation);

    private SafetyProgress OwnProgress(ref (long Chunks, long Bytes) most)
    {
        long chunks = _replicator.OwedCount;
        long bytes = _replicator.OwedBytes;
        most = (Math.Max(most.Chunks, chunks), Math.Max(most.Bytes, bytes));
        bool isPublished = !_grounds.IsAny && !_volumes.Open.Any(volume => volume.HasUnpublishedWrites);
        PlacementTable table = _view.Placement;
        bool isLogSafe = _sync.IsSafe(Math.Min(table.Copies, table.NodeCount));
        SafetyVerdict verdict = SafetyVerdict.Of(Counts([]));
        bool isSafe = chunks == 0 && isPublished && isLogSafe && _repair.MissingCount == 0
            && verdict.Level != VerdictLevel.Danger;
        string sentence = isSafe || verdict.Level == VerdictLevel.Danger ? verdict.Text
            : _grounds.Problems.FirstOrDefault() is { Message: { } waits } ? waits
            : !isPublished ? "Writes are being published."
            : chunks > 0 ? $"{CountText.Of(chunks, "chunk is", "chunks are")} on the way."
            : !isLogSafe ? "The log is on its way."
            : verdict.Text;
        return new SafetyProgress(most.Chunks, most.Chunks - chunks, most.Bytes, most.Bytes - bytes, isSafe, sentence);
    }

    /// <summary>The names of the other nodes that said, some seconds ago, that they owe copies of what was written there.</summary>
    private List<string> OwingNodes() =>
        [.. OtherRecords().Where(record => record.OwedChunks > 0).Select(record => record.Name)];

    /// <summary>Lets the nodes that are connected say now whether they owe copies: what they said last may be seconds old.</summary>
    private Task HearOwed(CancellationToken cancellation)
    {
        static async Task Hear(PeerLink link)
        {
            using PeerReply reply = await link.Ask(static number => new Ping(number));
        }

        return Either(Task.WhenAll(_peers.Links.ToArray().Select(Hear)), OwedPatience, cancellation);
    }

    /// <summary>The records of the other nodes whose copies count; one that is given up owes nothing any more.</summary>
    private IEnumerable<NodeRecord> OtherRecords()
    {
        foreach (NodeId node in _view.Nodes)
        {
            if (node != _view.Self && !_view.IsGivenUp(node) && _view.Map.TryGet(node, out SignedNodeRecord? signed))
            {
                yield return signed.Record;
            }
        }
    }

    private async Task<Result<VolumeContents, ControlError>> ContentsOf(string path, CancellationToken cancellation)
    {
        if (!FindHosted(path).TryGet(out (IHostedVolume Volume, string Below) place, out ControlError refused))
        {
            return refused;
        }

        Result<VolumeContents, VolumeError> contents = await place.Volume.Contents(place.Below, cancellation);
        return contents.TryGet(out VolumeContents? found, out VolumeError error) ? found : NotThere(path, error);
    }

    private static ControlError NotThere(string path, VolumeError error) =>
        error is VolumeError.NotFound or VolumeError.NotADirectory
            ? new ControlError(ControlErrorKind.NotFound, $"There is no '{path}'.")
            : new ControlError(ControlErrorKind.Unreachable, $"'{path}' cannot be read through now: {error}.");

    /// <summary>The open volume that a path begins with, and the rest of the path.</summary>
    private Result<(IHostedVolume Volume, string Below), ControlError> FindHosted(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string name = slash < 0 ? path : path[..slash];
        string below = slash < 0 ? string.Empty : path[(slash + 1)..];
        if (!_view.State.TryFindVolume(name, out PoolVolume? volume) || _volumes.Find(volume.Volume) is not { } hosted)
        {
            return volume is not null && _volumes.WhyClosed(volume.Volume) is not null
                ? NotOpen(volume)
                : new ControlError(ControlErrorKind.NotFound, $"There is no volume '{name}' here.");
        }

        return (hosted, below);
    }
}
