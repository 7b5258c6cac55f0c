using Cairn.Core.Membership;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Node.Control;

namespace Cairn.Node.Owner;

/// <summary>How this node is, in one look.</summary>
internal sealed class StatusOperations(
    NodeParts parts, SafetyState safety, ProblemList problems, VolumeOperations volumes, SettingOperations settings)
{
    /// <inheritdoc cref="INodeControl.Status"/>
    public NodeStatus Status()
    {
        NodeId[] nodes = [.. parts.View.Nodes.Where(node => !parts.View.IsForgotten(node))];
        NodeId[] absent = [.. nodes.Where(node => parts.View.LivenessOf(node) == Liveness.Dead)];
        SafetyCounts counts = safety.Counts(absent);
        SafetyVerdict verdict = SafetyVerdict.Of(counts);
        OwedStatus owed = new(
            counts.FilesUnpublished, counts.ChunksOwed, counts.BytesOwed, counts.ChunksToRepair,
            parts.Sync.Unconfirmed(), parts.Sync.Missing());
        PlacementTable table = parts.View.Placement;
        (long total, long free) = parts.Room.Space();
        parts.View.State.Members.TryGetValue(parts.View.Self, out Member? self);
        return new NodeStatus
        {
            Node = parts.View.Self,
            Name = parts.Options.Name,
            Pool = parts.View.Pool,
            State = parts.Record.Current.Record.State.ToString().ToLowerInvariant(),
            IsAdmin = parts.View.IsAdmin,
            IsRevoked = self?.Standing == MemberStanding.Revoked,
            IsReadOnly = !parts.View.State.MayWrite(parts.View.Self),
            ListenAddress = parts.Ports.Transport.ListenAddress.ToString(),
            Uptime = parts.Ports.Time.GetElapsedTime(parts.Started),
            Space = settings.Space(),
            Owed = owed,
            OnlyHere = parts.OnlyHere.Look(),
            PoolState = new PoolStatus(
                nodes.Length, nodes.Length - absent.Length, PlacementPolicy.CopiesDefault,
                Math.Min(table.Copies, table.NodeCount), table.CapacityBytes, total, total - free),
            Volumes = volumes.Summaries(),
            Problems = problems.Of(absent),
            Limit = new BandwidthLimit(
                parts.Copies.SendLimiter.BytesPerSecond, parts.Copies.ReceiveLimiter.BytesPerSecond),
            Verdict = verdict.Text,
            IsSafe = owed is { PublishFiles: 0, SendChunks: 0, FetchChunks: 0 }
                && counts is { BlocksOnlyHere: 0, OwingNodes.Count: 0 } && verdict.Level != VerdictLevel.Danger,
        };
    }
}
