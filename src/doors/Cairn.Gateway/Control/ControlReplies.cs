using System.Text.Json.Serialization.Metadata;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Results of the engine as HTTP answers: a status by the error's kind, the sentence as the body.</summary>
internal static class ControlReplies
{
    public static IResult Json<T>(T value, JsonTypeInfo<T> type) => Results.Json(value, type);

    public static IResult Of<T>(Result<T, ControlError> result, JsonTypeInfo<T> type) =>
        result.TryGet(out T? value, out ControlError error) ? Results.Json(value, type) : Refuse(error);

    public static IResult Of(Result<Unit, ControlError> result) =>
        result.TryGet(out _, out ControlError error) ? Results.NoContent() : Refuse(error);

    public static IResult Refuse(ControlError error) =>
        Results.Text(error.Message, "text/plain", statusCode: Status(error.Kind));

    /// <param name="volume">The volume.</param>
    /// <param name="path">Below it; "" is its root.</param>
    /// <param name="error">Why not.</param>
    public static IResult Refuse(IVolume volume, string path, VolumeError error) =>
        Refuse(Place(volume, path), error);

    /// <param name="what">What was asked for, as the message names it.</param>
    /// <param name="error">Why not.</param>
    public static IResult Refuse(string what, VolumeError error) => Results.Text(
        $"{what}: {Sentence(error)}", "text/plain", statusCode: Status(error));

    /// <summary>A place as commands name it: VOLUME, or VOLUME/path.</summary>
    public static string Place(IVolume volume, string path) =>
        path.Trim('/') is { Length: > 0 } below ? $"{volume.Name}/{below}" : volume.Name;

    public static int Status(ControlErrorKind kind) => kind switch
    {
        ControlErrorKind.NotFound => StatusCodes.Status404NotFound,
        ControlErrorKind.AlreadyExists or ControlErrorKind.Unsuitable => StatusCodes.Status409Conflict,
        ControlErrorKind.InvalidArgument or ControlErrorKind.InviteGarbled => StatusCodes.Status400BadRequest,
        ControlErrorKind.InviteExpired or ControlErrorKind.InviteRefused => StatusCodes.Status410Gone,
        ControlErrorKind.NotPermitted or ControlErrorKind.NotMember => StatusCodes.Status403Forbidden,
        ControlErrorKind.Unreachable or ControlErrorKind.Unanswered
            or ControlErrorKind.Stopping => StatusCodes.Status503ServiceUnavailable,
        ControlErrorKind.Locked => StatusCodes.Status423Locked,
        ControlErrorKind.NoSpace => StatusCodes.Status507InsufficientStorage,
        ControlErrorKind.Storage => StatusCodes.Status500InternalServerError,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static int Status(VolumeError error) => error switch
    {
        VolumeError.NotFound or VolumeError.NoAttribute or VolumeError.NoData => StatusCodes.Status404NotFound,
        VolumeError.BeforeBeginning => StatusCodes.Status410Gone,
        VolumeError.InvalidName or VolumeError.NameTooLong => StatusCodes.Status400BadRequest,
        VolumeError.NotPermitted or VolumeError.AccessDenied or VolumeError.ReadOnly
            or VolumeError.Left => StatusCodes.Status403Forbidden,
        VolumeError.NoSpace => StatusCodes.Status507InsufficientStorage,
        VolumeError.Unreachable or VolumeError.Stopping => StatusCodes.Status503ServiceUnavailable,
        VolumeError.NodeLocked => StatusCodes.Status423Locked,
        VolumeError.Corrupt or VolumeError.InputOutput => StatusCodes.Status500InternalServerError,
        VolumeError.AlreadyExists or VolumeError.NotEmpty or VolumeError.InUse or VolumeError.NotADirectory
            or VolumeError.IsADirectory or VolumeError.InvalidArgument or VolumeError.BadHandle
            or VolumeError.FileTooLarge or VolumeError.WouldLoop or VolumeError.Locked or VolumeError.Deadlock
            or VolumeError.RangeTooSmall or VolumeError.NotSupported or VolumeError.TooManyLinks
            or VolumeError.CrossesVolumes or VolumeError.Interrupted => StatusCodes.Status409Conflict,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static string Sentence(VolumeError error) => error switch
    {
        VolumeError.NotFound => "no such file or directory",
        VolumeError.AlreadyExists => "exists already",
        VolumeError.NotADirectory => "not a directory",
        VolumeError.IsADirectory => "is a directory",
        VolumeError.NotEmpty => "the directory is not empty (rm --recursive removes it with what is in it)",
        VolumeError.InvalidName or VolumeError.NameTooLong =>
            "not a valid name (1 to 255 bytes, no '/', not '.' or '..')",
        VolumeError.InvalidArgument => "that cannot be done with it",
        VolumeError.BadHandle => "it is not open for this",
        VolumeError.NotPermitted or VolumeError.AccessDenied => "not permitted",
        VolumeError.ReadOnly => "read-only",
        VolumeError.Left =>
            "this node has left the pool: write on another, or stop it with 'cairn down' and join anew",
        VolumeError.NoSpace =>
            "no space: free some, give more with 'cairn space set', or wait until replication has caught up; "
            + "'cairn status' says whether the pool or this machine's disk is full",
        VolumeError.FileTooLarge => "the file would be too large",
        VolumeError.Unreachable => "its data is not on this machine and no node that holds it can be reached now",
        VolumeError.Corrupt => "its data failed verification and no good copy was found",
        VolumeError.InputOutput => "this node's disk failed; see 'cairn status'",
        VolumeError.WouldLoop => "a directory cannot be moved below itself",
        VolumeError.Locked => "it is locked",
        VolumeError.Deadlock => "waiting for its lock would never end",
        VolumeError.NoAttribute => "no such attribute",
        VolumeError.RangeTooSmall => "the attribute does not fit",
        VolumeError.NotSupported => "not supported",
        VolumeError.NoData => "there is no data there",
        VolumeError.TooManyLinks => "it has as many links as it can have",
        VolumeError.NodeLocked => "the node is locked: run 'cairn unlock'",
        VolumeError.Stopping => "the daemon is stopping",
        VolumeError.CrossesVolumes => "a folder, link or device cannot move between shared and local names: copy it",
        VolumeError.Interrupted => "interrupted; nothing was changed",
        VolumeError.InUse => "a clone needs it: remove that first",
        VolumeError.BeforeBeginning =>
            "the history does not go back so far any more: try a later moment, or a snapshot",
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}
