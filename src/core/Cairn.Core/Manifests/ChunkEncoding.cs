namespace Cairn.Core.Manifests;

/// <summary>How a chunk's plain bytes become its stored bytes. A wire number: never reused, only added to.</summary>
/// <remarks>
/// Source: docs/formats/chunk.md. A new stored format is a new encoding, so a reader knows it from the reference.
/// </remarks>
public enum ChunkEncoding : byte
{
    /// <summary>Encrypted as it is. Deterministic: the same plain bytes in one epoch have one address.</summary>
    Raw = 0,

    /// <summary>
    /// Compressed (Brotli) and then encrypted under a key that a random salt enters. Not deterministic.
    /// </summary>
    Compressed = 1,
}
