using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>What is known of one other member.</summary>
internal sealed class SwimMember(NodeId node)
{
    /// <summary>Whose.</summary>
    public NodeId Node { get; } = node;

    /// <summary>What is thought of it.</summary>
    public Liveness Status { get; set; } = Liveness.Dead;

    /// <summary>Its count of refutations, as last heard.</summary>
    public ulong Incarnation { get; set; }

    /// <summary>Whether anything was ever heard of it; until then every sign of life counts.</summary>
    public bool IsHeard { get; set; }

    /// <summary>First pings sent while nothing was heard.</summary>
    public int Greetings { get; set; }

    /// <summary>When the first greeting that is due may go.</summary>
    public long GreetAtMs { get; set; }

    /// <summary>When it came under suspicion.</summary>
    public long SuspectedAtMs { get; set; }

    /// <summary>Who suspects it; few, in the order they were heard.</summary>
    public List<NodeId> Suspecters { get; } = [];

    /// <summary>The claim that this view amounts to.</summary>
    public SwimUpdate Claim => new(Status, Node, Incarnation, Status == Liveness.Suspect ? Suspecters[0] : default);
}
