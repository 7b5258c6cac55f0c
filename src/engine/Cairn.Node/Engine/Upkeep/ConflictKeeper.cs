using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Logs;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Upkeep;

/// <summary>Ends conflicts as the rule of their folder says.</summary>
/// <remarks>
/// Any node may do it, and several may at once: see <see cref="ConflictChooser"/>. So that usually one does, the authors of
/// the sides do it at once and the others only when it has not happened for a while. Source: docs/decisions/conflict-rules.md.
/// </remarks>
internal sealed class ConflictKeeper : IAsyncDisposable
{
    /// <summary>How many names are looked at in one go: nobody else uses the volume meanwhile.</summary>
    private const int StepMax = 256;
    private static readonly TimeSpan BetweenSteps = TimeSpan.FromMilliseconds(125);
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan OthersWait = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _stopped = new();
    private readonly Dictionary<(ObjectId Parent, string Name), long> _seen = [];
    private readonly HashSet<(VersionId, VersionId)> _refused = [];
    private readonly VolumeState _state;
    private readonly ConflictMerger _merger;
    private readonly HistoryEdits _edits;
    private TaskCompletionSource _wake = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed record Case(ObjectId Parent, ReadOnlyMemory<byte> Name, ConflictRule Rule, ObjectView[] Sides);

    /// <summary>Begins.</summary>
    public ConflictKeeper(VolumeState state, FileOperations files)
    {
        _state = state;
        _merger = new ConflictMerger(state, files);
        _edits = new HistoryEdits(state.Queries, state.Fresh);
        ReplicatedLog log = state.Parts.Log;
        log.Changed += OnChanged;
        log.Written += OnWritten;
        state.Parts.Workers.Start("conflicts " + state.Parts.Name, Loop);
    }

