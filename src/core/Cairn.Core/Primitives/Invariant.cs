using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Cairn.Core.Primitives;

/// <summary>Thrown when the program's own reasoning is broken: a bug, never bad input.</summary>
/// <remarks>Only the outermost loop of a room catches it: it isolates the part and reports it.</remarks>
public sealed class InvariantException : Exception
{
    /// <summary>Creates the exception without a message.</summary>
    public InvariantException()
    {
    }

    /// <summary>Creates the exception with what was expected.</summary>
    public InvariantException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with what was expected and its cause.</summary>
    public InvariantException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}

/// <summary>Assertions that are always on, release builds included, because data is at stake.</summary>
public static class Invariant
{
    /// <summary>Fails loudly when <paramref name="condition"/> does not hold.</summary>
    /// <param name="condition">What must hold.</param>
    /// <param name="message">Built only when the condition is false, so a true condition costs a branch.</param>
    /// <exception cref="InvariantException">The condition is false.</exception>
    public static void That(
        [DoesNotReturnIf(false)] bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] ref InvariantMessage message)
    {
        if (!condition)
        {
            Fail(message.ToString());
        }
    }

    /// <inheritdoc cref="That(bool, ref InvariantMessage)"/>
    public static void That([DoesNotReturnIf(false)] bool condition, string message)
    {
        if (!condition)
        {
            Fail(message);
        }
    }

    /// <summary>Reports a state that the code has proved impossible.</summary>
    /// <exception cref="InvariantException">Always.</exception>
    [DoesNotReturn]
    public static void Fail(string message) => throw new InvariantException(message);
}

/// <summary>Formats an invariant's message only when the invariant is broken.</summary>
[InterpolatedStringHandler]
public ref struct InvariantMessage
{
    private DefaultInterpolatedStringHandler _text;
    private readonly bool _wanted;

    /// <summary>Called by the compiler; <paramref name="wanted"/> is false when nothing will be formatted.</summary>
    public InvariantMessage(int literalLength, int formattedCount, bool condition, out bool wanted)
    {
        wanted = !condition;
        _wanted = wanted;
        _text = wanted ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    /// <summary>Appends a literal part.</summary>
    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    /// <summary>Appends a formatted part.</summary>
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    /// <summary>Appends a formatted part with a format.</summary>
    public void AppendFormatted<T>(T value, string? format) => _text.AppendFormatted(value, format);

    /// <inheritdoc/>
    public override string ToString() => _wanted ? _text.ToStringAndClear() : string.Empty;
}
