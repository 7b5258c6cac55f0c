using System.Diagnostics.CodeAnalysis;

namespace Cairn.Core.Primitives;

/// <summary>The value of an operation that returns nothing but may fail.</summary>
public readonly record struct Unit
{
    /// <summary>The only value.</summary>
    public static Unit Value => default;
}

/// <summary>Either a value or a typed error: how failures that are not bugs cross a boundary.</summary>
/// <typeparam name="T">The value on success.</typeparam>
/// <typeparam name="TError">The closed set of ways to fail.</typeparam>
public readonly struct Result<T, TError> : IEquatable<Result<T, TError>>
{
    private readonly T? _value;
    private readonly TError? _error;
    private readonly bool _isOk;

    private Result(bool isOk, T? value, TError? error)
    {
        _isOk = isOk;
        _value = value;
        _error = error;
    }

    /// <summary>Whether the operation succeeded.</summary>
    public bool IsOk => _isOk;

    /// <summary>The value. Asking for it after a failure is a bug.</summary>
    /// <exception cref="InvariantException">The operation failed.</exception>
    public T Value
    {
        get
        {
            Invariant.That(_isOk, $"no value: {_error}");
            return _value!;
        }
    }

    /// <summary>The error. Asking for it after a success is a bug.</summary>
    /// <exception cref="InvariantException">The operation succeeded.</exception>
    public TError Error
    {
        get
        {
            Invariant.That(!_isOk, "no error: the operation succeeded");
            return _error!;
        }
    }

    /// <summary>A success.</summary>
    public static Result<T, TError> Ok(T value) => new(true, value, default);

    /// <summary>A failure.</summary>
    public static Result<T, TError> Fail(TError error) => new(false, default, error);

    /// <summary>Wraps a value as a success.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "Ok is the named alternative.")]
    public static implicit operator Result<T, TError>(T value) => Ok(value);

    /// <summary>Wraps an error as a failure.</summary>
    [SuppressMessage("Usage", "CA2225", Justification = "Fail is the named alternative.")]
    public static implicit operator Result<T, TError>(TError error) => Fail(error);

    /// <summary>Takes the value, or the error and false.</summary>
    public bool TryGet([MaybeNullWhen(false)] out T value, [MaybeNullWhen(true)] out TError error)
    {
        value = _value;
        error = _error;
        return _isOk;
    }

    /// <inheritdoc/>
    public bool Equals(Result<T, TError> other) =>
        _isOk == other._isOk
        && EqualityComparer<T?>.Default.Equals(_value, other._value)
        && EqualityComparer<TError?>.Default.Equals(_error, other._error);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Result<T, TError> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _isOk ? _value?.GetHashCode() ?? 0 : ~(_error?.GetHashCode() ?? 0);

    /// <summary>Same outcome.</summary>
    public static bool operator ==(Result<T, TError> left, Result<T, TError> right) => left.Equals(right);

    /// <summary>Different outcome.</summary>
    public static bool operator !=(Result<T, TError> left, Result<T, TError> right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => _isOk ? $"Ok({_value})" : $"Fail({_error})";
}
