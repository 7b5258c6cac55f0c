namespace Cairn.Coding.Encryption;

/// <summary>Why stored bytes do not open as the chunk a reference names.</summary>
public enum ChunkError
{
    /// <summary>
    /// The stored bytes are not as long as the reference says: this copy is torn; another one may be whole.
    /// </summary>
    WrongLength,

    /// <summary>The header is not the one of this chunk: this copy is damaged; another one may be whole.</summary>
    WrongHeader,

    /// <summary>The reference has an encoding that this Cairn does not know: update this node to read it.</summary>
    UnknownEncoding,

    /// <summary>The key of the chunk's epoch is not on the keyring: ask a member to grant it.</summary>
    UnknownEpoch,

    /// <summary>A segment's tag does not fit: this copy is damaged or forged; another one may be whole.</summary>
    NotAuthentic,

    /// <summary>
    /// Authentic bytes do not decompress to the promised length: the writer is broken; no copy will help.
    /// </summary>
    NotCompressed,
}
