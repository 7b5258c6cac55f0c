namespace Cairn.Core.Membership;

/// <summary>What this node observes of another one.</summary>
public enum Liveness : byte
{
    /// <summary>It answers, or a node that reaches it says so.</summary>
    Alive = 0,

    /// <summary>It did not answer in time; it may still refute.</summary>
    Suspect = 1,

    /// <summary>It did not refute. It may come back at any time.</summary>
    Dead = 2,
}
