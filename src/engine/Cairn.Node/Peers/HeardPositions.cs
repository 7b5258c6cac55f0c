using System.Buffers;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Peers;

/// <summary>How far each peer said it holds each volume's logs, kept over restarts: docs/formats/pool-home.md.</summary>
/// <remarks>
/// What is on a peer's disk stays there when it goes away: a machine that starts without a network still knows what it
/// need not fear for. Too little is said after a crash, never too much. Thread: the engine's loop.
/// </remarks>
internal sealed class HeardPositions
{
    private const byte Version = 1;
    private const int BytesMax = 16 << 20;
    private const string FileName = "heard";

    private readonly SortedDictionary<(NodeId Peer, VolumeId Volume), LogPositions> _heard = [];
    private readonly IDisk _disk;
    private bool _isChanged;

    /// <summary>Reads the file; a damaged one counts as absent: the peers will say it again.</summary>
    public HeardPositions(IDisk disk)
    {
        _disk = disk;
        if (!SmallFile.Read(disk, FileName, BytesMax).TryGet(out byte[]? bytes, out _) || bytes is null)
        {
            return;
        }

        WireReader reader = new(bytes);
        reader.Require(reader.Byte() == Version);
        int count = reader.Count(NodeId.Size + VolumeId.Size + 1);
        LogPositions last = LogPositions.Empty;
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            NodeId peer = new(reader.Bytes32());
            VolumeId volume = new(reader.Bytes16());
            last = LogPositions.Decode(ref reader, last, LogPositions.Empty);
            _heard[(peer, volume)] = last;
        }

        if (!reader.Complete)
        {
            _heard.Clear();
        }
    }

    /// <summary>A peer says what it holds.</summary>
    public void Note(NodeId peer, VolumeId volume, LogPositions positions)
    {
        _isChanged |= !Of(peer, volume).Equals(positions);
        _heard[(peer, volume)] = positions;
    }

    /// <summary>Nothing is kept of a volume any more.</summary>
    public void Forget(VolumeId volume)
    {
        foreach ((NodeId, VolumeId) known in _heard.Keys.Where(known => known.Volume == volume).ToArray())
        {
            _isChanged |= _heard.Remove(known);
        }
    }

    /// <summary>What a peer said last; nothing for one that never spoke.</summary>
    public LogPositions Of(NodeId peer, VolumeId volume) =>
        _heard.GetValueOrDefault((peer, volume), LogPositions.Empty);

    /// <summary>What at least one of these nodes holds, log by log.</summary>
    public LogPositions Joined(IEnumerable<NodeId> peers, VolumeId volume) =>
        peers.Aggregate(LogPositions.Empty, (joined, peer) => joined.Join(Of(peer, volume)));

    /// <summary>Writes the file if something is new. Blocks for a sync.</summary>
    public Result<Unit, StoreError> Save()
    {
        if (!_isChanged)
        {
            return Unit.Value;
        }

        ArrayBufferWriter<byte> output = new(1024);
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Count(_heard.Count);
        foreach (((NodeId peer, VolumeId volume), LogPositions positions) in _heard)
        {
            writer.Bytes32(peer.Value);
            writer.Bytes16(volume.Value);
            positions.Encode(writer);
        }

        Result<Unit, StoreError> written = SmallFile.Write(_disk, FileName, output.WrittenSpan);
        _isChanged = !written.IsOk;
        return written;
    }
}
