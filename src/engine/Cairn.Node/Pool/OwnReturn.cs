using Cairn.Core.Membership;
using Cairn.Node.Control;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>Brings this node up to date when it was forgotten and is here again, before its copies count.</summary>
/// <remarks>
/// The others went on without it: what they collected is still here, and what it edited may be forgotten in the tree. So
/// its record says <see cref="NodeState.Joining"/> from the moment it knows that it was forgotten until it holds all that the
/// others hold and its volumes are done; then they take it back (<see cref="ReturnKeeper"/>). A restart begins again.
/// Thread: the engine's loop.
/// </remarks>
/// <param name="workers">Where the volumes' work runs.</param>
/// <param name="view">The pool.</param>
/// <param name="sync">What others hold.</param>
/// <param name="volumes">What is open.</param>
/// <param name="diary">Told when it is done.</param>
/// <param name="say">Publishes this node's state in its record.</param>
internal sealed class OwnReturn(
    Ports.IWorkers workers, PoolView view, LogSync sync, VolumeSet volumes, NodeDiary diary, Action<NodeState> say)
{
    private bool _isBusy;
    private bool _isDone;

    /// <summary>Whether copies here may be ones that the others collected: none is brought to anybody.</summary>
    public bool IsUnderWay => view.MayReturn(view.Self) && !_isDone;

    /// <summary>Looks whether this node was forgotten, or taken back, and does what is due.</summary>
    public void Look(CancellationToken stop)
    {
        bool isForgotten = view.MayReturn(view.Self);
        _isDone &= isForgotten;
        if (_isDone || !isForgotten)
        {
            // Said until it is kept: a full disk refuses the record, and nobody takes a node back that says it is joining.
            Change(NodeState.Joining, NodeState.Online);
        }
        else
        {
            Change(NodeState.Online, NodeState.Joining);
            if (!_isBusy && !volumes.Grounds.IsAny && sync.IsCaughtUp())
            {
                _isBusy = true;
                workers.Start("coming back", () => Run(stop));
            }
        }
    }

    private async Task Run(CancellationToken stop)
    {
        try
        {
            bool isDone = true;
            foreach (IHostedVolume volume in volumes.Open.ToArray())
            {
                isDone &= await volume.ComeBack(stop);
            }

            if (isDone && !stop.IsCancellationRequested)
            {
                _isDone = true;
                diary.Add(LogLevel.Info, "members", "this node was forgotten, and is up to date again");
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
        }
    }

    private void Change(NodeState from, NodeState to)
    {
        if (view.Map.TryGet(view.Self, out SignedNodeRecord? record) && record.Record.State == from)
        {
            say(to);
        }
    }
}
