using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>The eligible nodes under one policy, and the draw that orders them for a partition.</summary>
/// <remarks>
/// Normative: docs/formats/placement.md. Node i draws h = mix(seed(i) + partition * golden), and its key is
/// -log2(h) / weight: the smaller keys hold the partition. A join or leave changes no other node's key.
/// </remarks>
internal sealed class PlacementField
{
    /// <summary>Key space below which only pinned nodes draw.</summary>
    private const ulong UnpinnedBase = 1UL << 62;

    private const int KeyShift = 12;

    private readonly ulong[] _seeds;

    /// <summary>Keeps the nodes a policy admits, each once, in the order of their ids.</summary>
    public PlacementField(IEnumerable<PlacementNode> nodes, PlacementPolicy policy)
    {
        Invariant.That(policy.Copies is > 0 and <= PlacementPolicy.CopiesMax, $"{policy.Copies} copies");
        Nodes = [.. nodes.Where(policy.Admits).OrderBy(node => node.Node)];
        Invariant.That(Nodes.Length <= ushort.MaxValue, $"{Nodes.Length} nodes");
        for (int i = 1; i < Nodes.Length; i++)
        {
            Invariant.That(Nodes[i - 1].Node != Nodes[i].Node, $"node {Nodes[i].Node.Short} twice");
        }

        Copies = Math.Min(policy.Copies, Nodes.Length);
        _seeds = [.. Nodes.Select(node => node.Node.Value.Prefix ^ ulong.RotateLeft(node.Node.Value.Suffix, 32))];
        (Zones, ZoneSizes) = NumberZones(Nodes);
        ZoneCap = policy.SpreadOverZones ? FindZoneCap(ZoneSizes, Copies) : Math.Max(1, Copies);
        IsZoned = ZoneSizes.Any(size => size > ZoneCap);
        Shares = FindShares();
    }

    /// <summary>The eligible nodes, in the order of their ids.</summary>
    public PlacementNode[] Nodes { get; }

    /// <summary>Copies that are placed: what the policy asks, or as many as there are nodes.</summary>
    public int Copies { get; }

    /// <summary>The zone number of each node; a node without a named zone has one of its own.</summary>
    public int[] Zones { get; }

    /// <summary>Nodes per zone number.</summary>
    public int[] ZoneSizes { get; }

    /// <summary>Copies of one chunk that may lie in one zone.</summary>
    public int ZoneCap { get; }

    /// <summary>Whether the cap can refuse a node.</summary>
    public bool IsZoned { get; }

    /// <summary>Bytes of data the nodes hold at most.</summary>
    public long CapacityBytes { get; private set; }

    /// <summary>The fraction of all chunks each node should hold, in 2^-32; they sum to <see cref="Copies"/>.</summary>
    public ulong[] Shares { get; }

    /// <summary>-log2 of each node's draw for a partition, in Q44.</summary>
    public void Draw(PartitionId partition, Span<ulong> logs)
    {
        ulong offset = partition.Value * 0x9E3779B97F4A7C15UL;
        for (int i = 0; i < _seeds.Length; i++)
        {
            logs[i] = FixedLog.NegativeLog2(Mix(_seeds[i] + offset));
        }
    }

    /// <summary>The keys of a partition under weights.</summary>
    public void Keys(PartitionId partition, ReadOnlySpan<uint> weights, Span<ulong> keys)
    {
        Draw(partition, keys);
        for (int i = 0; i < weights.Length; i++)
        {
            keys[i] = Key(keys[i], weights[i]);
        }
    }

    /// <summary>A node's key: smaller is earlier. Pinned nodes come before all others.</summary>
    public static ulong Key(ulong log, uint weight) =>
        weight == PlacementWeights.Pinned ? log : UnpinnedBase + ((log << KeyShift) / weight);

    /// <summary>
    /// The nodes in the order in which they should hold a partition; the first <see cref="Copies"/> hold it.
    /// </summary>
    /// <param name="keys">Every node's key.</param>
    /// <param name="order">Filled; at least <see cref="Copies"/> long, at most as many as there are nodes.</param>
    /// <param name="candidates">Scratch, as long as there are nodes.</param>
    public void Order(ReadOnlySpan<ulong> keys, Span<ushort> order, Span<ushort> candidates)
    {
        if (!IsZoned)
        {
            Smallest(keys, order);
            return;
        }

        int width = Math.Min(Nodes.Length, 4 * order.Length);
        Smallest(keys, candidates[..width]);
        if (!SpreadOver(candidates[..width], order))
        {
            Smallest(keys, candidates);
            Invariant.That(SpreadOver(candidates, order), "the zone cap leaves too few nodes");
        }
    }

