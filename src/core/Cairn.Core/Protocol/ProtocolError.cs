namespace Cairn.Core.Protocol;

/// <summary>What is wrong with a frame. The connection it came on is closed: its sender is broken or hostile.</summary>
public enum ProtocolErrorKind
{
    /// <summary>No bytes.</summary>
    Empty,

    /// <summary>A tag that this version does not know.</summary>
    UnknownTag,

    /// <summary>Cut short, too long, or a value the format does not allow.</summary>
    Malformed,

    /// <summary>A message that has no place at this point of the conversation.</summary>
    Unexpected,

    /// <summary>No protocol version that both speak.</summary>
    NoCommonVersion,
}

/// <summary>A bad frame.</summary>
/// <param name="Kind">What is wrong.</param>
/// <param name="Tag">The frame's first byte; 0 if it has none.</param>
public readonly record struct ProtocolError(ProtocolErrorKind Kind, byte Tag)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Kind} (message {Tag})";
}
