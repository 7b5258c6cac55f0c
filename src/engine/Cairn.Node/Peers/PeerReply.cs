using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>A peer's answer, with the frame its memory points into; or none, when the connection ended first.</summary>
/// <param name="message">The answer; null when the connection ended.</param>
/// <param name="frame">Disposed with the reply.</param>
internal sealed class PeerReply(NumberedMessage? message, IFrame? frame) : IDisposable
{
    private IFrame? _frame = frame;

    /// <summary>The answer; null when the connection ended before it came.</summary>
    public NumberedMessage? Message { get; } = message;

    /// <inheritdoc/>
    public void Dispose()
    {
        _frame?.Dispose();
        _frame = null;
    }
}
