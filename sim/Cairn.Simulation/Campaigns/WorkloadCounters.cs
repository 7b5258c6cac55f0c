namespace Cairn.Simulation.Campaigns;

/// <summary>What clients were answered, and what they saw that must never be seen.</summary>
internal sealed class WorkloadCounters
{
    private readonly List<string> _damage = [];

    /// <summary>Operations answered with success.</summary>
    public long Answered { get; private set; }

    /// <summary>Operations refused: taken names, full disks, data out of reach.</summary>
    public long Refused { get; private set; }

    /// <summary>Bytes that no write left so, as readers met them.</summary>
    public IReadOnlyList<string> Damage => _damage;

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
