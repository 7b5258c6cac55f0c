namespace Cairn.Core.Manifests;

/// <summary>Why bytes are not a manifest. Retrying never helps; another copy of the version may.</summary>
public enum ManifestError
{
    /// <summary>
    /// The bytes end early, have something behind the end, or hold a value the format does not allow.
    /// </summary>
    Malformed,

    /// <summary>Written by a newer Cairn: update this node to read it.</summary>
    NewerFormat,

    /// <summary>It says the same as another manifest in another way: the writer is broken.</summary>
    NotCanonical,
}
