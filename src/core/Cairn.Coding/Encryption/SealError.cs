namespace Cairn.Coding.Encryption;

/// <summary>Why sealed bytes do not open.</summary>
public enum SealError
{
    /// <summary>Too short or too long to be what they should be: torn or not ours; another copy may be whole.</summary>
    WrongLength,

    /// <summary>Written by a newer Cairn: update this node to read it.</summary>
    NewerFormat,

    /// <summary>A field has a value the format does not allow: damaged; another copy may be whole.</summary>
    Malformed,

    /// <summary>The epoch's key is not on the keyring: ask a member to grant it.</summary>
    UnknownEpoch,

    /// <summary>The tag does not fit: wrong key or passphrase, damaged, or forged.</summary>
    NotAuthentic,

    /// <summary>A datagram that came before, or too late to tell: drop it.</summary>
    Replayed,
}
