namespace Cairn.Coding.Encryption;

/// <summary>
/// Why bytes are not a keyring. Retrying never helps; a member that has the keys can send them again.
/// </summary>
public enum KeyringError
{
    /// <summary>
    /// The bytes end early, have something behind the end, or hold a value the format does not allow.
    /// </summary>
    Malformed,

    /// <summary>Written by a newer Cairn: update this node to read it.</summary>
    NewerFormat,
}
