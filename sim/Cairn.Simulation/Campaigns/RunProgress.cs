namespace Cairn.Simulation.Campaigns;

/// <summary>How far a run is.</summary>
/// <param name="Seed">Which run.</param>
/// <param name="Done">Virtual time of work and faults that is over.</param>
/// <param name="Duration">Of so much.</param>
/// <param name="WallTime">Real time since its start.</param>
public readonly record struct RunProgress(ulong Seed, TimeSpan Done, TimeSpan Duration, TimeSpan WallTime);
