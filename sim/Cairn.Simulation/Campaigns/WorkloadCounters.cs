namespace Cairn.Simulation.Campaigns;

/// <summary>What clients were answered, and what they saw that must never be seen.</summary>
internal sealed class WorkloadCounters
{
    private readonly List<string> _damage = [];
    private readonly SortedDictionary<string, long> _deeds = new(StringComparer.Ordinal)
    {
        ["clones"] = 0,
        ["pins"] = 0,
        ["repeats"] = 0,
        ["rules"] = 0,
        ["snapshots"] = 0,
    };

    /// <summary>Operations answered with success.</summary>
    public long Answered { get; private set; }

    /// <summary>Operations refused: taken names, full disks, data out of reach.</summary>
    public long Refused { get; private set; }

    /// <summary>Bytes that no write left so, as readers met them.</summary>
    public IReadOnlyList<string> Damage => _damage;

    /// <summary>How often was done what is not an edit.</summary>
    public IReadOnlyList<KeyValuePair<string, long>> Deeds => [.. _deeds];

    /// <summary>Counts one of <see cref="Deeds"/>.</summary>
    /// <returns>How many there are now.</returns>
    public long Did(string deed) => ++_deeds[deed];

    /// <summary>Counts one answer.</summary>
    public void Count(bool isOk)
    {
        Answered += isOk ? 1 : 0;
        Refused += isOk ? 0 : 1;
    }

    /// <summary>A reader met damage.</summary>
    public void Saw(string damage)
    {
        if (_damage.Count < 20)
        {
            _damage.Add(damage);
        }
    }
}
