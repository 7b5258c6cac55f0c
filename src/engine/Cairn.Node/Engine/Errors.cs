using Cairn.Core.Tree;
using Cairn.Node.Volumes;
using Cairn.Storage;

namespace Cairn.Node.Engine;

/// <summary>Errors of the rooms below as errors of the waist.</summary>
internal static class Errors
{
    /// <summary>A refused intent.</summary>
    public static VolumeError From(TreeError error) => error switch
    {
        TreeError.NotFound => VolumeError.NotFound,
        TreeError.AlreadyExists => VolumeError.AlreadyExists,
        TreeError.NotADirectory => VolumeError.NotADirectory,
        TreeError.IsADirectory => VolumeError.IsADirectory,
        TreeError.NotEmpty => VolumeError.NotEmpty,
        TreeError.InvalidName => VolumeError.InvalidName,
        TreeError.NameTooLong => VolumeError.NameTooLong,
        TreeError.WouldLoop => VolumeError.WouldLoop,
        TreeError.TooManyLinks => VolumeError.TooManyLinks,
        TreeError.NotPermitted => VolumeError.NotPermitted,
        TreeError.NoAttribute => VolumeError.NoAttribute,
        TreeError.InvalidArgument => VolumeError.InvalidArgument,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>A failure of this node's storage.</summary>
    public static VolumeError From(StoreError error) => error.Kind switch
    {
        StoreErrorKind.NoSpace or StoreErrorKind.DiskFull => VolumeError.NoSpace,
        StoreErrorKind.Corrupt => VolumeError.Corrupt,
        StoreErrorKind.NotFound or StoreErrorKind.InputOutput or StoreErrorKind.NotPermitted or StoreErrorKind.InUse
            or StoreErrorKind.NewerFormat or StoreErrorKind.TooLarge
            or StoreErrorKind.LacksCheckpoint => VolumeError.InputOutput,
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
