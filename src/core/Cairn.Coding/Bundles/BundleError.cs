namespace Cairn.Coding.Bundles;

/// <summary>Why a chunk's plain bytes are not a bundle. They were authentic, so retrying never helps.</summary>
public enum BundleError
{
    /// <summary>The lengths in the table do not fit the bytes, or the footer is not one.</summary>
    Malformed,

    /// <summary>Written by a newer Cairn: update this node to read it.</summary>
    NewerFormat,
}