    /// <summary>Merges two texts now, whatever the rule says.</summary>
    public ValueTask<Result<MergeReport, VolumeError>> Merge(ObjectId parent, ReadOnlyMemory<byte> name) =>
        _merger.Merge(parent, name);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _state.Parts.Log.Changed -= OnChanged;
        _state.Parts.Log.Written -= OnWritten;
        _stop.Cancel();
        await _stopped.Task;
        _stop.Dispose();
    }

    private void OnChanged(IReadOnlyList<byte[]> keys) => _wake.TrySetResult();

    private void OnWritten(ImmutableArray<Primitive> primitives) => _wake.TrySetResult();

    private async Task Loop()
    {
        try
        {
            TimeSpan wait = TimeSpan.Zero;
            while (!_stop.IsCancellationRequested)
            {
                await Waiting.AtMost(_wake.Task, wait, _state.Parts.Time, _stop.Token);
                await Waiting.AtMost(_stopped.Task, Settling, _state.Parts.Time, _stop.Token);
                _wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                wait = await Round() ? OthersWait : Timeout.InfiniteTimeSpan;
            }
        }
        finally
        {
            _stopped.TrySetResult();
        }
    }

    /// <summary>Looks at every conflict; true when some are left to be looked at again.</summary>
    private async Task<bool> Round()
    {
        bool isLeft = false;
        HashSet<(ObjectId, string)> names = [];
        (ObjectId Parent, ReadOnlyMemory<byte> Name)? last = null;
        do
        {
            if (!_state.MayWrite)
            {
                return false;
            }

            (List<Case> cases, last) = Step(last);
            names.UnionWith(cases.Select(KeyOf));
            foreach (Case found in cases)
            {
                isLeft |= !IsMine(found) || !await End(found);
            }

            if (last is not null)
            {
                // However many are left to people, they do not keep the disk busy.
                await Waiting.AtMost(_stopped.Task, BetweenSteps, _state.Parts.Time, _stop.Token);
            }
        }
        while (last is not null && !_stop.IsCancellationRequested);

        foreach ((ObjectId, string) gone in _seen.Keys.Where(key => !names.Contains(key)).ToArray())
        {
            _seen.Remove(gone);
        }

        return isLeft;
    }

    /// <summary>Looks at the next conflicts.</summary>
    /// <returns>Those that a rule ends, and behind which name there may be more; null: there are none.</returns>
    private (List<Case> Cases, (ObjectId Parent, ReadOnlyMemory<byte> Name)? Last) Step(
        (ObjectId Parent, ReadOnlyMemory<byte> Name)? after)
    {
        List<Case> cases = [];
        int count = 0;
        lock (_state.Gate)
        {
            TreeRules rules = new(_state.Queries, Rule.Default);
            TreeQueries queries = _state.Queries;
            foreach ((ObjectId parent, ReadOnlyMemory<byte> name) in queries.ConflictedNames(after).Take(StepMax))
            {
                count++;
                after = (parent, name);
                if (Look(rules, parent, name) is { } found)
                {
                    cases.Add(found);
                }
            }
        }

        return (cases, count == StepMax ? after : null);
    }

    private static (ObjectId Parent, string Name) KeyOf(Case found) =>
        (found.Parent, Convert.ToHexString(found.Name.Span));

    /// <summary>Whether it is this node's turn: at once for who wrote one of the sides, later for anybody.</summary>
    private bool IsMine(Case found)
    {
        NodeId self = _state.Parts.Log.OwnLogId.Author;
        long since = _seen.GetValueOrDefault(KeyOf(found), _state.Parts.Time.GetTimestamp());
        _seen[KeyOf(found)] = since;
        return found.Sides.Any(side => side.Head?.Author == self)
            || _state.Parts.Time.GetElapsedTime(since) >= OthersWait;
    }

    private Case? Look(TreeRules rules, ObjectId parent, ReadOnlyMemory<byte> name)
    {
        ImmutableArray<EntryView> entries = _state.Queries.Sides(parent, name);
        if (entries.Length < 2)
        {
            return null;
        }

        ConflictRule rule = rules.For(entries[0].Owner).Conflicts ?? default;
        return rule.Mode == ConflictMode.KeepBoth
            ? null
            : new Case(parent, name, rule, [.. entries.Select(entry => _state.Queries.Get(entry.Object)!)]);
    }

    /// <summary>Ends a conflict; false when it should be tried again.</summary>
    private async Task<bool> End(Case found)
    {
        if (found.Rule.Mode != ConflictMode.MergeText)
        {
            GiveUp(found);
            return true;
        }

        (VersionId, VersionId) pair = (VersionOf(found.Sides[0]), VersionOf(found.Sides[1]));
        if (_refused.Contains(pair))
        {
            return true;
        }

        Result<MergeReport, VolumeError> merged = await _merger.Merge(found.Parent, found.Name);
        if (!merged.TryGet(out MergeReport report, out _) || report.Outcome == MergeOutcome.Busy)
        {
            return false;
        }

        if (report.Outcome != MergeOutcome.Merged)
        {
            _refused.Add(pair);
        }

        return true;
    }

    private void GiveUp(Case found)
    {
        lock (_state.Gate)
        {
            ObjectId? kept = ConflictChooser.Choose(found.Rule, [.. found.Sides.Select(Candidate)]);
            if (kept is not { } winner)
            {
                return;
            }

            ObjectView[] given = [.. found.Sides.Where(side => side.Id != winner)];
            _state.EndConflict(found.Parent, found.Name, _edits.GiveUp(found.Parent, found.Name, given));
        }
    }

    private ConflictCandidate Candidate(ObjectView side)
    {
        NodeId author = side.Head?.Author ?? side.Creator;
        return new ConflictCandidate(
            side.Id, side.Kind, author, _state.Queries.ShownAuthor(author), side.Modified, VersionOf(side));
    }

    private static VersionId VersionOf(ObjectView side) => side.Head?.Version ?? default;
}
