namespace Cairn.Io.Identity;

/// <summary>How a key lies on the disk. The values are those of the key file.</summary>
public enum KeyState : byte
{
    /// <summary>Readable by whoever can read the file: its owner, and root.</summary>
    Open = 0,

    /// <summary>Readable only with the passphrase.</summary>
    Sealed = 1,
}
