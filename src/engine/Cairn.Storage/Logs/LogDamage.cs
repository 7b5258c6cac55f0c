using Cairn.Core.Primitives;

namespace Cairn.Storage.Logs;

/// <summary>Damage to a log that was found and contained: what is missing is asked of the peers.</summary>
/// <param name="Volume">Which volume; the pool's own log has the pool's id.</param>
/// <param name="Log">Whose log.</param>
/// <param name="Error">What, and where in which file.</param>
public readonly record struct LogDamage(VolumeId Volume, LogId Log, StoreError Error);
