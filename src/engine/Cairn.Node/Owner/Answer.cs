using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Storage;

namespace Cairn.Node.Owner;

/// <summary>What an owner is told of something that went wrong below.</summary>
internal static class Answer
{
    /// <summary>What became of something that was written.</summary>
    public static Result<Unit, ControlError> Of(Result<Unit, StoreError> written) =>
        written.TryGet(out _, out StoreError error)
            ? Unit.Value
            : new ControlError(ControlErrorKind.Storage, error.ToString());
}
