using System.Runtime.CompilerServices;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Owner;

/// <summary>How safe data is, and waiting until it is.</summary>
internal sealed class SafetyOperations(NodeParts parts, PoolNames names, SafetyState state)
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan OwedPatience = TimeSpan.FromSeconds(2);

    private const int LostFilesShown = 10;
    private const int LostChunksAsked = 64;

    /// <inheritdoc cref="INodeControl.Safe"/>
    public async ValueTask<Result<SafetyReport, ControlError>> Safe(string path, CancellationToken cancellation)
    {
        Result<VolumeContents, ControlError> found = await names.ContentsOf(path, cancellation);
        if (!found.TryGet(out VolumeContents? contents, out ControlError error))
        {
            return error;
        }

        bool IsHeld(ChunkAddress address) => parts.Copies.Server.OutcomeOf(address) == ChunkOutcome.Held;
        bool[] here = [.. contents.Chunks.Select(IsHeld)];
        List<HolderSummary> holders =
            [new HolderSummary(parts.View.Self, parts.Options.Name, here.Count(isHeld => isHeld))];
        int[] elsewhere = await parts.Copies.Census.Elsewhere(contents.Chunks, holders);
        int[] copies = [.. elsewhere.Zip(here, (others, isHere) => others + (isHere ? 1 : 0))];
        PlacementTable table = parts.View.Placement;
        int possible = Math.Min(table.Copies, table.NodeCount);
        int confirmed = copies.Length == 0 ? possible : Math.Min(possible, copies.Min());
        bool isSafe = confirmed >= possible && !contents.HasUnpublishedWrites && parts.Sync.IsSafe(possible)
            && !contents.Chunks.Any(parts.Copies.Replicator.Owes);
        IEnumerable<ChunkAddress> without = contents.Chunks.Where((_, i) => copies[i] == 0);
        return new SafetyReport
        {
            Path = path,
            Lost = await LostBelow(path, without, cancellation),
            Files = contents.Files,
            Chunks = contents.Chunks.Count,
            Bytes = contents.Bytes,
            CopiesWanted = PlacementPolicy.CopiesDefault,
            CopiesPossible = possible,
            CopiesConfirmed = confirmed,
            HasUnpublishedWrites = contents.HasUnpublishedWrites,
            Holders = holders,
            IsSafe = isSafe,
            Sentence = SafetyVerdict.OfFile(confirmed, possible, PlacementPolicy.CopiesDefault),
        };
    }

    /// <inheritdoc cref="INodeControl.WaitSafe"/>
    public async IAsyncEnumerable<Result<SafetyProgress, ControlError>> WaitSafe(
        string? path, [EnumeratorCancellation] CancellationToken cancellation)
    {
        (long Chunks, long Bytes) most = (0, 0);
        long reported = 0;
        long asked = 0;
        long? heard = null;
        while (!cancellation.IsCancellationRequested && !parts.IsStopping && !parts.HasLeft)
        {
            Task progress = parts.Progress.Next;
            SafetyProgress now = state.OwnProgress(ref most);
            if (path is null && now.IsSafe
                && (heard is not { } last || parts.Ports.Time.GetElapsedTime(last) > AskEvery))
            {
                await HearOwed(cancellation);
                heard = parts.Ports.Time.GetTimestamp();
                now = state.OwnProgress(ref most);
            }

            if (path is null && now.IsSafe && state.OwingNodes() is { Count: > 0 } others)
            {
                string sentence = $"{string.Join(", ", others)} still copies what was written there.";
                now = now with { IsSafe = false, Sentence = sentence };
            }

            // The holders are asked when this node owes nothing more, or once a second while others keep writing here.
            if (path is not null && (now.IsSafe || parts.Ports.Time.GetElapsedTime(asked) > AskEvery))
            {
                asked = parts.Ports.Time.GetTimestamp();
                Result<SafetyReport, ControlError> report = await Safe(path, cancellation);
                if (!report.TryGet(out SafetyReport? safe, out ControlError error))
                {
                    yield return error;
                    yield break;
                }

                if (safe.Lost.Count > 0)
                {
                    yield return new ControlError(
                        ControlErrorKind.Unreachable,
                        $"'{path}' does not become safe: no machine of the pool has {safe.Lost[0]}. Remove it or bring "
                        + "an earlier version back (`cairn log`, `cairn restore`); `cairn safe` lists all such files.");
                    yield break;
                }

                now = now with { IsSafe = safe.IsSafe, Sentence = safe.Sentence };
            }

            if (now.IsSafe || parts.Ports.Time.GetElapsedTime(reported) >= NodeProgress.ReportEvery)
            {
                reported = parts.Ports.Time.GetTimestamp();
                yield return now;
            }

            if (now.IsSafe)
            {
                yield break;
            }

            await Waiting.AtMost(progress, NodeProgress.ReportEvery, parts.Ports.Time, cancellation);
        }

        yield return parts.HasLeft
            ? Answer.Left
            : new ControlError(ControlErrorKind.Stopping, "The wait was ended before everything was safe.");
    }

    /// <summary>Files that have parts of which no member has a copy, a cached one either.</summary>
    private async Task<IReadOnlyList<string>> LostBelow(
        string path, IEnumerable<ChunkAddress> without, CancellationToken cancellation)
    {
        HashSet<ChunkAddress> lost = [];
        bool IsNotHere(ChunkAddress address) => !parts.Chunks.Contains(RecordKey.Copy(address));
        foreach (ChunkAddress address in without.Where(IsNotHere).Take(LostChunksAsked))
        {
            Result<ChunkLease, VolumeError> fetched = await parts.Copies.Source.FetchHere(address, cancellation);
            if (fetched.TryGet(out ChunkLease? lease, out _))
            {
                using (lease)
                {
                    // Somebody had it in its cache: kept, so that it is not fetched for each further look.
                    _ = parts.Chunks.Put(RecordKey.Copy(address), lease.Bytes.Span, ChunkUse.Cached);
                }
            }
            else if (parts.Copies.Source.Nowhere.Has(address))
            {
                lost.Add(address);
            }
        }

        return lost.Count > 0
            && names.FindHosted(path).TryGet(out (IHostedVolume Volume, string Below) place, out _)
            ? await place.Volume.FilesWith(lost, place.Below, LostFilesShown, cancellation)
            : [];
    }

    /// <summary>Lets the nodes that are connected say now whether they owe copies: what they said last may be seconds old.</summary>
    private Task HearOwed(CancellationToken cancellation)
    {
        static async Task Hear(PeerLink link)
        {
            using PeerReply reply = await link.Ask(static number => new Ping(number));
        }

        Task all = Task.WhenAll(parts.Peers.Links.ToArray().Select(Hear));
        return Waiting.AtMost(all, OwedPatience, parts.Ports.Time, cancellation);
    }
}
