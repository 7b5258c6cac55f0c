namespace Cairn.Core.Protocol;

/// <summary>The first byte of every frame between peers. The one table of them: a tag is never used twice.</summary>
/// <remarks>Format: docs/formats/peer-protocol.md.</remarks>
public enum MessageTag : byte
{
    /// <summary>First frame of both sides: versions, purpose, pool, own record.</summary>
    Hello = 1,

    /// <summary>Last frame: why the connection ends.</summary>
    Goodbye = 2,

    /// <summary>A newcomer proves that it knows an invite.</summary>
    JoinRequest = 3,

    /// <summary>The inviter proves the same and lets it in.</summary>
    JoinAccept = 4,

    /// <summary>An owner proves that it holds the recovery key.</summary>
    RecoverRequest = 5,

    /// <summary>The digest of the sender's pool map.</summary>
    MapRoot = 10,

    /// <summary>The digests of its buckets, sent when the roots differ.</summary>
    MapBuckets = 11,

    /// <summary>Signed node records.</summary>
    MapRecords = 12,

    /// <summary>What the sender holds of a volume's logs.</summary>
    LogPositions = 20,

    /// <summary>Signed blocks.</summary>
    LogBlocks = 21,

    /// <summary>Which files of a volume the sender has open for writing. Since version 2 of the protocol.</summary>
    OpenFiles = 22,

    /// <summary>Asks for records of a volume's table. Since version 3 of the protocol.</summary>
    TableAsk = 23,

    /// <summary>Answers it, and <see cref="CheckpointAsk"/>.</summary>
    TableReply = 24,

    /// <summary>Asks for records of a checkpoint. Since version 4 of the protocol.</summary>
    CheckpointAsk = 25,

    /// <summary>The first blocks of logs whose older ones were dropped. Since version 5 of the protocol.</summary>
    LogBegins = 26,

    /// <summary>Chunks to keep.</summary>
    ChunkPut = 30,

    /// <summary>Which of them are kept, on stable storage.</summary>
    ChunkPutReply = 31,

    /// <summary>Asks for a chunk.</summary>
    ChunkGet = 32,

    /// <summary>A chunk's bytes.</summary>
    ChunkData = 33,

    /// <summary>Asks which addresses are held.</summary>
    HoldingAsk = 34,

    /// <summary>Answers it.</summary>
    HoldingReply = 35,

    /// <summary>Asks for the digests of partitions.</summary>
    DigestAsk = 40,

    /// <summary>Answers it.</summary>
    DigestReply = 41,

    /// <summary>Asks for the records of one partition.</summary>
    PartitionAsk = 42,

    /// <summary>Answers it.</summary>
    PartitionReply = 43,

    /// <summary>Asks who will keep chunks that the sender means to drop.</summary>
    DropAsk = 50,

    /// <summary>Answers it.</summary>
    DropReply = 51,

    /// <summary>Asks whether the peer is there.</summary>
    Ping = 60,

    /// <summary>It is.</summary>
    Pong = 61,
}
