using System.Runtime.CompilerServices;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Storage;

namespace Cairn.Node.Owner;

/// <summary>Leaving the pool.</summary>
internal sealed class LeaveOperations(NodeParts parts, SafetyState state)
{
    private static readonly TimeSpan HeardPatience = TimeSpan.FromSeconds(10);

    /// <inheritdoc cref="INodeControl.Leave"/>
    public async IAsyncEnumerable<Result<SafetyProgress, ControlError>> Leave(
        bool force, [EnumeratorCancellation] CancellationToken cancellation)
    {
        NodeId[] others =
            [.. parts.View.State.ActiveNodes.Select(member => member.Node).Where(node => node != parts.View.Self)];
        if (!force && LeavesNoAdmin() is { } refusal)
        {
            yield return refusal;
            yield break;
        }

        Result<Unit, StoreError> said = parts.Publisher.Say(NodeState.Decommissioning);
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

            Result<Unit, ControlError> left = Answer.Of(parts.PoolLog.Append([new Exclude(parts.View.Self, true)]));
            if (!left.TryGet(out _, out ControlError error))
            {
                yield return error;
                yield break;
            }
        }
        finally
        {
            parts.IsLeaving = false;
        }

        parts.Publisher.Say(NodeState.Gone);
        bool isHeard = await IsHeard(others, cancellation);
        yield return new SafetyProgress(0, 0, 0, 0, true, isHeard
            ? "This node has left the pool."
            : "This node has left the pool, but no other has heard of it yet: let its daemon run until one has, "
                + $"or run `cairn node forget {parts.Options.Name}` there.");
    }

    /// <summary>Until others hold all that this node holds; then nothing is written here any more, and that is waited for, too.</summary>
    /// <remarks>What is acknowledged between the last look and the leaving would be here alone.</remarks>
    private async IAsyncEnumerable<Result<SafetyProgress, ControlError>> HandOn(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        parts.Copies.Replicator.OweEverything();
        (long Chunks, long Bytes) most = (0, 0);
        SafetyProgress step = state.OwnProgress(ref most);
        while (!(step.IsSafe && parts.IsLeaving))
        {
            if (cancellation.IsCancellationRequested || parts.IsStopping)
            {
                yield return new ControlError(
                    ControlErrorKind.Stopping, "Leaving was ended before every copy was handed on.");
                yield break;
            }

            parts.IsLeaving |= step.IsSafe;
            if (!step.IsSafe)
            {
                yield return step;
                await Waiting.AtMost(parts.Progress.Next, NodeProgress.ReportEvery, parts.Ports.Time, cancellation);
            }

            step = state.OwnProgress(ref most);
        }
    }

    /// <summary>Whether another member has what was written into the pool's log; a home that is deleted tells it to nobody.</summary>
    private async Task<bool> IsHeard(NodeId[] others, CancellationToken cancellation)
    {
        LogPositions written = parts.PoolLog.Positions;
        long start = parts.Ports.Time.GetTimestamp();
        bool HasHeard(NodeId node) => parts.Sync.ConfirmedBy(node, parts.PoolLog.Volume).Covers(written)
            || parts.Peers.Refused.IsStranger(node);
        while (others.Length > 0 && !others.Any(HasHeard))
        {
            bool isOver = cancellation.IsCancellationRequested || parts.IsStopping
                || parts.Ports.Time.GetElapsedTime(start) > HeardPatience;
            if (isOver)
            {
                return false;
            }

            await Waiting.AtMost(parts.Progress.Next, NodeProgress.ReportEvery, parts.Ports.Time, cancellation);
        }

        return true;
    }

    /// <summary>Why the last admin does not leave: nobody could let anybody in, or put anybody out, any more.</summary>
    private ControlError? LeavesNoAdmin()
    {
        Member[] others = [.. parts.View.State.ActiveNodes.Where(member => member.Node != parts.View.Self)];
        return parts.View.IsAdmin && others.Length > 0 && !others.Any(static member => member.IsAuthority)
            ? new ControlError(
                ControlErrorKind.Unsuitable,
                $"{parts.Options.Name} is the pool's only admin: without it nobody can invite, revoke or make volumes. "
                + $"Run `cairn node promote {parts.View.NameOf(others[0].Node)}` first. With --force it leaves all the "
                + "same, and only the recovery kit makes another admin.")
            : null;
    }
}
