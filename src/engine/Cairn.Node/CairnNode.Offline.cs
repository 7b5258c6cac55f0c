using Cairn.Core.Primitives;
using Cairn.Node.Control;

namespace Cairn.Node;

/// <content>Going away and coming back.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public IAsyncEnumerable<Result<SafetyProgress, ControlError>> Evacuate(CancellationToken cancellation) =>
        _onlyHere.Evacuate(() => _progress.Task, cancellation);
}
