using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Says in the pool's log that every fold of a volume may begin with a checkpoint that stands and is old.</summary>
/// <remarks>
/// Each member says it for itself, of what it has folded itself and keeps; a clock decides only when. If the words met where
/// nobody had heard all of them, the first admin's node that is up says its own once more. A member that cannot
/// agree says that, too, and the pool goes on to the checkpoint that stands then. docs/decisions/compaction.md.
/// Thread: the engine's loop.
/// </remarks>
/// <param name="horizon">How old a checkpoint is before it is settled.</param>
internal sealed class SettleKeeper(
    NodePorts ports, PoolLog log, PoolView view, PeerSet peers, NodeDiary diary, VolumeTransfers transfers,
    TimeSpan horizon)
{
    /// <summary>How far the clocks of two members may differ.</summary>
    private static readonly TimeSpan ClocksDiffer = TimeSpan.FromDays(1);

    private readonly CheckpointCopy _copy = new(ports, peers, transfers);

    /// <summary>Looks what is to be kept here, and what is old enough.</summary>
    public void Look(IHostedVolume hosted)
    {
        VolumeId volume = hosted.Log.Volume;
        AgingCheckpoint? aging = log.State.Aging.GetValueOrDefault(volume);
        hosted.NoteForgotten([.. log.State.Forgotten.Select(static member => member.Node)]);
        TakeSettled(hosted);

        bool isMember = log.State.Members.TryGetValue(view.Self, out Member? self) && self.IsActiveNode
            && !view.IsReturning();
        if (aging is null || !isMember)
        {
            return;
        }

        MadeCheckpoint next = aging.Standing.Checkpoint;
        bool agrees = hosted.Continues(next);
        if (agrees)
        {
            Take(hosted, aging.Standing);
        }

        if (IsOld(aging))
        {
            bool isKept = hosted.Lacks(next) is null;

            // What does not have all that was folded here before may lack what this member agreed to once: the next has it.
            agrees = agrees && AgeOf(aging) > TimeSpan.Zero && (!isKept || hosted.HasAllFoldedBefore(next));
            SayIfReady(hosted, new SettleWord(next, agrees), isKept && !transfers.IsRunning(volume));
        }
    }

    /// <summary>Takes what every fold of a volume begins with, if it is not here: of one that was removed, too.</summary>
    public void TakeSettled(IHostedVolume hosted)
    {
        if (log.State.Settled.GetValueOrDefault(hosted.Log.Volume) is { } settled && hosted.TryKeepTable())
        {
            Take(hosted, settled);
        }
    }

    /// <summary>History that goes as soon as nobody is awaited any more: only the owner knows who will come back for it.</summary>
    public IEnumerable<NodeProblem> Problems(IEnumerable<IHostedVolume> open)
    {
        string[] away = [.. log.State.Forgotten.Select(member => view.NameOf(member.Node))];
        string[] kept = away.Length == 0 ? [] :
        [
            .. open
                .Where(hosted => log.State.Aging.GetValueOrDefault(hosted.Log.Volume) is { } aging && IsOld(aging)
                    && hosted.Lacks(aging.Standing.Checkpoint) is null
                    && !MaySettle(hosted, aging.Standing.Checkpoint))
                .Select(static hosted => hosted.Volume.Name),
        ];
        if (kept.Length > 0)
        {
            yield return new NodeProblem(
                "history-kept",
                $"Every machine keeps the old history of {string.Join(", ", kept)} until these are back, "
                    + $"which are forgotten: {string.Join(", ", away)}.",
                $"Start them. One that will not come back: `cairn node revoke {away[0]}`.");
        }
    }

    /// <summary>Whether a checkpoint may be settled without those who are forgotten, as far as can be told here.</summary>
    /// <remarks>
    /// What came home of a forgotten member with somebody else, after it was forgotten, may be about what was condemned without it: the
    /// author alone makes that again, and needs the history for it. Who left may have agreed to another checkpoint where this part of
    /// the pool had not heard of it, even if its last word was no. It may have been the only one to speak in two parts: so of what it
    /// spoke of, this one must be a continuation, or the other way round.
    /// </remarks>
    private bool MaySettle(IHostedVolume hosted, MadeCheckpoint next)
    {
        if (!log.State.Forgotten.Any())
        {
            return true;
        }

        ulong ground = log.State.Settled.GetValueOrDefault(hosted.Log.Volume)?.Checkpoint.Depth ?? 0;
        return !log.State.AwaitedToSettle.Any() && hosted.HasNothingLate(next) && log.State.SettleWords
            .Where(said => said.Key.Volume == hosted.Log.Volume)
            .Where(said => log.State.Members.TryGetValue(said.Key.Member, out Member? left) && left.HasLeft)
            .Select(static said => said.Value.Checkpoint)
            .All(other => other == next || other.Depth <= ground || hosted.Continues(other));
    }

    private void SayIfReady(IHostedVolume hosted, SettleWord word, bool isKept)
    {
        VolumeId volume = hosted.Log.Volume;
        bool isSaid = log.State.SettleWords.GetValueOrDefault((volume, view.Self)) == word;
        bool isUnheard = isSaid && view.IsFirstAdminUp && log.State.IsSettledByWords(volume, word.Checkpoint);
        if ((!isSaid || isUnheard) && (!word.Agrees || (isKept && MaySettle(hosted, word.Checkpoint))))
        {
            Say(hosted, volume, word);
        }
    }

    private TimeSpan AgeOf(AgingCheckpoint aging) => ports.Time.GetUtcNow() - aging.Since.ToDateTimeOffset();

    private bool IsOld(AgingCheckpoint aging) => AgeOf(aging) >= horizon || AgeOf(aging) < -ClocksDiffer;

    private void Say(IHostedVolume hosted, VolumeId volume, SettleWord word)
    {
        Result<Unit, StoreError> written =
            log.Append([new SettleCheckpoint(volume, word.Checkpoint, word.Agrees)]);
        if (!written.TryGet(out _, out StoreError error))
        {
            diary.Add(LogLevel.Error, "volumes", error.ToString());
        }
        else if (log.State.Settled.GetValueOrDefault(volume)?.Checkpoint == word.Checkpoint)
        {
            diary.Add(
                LogLevel.Info, "volumes",
                $"every fold of {hosted.Volume.Name} begins with {word.Checkpoint.Records} records from now on");
        }
    }

    /// <summary>Takes a checkpoint from others that is to be kept here, and is not.</summary>
    private void Take(IHostedVolume hosted, StandingCheckpoint wanted)
    {
        VolumeId volume = hosted.Log.Volume;
        if (!transfers.IsStopped && !transfers.IsRunning(volume) && hosted.Lacks(wanted.Checkpoint) is { } fill)
        {
            transfers.Start("checkpoint copy", volume, () => Take(volume, wanted, fill), isWhole =>
            {
                if (isWhole)
                {
                    diary.Add(
                        LogLevel.Info, "volumes",
                        $"took {wanted.Checkpoint.Records} records with which every fold of "
                            + $"{hosted.Volume.Name} begins");
                    hosted.MembersChanged();
                }
            });
        }
    }

    private async Task<bool> Take(VolumeId volume, StandingCheckpoint wanted, SlotFill fill)
    {
        using (fill)
        {
            return await _copy.Run(volume, wanted, fill);
        }
    }
}
