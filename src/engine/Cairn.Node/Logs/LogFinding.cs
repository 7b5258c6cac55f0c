using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>Something wrong with a log that its owner should hear of.</summary>
/// <param name="Volume">Which volume.</param>
/// <param name="Log">Which log.</param>
/// <param name="Detail">What, and what was done about it.</param>
public readonly record struct LogFinding(VolumeId Volume, LogId Log, string Detail);
