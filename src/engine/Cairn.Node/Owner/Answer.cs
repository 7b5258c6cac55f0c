using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Storage;

namespace Cairn.Node.Owner;

/// <summary>What an owner is told of something that went wrong below.</summary>
internal static class Answer
{
    /// <summary>Nobody tells this node any more what the others have: to wait for it would be to wait for ever.</summary>
    public static ControlError Left { get; } = new(
        ControlErrorKind.NotMember,
        "This node has left the pool: nothing is sent from it any more, and it does not hear what the others have. "
        + "Ask on another machine. What is only here can be copied out with `cairn get`; then `cairn down` stops it.");

    /// <summary>What became of something that was written.</summary>
    public static Result<Unit, ControlError> Of(Result<Unit, StoreError> written) =>
        written.TryGet(out _, out StoreError error)
            ? Unit.Value
            : new ControlError(ControlErrorKind.Storage, error.ToString());
}
