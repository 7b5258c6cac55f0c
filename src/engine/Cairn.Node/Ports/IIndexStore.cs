using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;

namespace Cairn.Node.Ports;

/// <summary>An index that cannot be read or written: it is rebuilt from the logs and packs, never repaired.</summary>
/// <param name="Detail">The database's own words.</param>
/// <param name="IsDiskFull">Whether only room is missing: nothing is wrong with what is written.</param>
public readonly record struct IndexError(string Detail, bool IsDiskFull = false);

/// <summary>One change to an index.</summary>
/// <param name="Key">At most 1 KiB; ordered as bytes.</param>
/// <param name="Value">Null deletes the key.</param>
public readonly record struct IndexChange(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value)
{
    /// <summary>A change as a table has it.</summary>
    public static IndexChange Of(TableChange change) =>
        new(change.Key.Memory, change.Value.IsAbsent ? null : (ReadOnlyMemory<byte>?)change.Value.Memory);
}

/// <summary>A durable, ordered map from bytes to bytes: a rebuildable index, never the only place of anything.</summary>
/// <remarks>Safe to call from several threads: one <see cref="Apply"/> at a time, reads beside it see all of it or nothing.</remarks>
public interface IIndexStore : IDisposable
{
    /// <summary>What it takes on the disk, in bytes.</summary>
    long Bytes { get; }

    /// <summary>The value of a key, or null.</summary>
    Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key);

    /// <summary>Keys from <paramref name="from"/> (included) to <paramref name="to"/> (excluded; empty: no end), in order.</summary>
    /// <param name="limit">At most so many.</param>
    Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit);

    /// <summary>Applies all changes in one transaction; durable enough that a crash leaves all of them or none.</summary>
    /// <param name="changes">Walked once. The bytes of one may be overwritten as soon as the next is asked for.</param>
    Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes);

    /// <summary>What was applied survives a power cut when this returns; without it, what was applied last may not.</summary>
    Result<Unit, IndexError> Sync();

    /// <summary>The map as it is now, for reading, whatever is applied or cleared later. It takes no changes.</summary>
    /// <remarks>It costs space until it is disposed: what is replaced meanwhile is kept for it.</remarks>
    Result<IIndexStore, IndexError> View();

    /// <summary>Throws everything away, a damaged file included: the start of a rebuild. The store stays open, empty.</summary>
    Result<Unit, IndexError> Clear();
}
