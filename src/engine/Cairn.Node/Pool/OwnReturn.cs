using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Brings this node up to date when it was forgotten and is here again, before its copies count.</summary>
/// <remarks>
/// The others went on without it: what they collected is still here, and what it edited may be forgotten in the tree. So
/// its record says <see cref="NodeState.Joining"/> from the moment it knows that it was forgotten until it holds all that the
/// others hold and its volumes are done; then they take it back (<see cref="ReturnKeeper"/>). A restart begins again.
/// It does the same, as the member that it is, for each word that forgot it where that was said and has no effect here: others wait
/// for it and count its copies all the while, but it agrees to nothing and gives no copy up. Who went by that word may come in one
/// after the other, each with lists that nobody else has: so it is done once more with each that it had not met,
/// and for good when it has met all (<see cref="MadeGood"/>).
/// Each try reads the whole history: what fails (a full disk, a block that nobody has who is here) is tried again in growing pauses.
/// Thread: the engine's loop.
/// </remarks>
/// <param name="workers">Where the volumes' work runs.</param>
/// <param name="time">The clock.</param>
/// <param name="view">The pool.</param>
/// <param name="sync">What others hold.</param>
/// <param name="volumes">What is open.</param>
/// <param name="madeGood">What was made good before.</param>
/// <param name="diary">Told when it is done.</param>
/// <param name="say">Publishes this node's state in its record.</param>
internal sealed class OwnReturn(
    Ports.IWorkers workers, TimeProvider time, PoolView view, LogSync sync, VolumeSet volumes, MadeGood madeGood,
    NodeDiary diary, Action<NodeState> say)
{
    /// <summary>What <c>cairn status</c> calls it when it keeps failing.</summary>
    public const string Code = "return-failing";

    /// <summary>Blocks that are still on their way end a try or two.</summary>
    private const int ToldFrom = 3;

    private readonly GrowingPause _pause = new(time, TimeSpan.FromSeconds(5), TimeSpan.FromMinutes(5));
    private string[] _failing = [];
    private bool _isBusy;
    private bool _isDone;
    private bool _isDue;
    private bool _hasFailed;

    /// <summary>What the owner is told while it keeps failing; null otherwise.</summary>
    public NodeProblem? Problem => !_isDue || _pause.Failures < ToldFrom
        ? null
        : new NodeProblem(
            Code,
            "Others forgot this machine while it was away, and it cannot yet make good what they did without it in "
            + $"{(_failing.Length == 0 ? "its volumes" : string.Join(", ", _failing))}: the disk is full, or history "
            + "cannot be read.",
            "Make room on its disk, and start machines that are off: it tries again by itself, every five minutes at "
            + "least. Until then what was edited here of what they removed is missing, and copies that nobody needs "
            + "stay.");

    /// <summary>Whether copies here may be ones that the others collected: none is brought to anybody.</summary>
    public bool IsUnderWay => (view.MayReturn(view.Self) && !_isDone) || !madeGood.Knows(view.State);

    /// <summary>Whether all is made good here that a member may have settled without this node, as far as that can be done.</summary>
    public bool HasMet(NodeId member) => _hasFailed || (!IsUnderWay && madeGood.HasMet(member));

    /// <summary>Looks whether this node was forgotten, or taken back, and does what is due.</summary>
    public void Look(CancellationToken stop)
    {
        bool isForgotten = view.MayReturn(view.Self);
        _isDone &= isForgotten;
        bool isUnderWay = IsUnderWay;
        if (isForgotten && isUnderWay)
        {
            Change(NodeState.Online, NodeState.Joining);
        }
        else if (!_isBusy)
        {
            // Said until it is kept: a full disk refuses the record, and nobody takes a node back that says it is joining.
            Change(NodeState.Joining, NodeState.Online);
        }

        _isDue = isUnderWay || view.Others.Any(node => sync.IsConnected(node) && !madeGood.HasMet(node));
        bool mayTry = _isDue && !_isBusy && _pause.IsOver && !volumes.Grounds.IsAny;
        if (mayTry && (sync.IsCaughtUp() || (IsAlone && !isForgotten)))
        {
            _isBusy = true;
            PoolState known = view.State;
            NodeId[] met = [.. view.Others.Where(sync.IsConnected)];
            workers.Start("coming back", () => Run(known, met, stop));
        }
    }

    /// <param name="known">What was known of the pool when all was here.</param>
    /// <param name="met">Who had sent what it had.</param>
    /// <param name="stop">Ends it early.</param>
    private async Task Run(PoolState known, NodeId[] met, CancellationToken stop)
    {
        bool isDone = false;
        List<string> failing = [];
        try
        {
            bool doCopiesCount = StateNow != NodeState.Joining;
            foreach (IHostedVolume volume in volumes.Open.ToArray())
            {
                if (!await volume.ComeBack(doCopiesCount, stop))
                {
                    failing.Add($"'{volume.Volume.Name}'");
                }
            }

            isDone = failing.Count == 0;
            _hasFailed = !isDone;
            if (isDone && !stop.IsCancellationRequested)
            {
                if (IsUnderWay)
                {
                    diary.Add(LogLevel.Info, "members", "this node was forgotten, and is up to date again");
                }

                _isDone = true;
                NodeId[] others = [.. view.Others.Where(node => !view.HasLeft(node))];
                if (!madeGood.Add(known, met, others).TryGet(out _, out StoreError error))
                {
                    diary.Add(LogLevel.Error, "members", error.ToString());
                }

                Change(NodeState.Joining, NodeState.Online);
            }
        }
        catch (OperationCanceledException)
        {
            // The node ends; the next start does it again.
        }
        finally
        {
            _isBusy = false;
            if (!stop.IsCancellationRequested)
            {
                Rest(isDone, failing);
            }
        }
    }

    private void Rest(bool isDone, IEnumerable<string> failing)
    {
        _failing = [.. failing];
        if (isDone)
        {
            _pause.End();
            return;
        }

        _pause.Fail();
        if (_pause.Failures == ToldFrom && Problem is { } problem)
        {
            diary.Add(LogLevel.Warning, "members", problem.Message);
        }
    }

    /// <summary>Whether nobody else belongs or is here: who was forgotten may come yet, and that is another time.</summary>
    private bool IsAlone =>
        view.State.ActiveNodes.All(member => member.Node == view.Self) && !view.Others.Any(sync.IsConnected);

    private NodeState? StateNow =>
        view.Map.TryGet(view.Self, out SignedNodeRecord? record) ? record.Record.State : null;

    private void Change(NodeState from, NodeState to)
    {
        if (StateNow == from)
        {
            say(to);
        }
    }
}
