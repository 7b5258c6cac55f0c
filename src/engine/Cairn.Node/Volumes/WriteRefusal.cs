namespace Cairn.Node.Volumes;

/// <summary>In what a write found no room.</summary>
public enum WriteRefusal
{
    /// <summary>Fewer members have room than a chunk has copies.</summary>
    PoolFull,

    /// <summary>This node's space, until others take over what waits here.</summary>
    NodeFull,

    /// <summary>The journal, until what is in it is published.</summary>
    JournalFull,
}
