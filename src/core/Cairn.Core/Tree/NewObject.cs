using Cairn.Core.Primitives;

namespace Cairn.Core.Tree;

/// <summary>What every new object needs.</summary>
/// <param name="Id">A fresh random id.</param>
/// <param name="Mode">Permission bits, 07777.</param>
/// <param name="UserId">Owner.</param>
/// <param name="GroupId">Group.</param>
/// <param name="Now">Claimed time.</param>
public readonly record struct NewObject(ObjectId Id, uint Mode, uint UserId, uint GroupId, WallTime Now);

/// <summary>What a rename does when the target exists.</summary>
public enum TreeRenameMode
{
    /// <summary>The target is replaced in the same transaction.</summary>
    Replace = 0,

    /// <summary>The rename fails.</summary>
    NoReplace = 1,

    /// <summary>The two entries change places in one transaction.</summary>
    Exchange = 2,
}

/// <summary>What an extended attribute's write requires.</summary>
public enum AttributeMode
{
    /// <summary>Create or replace.</summary>
    Any = 0,

    /// <summary>It must not exist.</summary>
    Create = 1,

    /// <summary>It must exist.</summary>
    Replace = 2,
}

/// <summary>A finished version: what a writer has to say about it.</summary>
/// <param name="Version">A fresh random id.</param>
/// <param name="SizeBytes">Length of the file.</param>
/// <param name="DataBytes">Of that, bytes that are not holes.</param>
/// <param name="Modified">Claimed time of the last write.</param>
/// <param name="Manifest">The encoded ManifestRoot.</param>
public readonly record struct NewVersion(
    VersionId Version, long SizeBytes, long DataBytes, WallTime Modified, ReadOnlyMemory<byte> Manifest);