    /// <summary>The indices of the smallest keys, ascending; equal keys by index.</summary>
    private static void Smallest(ReadOnlySpan<ulong> keys, Span<ushort> order)
    {
        if (order.Length == keys.Length && keys.Length > 64)
        {
            SortAll(keys, order);
            return;
        }

        int held = 0;
        ulong worst = ulong.MaxValue;
        for (int i = 0; i < keys.Length; i++)
        {
            ulong key = keys[i];
            if (key >= worst && held == order.Length)
            {
                continue;
            }

            int place = held < order.Length ? held++ : held - 1;
            for (; place > 0 && keys[order[place - 1]] > key; place--)
            {
                order[place] = order[place - 1];
            }

            order[place] = (ushort)i;
            worst = keys[order[held - 1]];
        }
    }

    private static void SortAll(ReadOnlySpan<ulong> keys, Span<ushort> order)
    {
        for (int i = 0; i < order.Length; i++)
        {
            order[i] = (ushort)i;
        }

        ulong[] copy = keys.ToArray();
        order.Sort((left, right) =>
        {
            int byKey = copy[left].CompareTo(copy[right]);
            return byKey != 0 ? byKey : left.CompareTo(right);
        });
    }

    /// <summary>
    /// Takes holders in order, skipping zones at their cap; then the rest in order. False when too few fit.
    /// </summary>
    private bool SpreadOver(ReadOnlySpan<ushort> candidates, Span<ushort> order)
    {
        int held = 0;
        foreach (ushort node in candidates)
        {
            if (held < Copies && InZone(order[..held], Zones[node]) < ZoneCap)
            {
                order[held++] = node;
            }
        }

        if (held < Copies)
        {
            return false;
        }

        ReadOnlySpan<ushort> holders = order[..Copies];
        for (int i = 0; i < candidates.Length && held < order.Length; i++)
        {
            if (!holders.Contains(candidates[i]))
            {
                order[held++] = candidates[i];
            }
        }

        return held == order.Length;
    }

    private int InZone(ReadOnlySpan<ushort> nodes, int zone)
    {
        int count = 0;
        foreach (ushort node in nodes)
        {
            count += Zones[node] == zone ? 1 : 0;
        }

        return count;
    }

    /// <summary>SplitMix64's finalizer: a fixed bijection whose output bits all depend on all input bits.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static (int[] Zones, int[] Sizes) NumberZones(PlacementNode[] nodes)
    {
        Dictionary<string, int> numbers = new(StringComparer.Ordinal);
        int[] zones = new int[nodes.Length];
        int next = 0;
        for (int i = 0; i < nodes.Length; i++)
        {
            string name = nodes[i].Zone;
            if (name.Length == 0)
            {
                zones[i] = next++;
            }
            else if (numbers.TryGetValue(name, out int number))
            {
                zones[i] = number;
            }
            else
            {
                numbers[name] = zones[i] = next++;
            }
        }

        int[] sizes = new int[next];
        foreach (int zone in zones)
        {
            sizes[zone]++;
        }

        return (zones, sizes);
    }

    /// <summary>The smallest cap under which enough nodes remain.</summary>
    private static int FindZoneCap(int[] sizes, int copies)
    {
        int cap = 1;
        while (sizes.Sum(size => Math.Min(size, cap)) < copies)
        {
            cap++;
        }

        return cap;
    }

    private ulong[] FindShares()
    {
        ulong[] shares = new ulong[Nodes.Length];
        if (Nodes.Length == 0)
        {
            return shares;
        }

        long[] sizes = [.. Nodes.Select(node => node.CapacityBytes)];
        CapacityBytes = HonestCapacity.Of(sizes, Zones, Copies, ZoneCap);
        UInt128 whole = (UInt128)Math.Max(1, CapacityBytes);
        UInt128[] perZone = new UInt128[ZoneSizes.Length];
        for (int i = 0; i < sizes.Length; i++)
        {
            UInt128 usable = UInt128.Min((ulong)sizes[i], whole);
            shares[i] = (ulong)((usable << 32) / whole);
            perZone[Zones[i]] += usable;
        }

        for (int i = 0; i < sizes.Length; i++)
        {
            UInt128 allowed = whole * (UInt128)ZoneCap;
            UInt128 zone = perZone[Zones[i]];
            shares[i] = zone > allowed ? (ulong)(shares[i] * allowed / zone) : shares[i];
        }

        return shares;
    }
}
