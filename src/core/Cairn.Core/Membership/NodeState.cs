namespace Cairn.Core.Membership;

/// <summary>Where a node is in its life, as its own signed record says it.</summary>
/// <remarks>
/// What others observe (alive, suspect, dead) is separate and never signed: see <see cref="Liveness"/>.
/// <see cref="Gone"/> is said by the node that leaves; a node that can no longer speak is forgotten in the pool's log
/// instead.
/// </remarks>
public enum NodeState : byte
{
    /// <summary>Admitted, not yet ready to take copies.</summary>
    Joining = 0,

    /// <summary>Taking part.</summary>
    Online = 1,

    /// <summary>Announced absence, a laptop in a park: it keeps its copies and counts towards the target.</summary>
    Away = 2,

    /// <summary>Briefly down on purpose; no repair until the grace period ends.</summary>
    Maintenance = 3,

    /// <summary>Stopped cleanly by its owner, expected back.</summary>
    Shutdown = 4,

    /// <summary>Leaving: it serves what it has and is given nothing new, until its copies are elsewhere.</summary>
    Decommissioning = 5,

    /// <summary>Has left; it holds nothing that counts.</summary>
    Gone = 6,
}

/// <summary>Questions about a node's state that several rooms ask alike.</summary>
public static class NodeStates
{
    /// <summary>Whether placement may give copies to a node in this state.</summary>
    public static bool TakesCopies(this NodeState state) => state switch
    {
        NodeState.Online or NodeState.Away or NodeState.Maintenance or NodeState.Shutdown => true,
        NodeState.Joining or NodeState.Decommissioning or NodeState.Gone => false,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
