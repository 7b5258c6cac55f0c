namespace Cairn.Storage.Logs;

/// <summary>The list of logs as it was at one moment: docs/formats/logfile.md.</summary>
/// <param name="Version">Grows with every change of the list since the start.</param>
/// <param name="Content">Its bytes.</param>
internal sealed record LogListing(ulong Version, ReadOnlyMemory<byte> Content);
