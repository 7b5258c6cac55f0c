using Cairn.Core.Primitives;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>The draft layer whose journal records a transaction makes void.</summary>
/// <param name="Layer">The layer: the version it has become. Zeros: none.</param>
/// <param name="Begun">
/// The record of its beginning, without which a replay takes none of the others for a layer. As long as that one can be found,
/// the transaction's own record is kept: otherwise the layer would look as if it had never been published.
/// </param>
public readonly record struct EndedLayer(VersionId Layer, JournalPosition Begun);
