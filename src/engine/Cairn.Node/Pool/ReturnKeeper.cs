using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Storage;

namespace Cairn.Node.Pool;

/// <summary>Takes forgotten nodes back that are here again: their copies count from then on.</summary>
/// <remarks>
/// A node is forgotten when somebody thinks that it will not come back; nobody has to remember to correct that. The
/// first admin's node that is up writes it, once the returned one knows that it was forgotten and says that it takes
/// copies (<see cref="OwnReturn"/>). A node that left by its own will says so in its record, and stays out.
/// Thread: the engine's loop.
/// </remarks>
/// <param name="hasMet">
/// Whether this node has made good itself what a member settled without it: what it is about to give up, nobody is to copy from it
/// as the last of its kind.
/// </param>
internal sealed class ReturnKeeper(
    PoolView view, PeerSet peers, LogSync sync, PoolLog log, NodeDiary diary, Func<NodeId, bool> hasMet)
{
    /// <summary>Looks who came back.</summary>
    public void Look()
    {
        if (!view.IsFirstAdminUp)
        {
            return;
        }

        foreach (Member member in log.State.Members.Values.Where(HasReturned).ToArray())
        {
            Result<Unit, StoreError> written = log.Append([new Exclude(member.Node, false)]);
            if (written.TryGet(out _, out StoreError error))
            {
                diary.Add(
                    LogLevel.Info, "members", $"{view.NameOf(member.Node)} was forgotten and is back");
            }
            else
            {
                diary.Add(LogLevel.Error, "members", error.ToString());
            }
        }
    }

    private bool HasReturned(Member member) =>
        view.MayReturn(member.Node)
        && hasMet(member.Node)
        && peers.Find(member.Node) is { IsClosed: false }
        && sync.ConfirmedBy(member.Node, log.Volume).Covers(log.Positions)
        && view.Map.TryGet(member.Node, out SignedNodeRecord? record) && record.Record.State.TakesCopies();
}
