using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>This node's probe of one member, from ping to verdict.</summary>
internal sealed class SwimProbe(NodeId target, uint seq)
{
    public NodeId Target { get; } = target;

    public uint Seq { get; } = seq;

    public long IndirectAtMs { get; init; }

    public long FailsAtMs { get; init; }

    public bool IsIndirect { get; set; }

    public int NacksExpected { get; set; }

    public int NacksReceived { get; set; }
}

/// <summary>A probe made for another member.</summary>
internal readonly record struct SwimRelay(uint Seq, NodeId Asker, uint AskerSeq, long NackAtMs);

/// <summary>The probes under way: one of its own, and those made for others.</summary>
internal sealed class SwimProbes
{
    /// <summary>Relays kept at once; more are probed all the same, but without a nack.</summary>
    private const int RelaysMax = 256;

    private readonly List<SwimRelay> _relays = [];

    /// <summary>The probe of its own; null when none is open.</summary>
    public SwimProbe? Current { get; private set; }

    /// <summary>When one of them wants something next.</summary>
    public long NextDueMs => Math.Min(
        Current is null ? long.MaxValue
            : Current.IsIndirect ? Current.FailsAtMs
            : Math.Min(Current.IndirectAtMs, Current.FailsAtMs),
        _relays.Count == 0 ? long.MaxValue : _relays.Min(static relay => relay.NackAtMs));

    /// <summary>Opens a probe.</summary>
    public void Start(SwimProbe probe) => Current = probe;

    /// <summary>Closes it, answered or not.</summary>
    public void Stop() => Current = null;

    /// <summary>A relay said that it is well and that the target is silent.</summary>
    public void CountNack(uint seq)
    {
        if (Current is { } probe && probe.Seq == seq && probe.NacksReceived < probe.NacksExpected)
        {
            probe.NacksReceived++;
        }
    }

    /// <summary>Remembers whom to answer.</summary>
    public void AddRelay(SwimRelay relay)
    {
        if (_relays.Count == RelaysMax)
        {
            _relays.RemoveAt(0);
        }

        _relays.Add(relay);
    }

    /// <summary>The relay that an ack answers.</summary>
    public bool TryTakeRelay(uint seq, out SwimRelay relay)
    {
        int index = _relays.FindIndex(candidate => candidate.Seq == seq);
        relay = index < 0 ? default : _relays[index];
        if (index >= 0)
        {
            _relays.RemoveAt(index);
        }

        return index >= 0;
    }

    /// <summary>Relays whose target did not answer in time.</summary>
    public List<SwimRelay> TakeOverdueRelays(long nowMs)
    {
        List<SwimRelay> overdue = _relays.FindAll(relay => nowMs >= relay.NackAtMs);
        _relays.RemoveAll(relay => nowMs >= relay.NackAtMs);
        return overdue;
    }
}
