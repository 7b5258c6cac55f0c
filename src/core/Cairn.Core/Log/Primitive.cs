namespace Cairn.Core.Log;

/// <summary>One indivisible change: the closed set of everything a log can say.</summary>
/// <remarks>
/// A primitive says what its author saw as well as what it wants, so that the fold can tell a change from a change
/// made blindly:
/// concurrent work is kept, never overwritten.
/// </remarks>
public abstract record Primitive
{
    private protected Primitive()
    {
    }

    /// <summary>The wire tag.</summary>
    public abstract PrimitiveKind Kind { get; }
}
