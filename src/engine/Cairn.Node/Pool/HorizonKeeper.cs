using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Storage;
using Cairn.Storage.Home;

namespace Cairn.Node.Pool;

/// <summary>Forgets members that have been away over the horizon: the others' space no longer waits for them.</summary>
/// <remarks>
/// A clock decides only when it is said; the pool's log says it, so all mean the same by it, and whoever comes back is taken
/// back (<see cref="ReturnKeeper"/>). Never more than half of the members go this way, those among them that are forgotten already:
/// two halves of a pool that was cut in two would each fill their disks with the other's copies, and one alone, that had lost sight
/// of one after the other, would collect what all others need. Every node counts, the first admin's node that is up writes.
/// Thread: the engine's loop.
/// </remarks>
internal sealed class HorizonKeeper
{
    /// <summary>The horizon is counted in so many parts: days, if it is the default.</summary>
    private const int Parts = 90;

    private const string FileName = "absent";
    private const int BytesMax = 16 << 20;

    private readonly NodePorts _ports;
    private readonly PoolView _view;
    private readonly PeerSet _peers;
    private readonly PoolLog _log;
    private readonly NodeDiary _diary;
    private readonly AbsenceDays _days;
    private readonly long _partTicks;

    /// <summary>Goes on counting where the last run ended.</summary>
    /// <param name="horizon">How long a member may be away.</param>
    public HorizonKeeper(
        NodePorts ports, PoolView view, PeerSet peers, PoolLog log, NodeDiary diary, TimeSpan horizon)
    {
        (_ports, _view, _peers, _log, _diary) = (ports, view, peers, log, diary);
        _partTicks = Math.Max(1, horizon.Ticks / Parts);
        _days = SmallFile.Read(ports.Disk, FileName, BytesMax).TryGet(out byte[]? kept, out _) && kept is not null
            ? AbsenceDays.Decode(kept)
            : new AbsenceDays();
    }

    /// <summary>Looks who is here, and who has been away for too long.</summary>
    public void Look()
    {
        NodeId[] members = [.. _log.State.ActiveNodes.Select(member => member.Node)];
        NodeId[] others = [.. members.Where(node => node != _view.Self)];
        ulong part = (ulong)(_ports.Time.GetUtcNow().UtcTicks / _partTicks);
        if (_days.Look(part, others, IsHere) && !Save().TryGet(out _, out StoreError error))
        {
            _diary.Add(LogLevel.Error, "members", error.ToString());
        }

        NodeId[] lost = [.. others.Where(node => _days.Of(node) >= Parts)];
        int gone = _log.State.Forgotten.Count();
        if (lost.Length == 0 || (gone + lost.Length) * 2 > gone + members.Length || !_view.IsFirstAdminUp)
        {
            return;
        }

        foreach (NodeId node in lost)
        {
            Result<Unit, StoreError> written = _log.Append([new Exclude(node, true)]);
            if (written.TryGet(out _, out StoreError failure))
            {
                _diary.Add(
                    LogLevel.Warning, "members",
                    $"{_view.NameOf(node)} has been away for too long and is forgotten until it is back");
            }
            else
            {
                _diary.Add(LogLevel.Error, "members", failure.ToString());
            }
        }
    }

    private bool IsHere(NodeId node) =>
        _peers.Find(node) is { IsClosed: false } || _view.LivenessOf(node) == Liveness.Alive;

    private Result<Unit, StoreError> Save()
    {
        ArrayBufferWriter<byte> output = new(256);
        _days.Encode(new WireWriter(output));
        return SmallFile.Write(_ports.Disk, FileName, output.WrittenSpan);
    }
}
