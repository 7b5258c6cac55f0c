using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>The table of other members, and the rules by which claims change it.</summary>
internal sealed class SwimMembers(SwimOptions options)
{
    /// <summary>Other nodes' suspicions after which waiting longer tells nothing (Lifeguard's K).</summary>
    private const int ConfirmationsMax = 2;

    private readonly List<SwimMember> _sorted = [];
    private readonly List<NodeId> _round = [];

    /// <summary>How many others there are.</summary>
    public int Count => _sorted.Count;

    /// <summary>Every other member, in the order of ids.</summary>
    public IReadOnlyList<SwimMember> All => _sorted;

    /// <summary>Watches a member.</summary>
    public void Add(NodeId node, long nowMs)
    {
        int index = IndexOf(node);
        if (index < 0)
        {
            _sorted.Insert(~index, new SwimMember(node) { GreetAtMs = nowMs });
        }
    }

    /// <summary>Stops watching a member.</summary>
    public void Remove(NodeId node)
    {
        int index = IndexOf(node);
        if (index >= 0)
        {
            _sorted.RemoveAt(index);
        }
    }

    /// <summary>A member, or null.</summary>
    public SwimMember? Find(NodeId node)
    {
        int index = IndexOf(node);
        return index < 0 ? null : _sorted[index];
    }

    /// <summary>
    /// The next member to probe: every live one once per round, each round in a new order (SWIM, section 4.3).
    /// </summary>
    public SwimMember? NextToProbe(Prng prng)
    {
        for (int rounds = 0; rounds < 2; rounds++)
        {
            while (_round.Count > 0)
            {
                SwimMember? member = Find(_round[^1]);
                _round.RemoveAt(_round.Count - 1);
                if (member is not null && member.Status != Liveness.Dead)
                {
                    return member;
                }
            }

            _round.AddRange(_sorted.Where(member => member.Status != Liveness.Dead).Select(member => member.Node));
            for (int i = _round.Count - 1; i > 0; i--)
            {
                int other = prng.Next(i + 1);
                (_round[i], _round[other]) = (_round[other], _round[i]);
            }
        }

        return null;
    }

    /// <summary>Up to <paramref name="count"/> different live members, without one of them.</summary>
    public List<SwimMember> Pick(Prng prng, int count, NodeId except)
    {
        List<SwimMember> live = _sorted.FindAll(member => member.Status != Liveness.Dead && member.Node != except);
        for (int i = 0; i < Math.Min(count, live.Count); i++)
        {
            int other = i + prng.Next(live.Count - i);
            (live[i], live[other]) = (live[other], live[i]);
        }

        return live.Count <= count ? live : live.GetRange(0, count);
    }

    /// <summary>Any member that is thought dead.</summary>
    public SwimMember? PickDead(Prng prng)
    {
        List<SwimMember> dead = _sorted.FindAll(member => member.Status == Liveness.Dead);
        return dead.Count == 0 ? null : dead[prng.Next(dead.Count)];
    }

    /// <summary>Takes a claim if it says more than is known.</summary>
    /// <returns>Whether it did, and so is worth passing on.</returns>
    public static bool Take(SwimMember member, SwimUpdate update, long nowMs, out bool statusChanged)
    {
        statusChanged = false;
        bool isFirst = !member.IsHeard;
        bool isNewer = update.Incarnation > member.Incarnation;
        bool isSame = update.Incarnation == member.Incarnation;
        bool wins = update.Status switch
        {
            Liveness.Alive => isNewer || isFirst,
            Liveness.Suspect => isNewer || (isSame && member.Status == Liveness.Alive) || AddsDoubt(member, update),
            Liveness.Dead => isNewer || (isSame && member.Status != Liveness.Dead),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        if (!wins)
        {
            return false;
        }

        bool isConfirmation = isSame && member.Status == Liveness.Suspect && update.Status == Liveness.Suspect;
        if (!isConfirmation)
        {
            member.Suspecters.Clear();
            member.SuspectedAtMs = nowMs;
        }

        if (update.Status == Liveness.Suspect)
        {
            member.Suspecters.Add(update.By);
        }

        statusChanged = member.Status != update.Status;
        member.Status = update.Status;
        member.Incarnation = update.Incarnation;
        member.IsHeard |= update.Status != Liveness.Dead;
        return true;
    }

    /// <summary>When a suspect is given up, unless more confirmations bring it forward.</summary>
    /// <remarks>
    /// Lifeguard: from max down to min with log(confirmations + 1) / log(K + 1); for K = 2 the one step between is at
    /// 63 %. In a pool too small for confirmations the shortest time holds.
    /// </remarks>
    public long SuspicionEndsMs(SwimMember member)
    {
        int log2 = System.Numerics.BitOperations.Log2((uint)_sorted.Count + 1);
        long shortestMs = options.SuspicionIntervals * options.ProbeIntervalMs * Math.Max(1000, log2 * 301) / 1000;
        long longestMs = shortestMs * options.SuspicionMaxFactor;
        int others = Math.Max(0, _sorted.Count(candidate => candidate.Status == Liveness.Alive));
        int confirmations = others < ConfirmationsMax ? ConfirmationsMax : member.Suspecters.Count - 1;
        long span = longestMs - shortestMs;
        long afterMs = confirmations switch
        {
            0 => longestMs,
            1 => longestMs - (span * 63 / 100),
            _ => shortestMs,
        };
        return member.SuspectedAtMs + afterMs;
    }

    private static bool AddsDoubt(SwimMember member, SwimUpdate update) =>
        update.Incarnation == member.Incarnation
        && member.Status == Liveness.Suspect
        && member.Suspecters.Count <= ConfirmationsMax
        && !member.Suspecters.Contains(update.By);

    private int IndexOf(NodeId node)
    {
        int low = 0;
        int high = _sorted.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = _sorted[middle].Node < node ? (middle + 1, high) : (low, middle);
        }

        return low < _sorted.Count && _sorted[low].Node == node ? low : ~low;
    }
}
