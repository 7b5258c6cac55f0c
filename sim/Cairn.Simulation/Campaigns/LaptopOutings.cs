using System.Net;
using Cairn.Core.Primitives;
using Cairn.Simulation.Network;

namespace Cairn.Simulation.Campaigns;

/// <summary>
/// Laptops that are taken along: cut off from all others, alone or two together, for longer than the horizon; their users work on.
/// </summary>
/// <remarks>
/// Longer than a checkpoint takes to be settled and history to be dropped without them, half of the time. Draws of its own, so that
/// the other faults of a seed stay what they are.
/// </remarks>
internal sealed class LaptopOutings(
    SimulatedNetwork network, IReadOnlyList<SimulatedMachine> machines, CampaignOptions options)
{
    /// <summary>The first two machines are admins'.</summary>
    private const int Admins = 2;

    private readonly Prng _random = new(options.Seed ^ 0x1A7);
    private SimulatedMachine[] _away = [];

    /// <summary>Whether a machine is one that is taken along: never an admin's, so that the others may go on without it.</summary>
    public static bool IsLaptop(SimulatedMachine machine, FaultKinds faults) =>
        faults.HasFlag(FaultKinds.Laptops) && !faults.HasFlag(FaultKinds.Replace) && machine.Number >= Admins;

    /// <summary>Takes one or two along, if none is away.</summary>
    /// <returns>Who; none, if somebody is away, or nobody may go.</returns>
    public IReadOnlyList<SimulatedMachine> Begin()
    {
        SimulatedMachine[] laptops = [.. machines.Where(machine => IsLaptop(machine, options.Faults))];
        int most = Math.Min(2, (machines.Count - 1) / 2);
        if (_away.Length > 0 || laptops.Length == 0 || most == 0)
        {
            return [];
        }

        _away = [.. laptops.OrderBy(_ => _random.NextUInt64()).Take(1 + _random.Next(most))];
        Cut();
        return _away;
    }

    /// <summary>How long.</summary>
    public TimeSpan Length() => options.Horizon * (1.2 + (2 * _random.NextDouble()));

    /// <summary>Cuts those off again that are away: other faults may have mended their lines.</summary>
    public void Cut() => ForEachLine(network.Cut);

    /// <summary>They are back.</summary>
    public void End()
    {
        ForEachLine(network.Heal);
        _away = [];
    }

    /// <summary>Each line between one that is away and one that is not.</summary>
    private void ForEachLine(Action<IPEndPoint, IPEndPoint> act)
    {
        foreach (SimulatedMachine here in machines.Except(_away))
        {
            Array.ForEach(_away, away => act(away.Address, here.Address));
        }
    }
}
