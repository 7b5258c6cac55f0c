using System.Buffers.Binary;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Index;

/// <summary>An index whose names and values are sealed before they reach the store below.</summary>
/// <remarks>
/// Format: docs/formats/sealed-index.md. Ids stay in the clear, so the store below keeps its order by them; the names of one
/// directory lie there in the order of their masks and are sorted after they were opened. The last directory read stays
/// sorted in memory, because a listing asks for it page by page, and then for each name; <see cref="NearObjects"/> has what
/// the names stand for.
/// An index that was written in the clear, or under other keys, is emptied: it is rebuilt from the logs. One in which a
/// record does not open says so in itself, and is emptied when it is opened next.
/// Thread: any, as the port says; one lock for reading, one for writing.
/// </remarks>
public sealed class SealedIndex : IIndexStore
{
    private const int NameLengthSize = 2;
    private const int KeyBytesMax = 1024;
    private static readonly byte[] SaltKey = [IndexTable.NodesOwn, (byte)'s'];
    private static readonly byte[] BrokenKey = [IndexTable.NodesOwn, (byte)'x'];

    private readonly IIndexStore _below;
    private readonly NearObjects _near;
    private readonly byte[] _secret;
    private readonly IEntropy _entropy;
    private readonly Lock _reading = new();
    private readonly Lock _writing = new();
    private readonly byte[] _storedKey = new byte[KeyBytesMax + IndexCipher.MaskSize];
    private byte[] _plain = new byte[1024];
    private byte[] _sealedValue = new byte[1024];
    private byte[] _salt = [];
    private IndexCipher _opening;
    private IndexCipher _sealing;
    private Group? _last;
    private bool _isBroken;

    private SealedIndex(IIndexStore below, ReadOnlySpan<byte> homeSecret, IEntropy entropy)
    {
        _below = below;
        _near = new NearObjects(below);
        _secret = homeSecret.ToArray();
        _entropy = entropy;
        byte[] none = new byte[IndexCipher.SaltSize];
        (_opening, _sealing) = (new IndexCipher(_secret, none, 0), new IndexCipher(_secret, none, 0));
    }

    /// <summary>Seals what is in a store. What cannot be opened under these keys is thrown away.</summary>
    /// <param name="below">Owned from now on.</param>
    /// <param name="homeSecret">Kept with the node's keys: random, 32 bytes.</param>
    /// <param name="entropy">Where salts and nonces come from.</param>
    public static SealedIndex Open(IIndexStore below, ReadOnlySpan<byte> homeSecret, IEntropy entropy)
    {
        var index = new SealedIndex(below, homeSecret, entropy);
        if (!index.TryUseSalt() || index.WasBroken())
        {
            // A damaged store says so again at the next call, to whoever can rebuild it.
            _ = index.Clear();
        }

        return index;
    }

    /// <summary>Why what was in the store could not be read when it was opened; null: it could, or there was nothing.</summary>
    public string? Fault { get; private set; }

    /// <inheritdoc/>
    public long Bytes => _below.Bytes;

    /// <inheritdoc/>
    public Result<byte[]?, IndexError> Get(ReadOnlySpan<byte> key)
    {
        lock (_reading)
        {
            if (_last is { } last && last.Has(key))
            {
                return Result<byte[]?, IndexError>.Ok(last.Find(key));
            }

            Span<byte> buffer = stackalloc byte[KeyBytesMax + IndexCipher.MaskSize];
            byte[] stored = buffer[..StoredKey(_opening, key, buffer)].ToArray();
            Result<byte[]?, IndexError> got = _near.Get(stored);
            if (!got.TryGet(out byte[]? sealedBytes, out IndexError error))
            {
                return error;
            }

            return sealedBytes is null ? Result<byte[]?, IndexError>.Ok(null)
                : TryOpen(stored, sealedBytes, out _, out byte[] value) ? value
                : Broken();
        }
    }

    /// <inheritdoc/>
    public Result<IReadOnlyList<KeyValuePair<byte[], byte[]>>, IndexError> Scan(
        ReadOnlySpan<byte> from, ReadOnlySpan<byte> to, int limit)
    {
        lock (_reading)
        {
            var found = new Found(from.ToArray(), to.ToArray(), limit);
            try
            {
                return Scan(found) ? found.Records : Broken();
            }
            catch (IndexUnusableException broken)
            {
                return new IndexError(broken.Message);
            }
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Apply(IEnumerable<IndexChange> changes)
    {
        lock (_writing)
        {
            Result<Unit, IndexError> applied = _below.Apply(changes.Select(Seal));
            lock (_reading)
            {
                Forget();
            }

            return applied;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Sync() => _below.Sync();

    /// <inheritdoc/>
    public Result<IIndexStore, IndexError> View()
    {
        if (!_below.View().TryGet(out IIndexStore? standing, out IndexError error))
        {
            return error;
        }

        var view = new SealedIndex(standing, _secret, _entropy);
        if (view.TryUseSalt())
        {
            return view;
        }

        view.Dispose();
        return Unreadable;
    }

    /// <inheritdoc/>
    public Result<Unit, IndexError> Clear()
    {
        lock (_writing)
        {
            lock (_reading)
            {
                Result<Unit, IndexError> cleared = _below.Clear();
                if (!cleared.IsOk)
                {
                    return cleared;
                }

                _isBroken = false;
                byte[] salt = new byte[IndexCipher.SaltSize];
                _entropy.Fill(salt);
                UseSalt(salt);
                return _below.Apply([new IndexChange(SaltKey, salt)]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _opening.Dispose();
        _sealing.Dispose();
        _below.Dispose();
    }

    private static IndexError Unreadable => new("a record does not open under this node's keys");

    private bool TryUseSalt()
    {
        if (!_below.Get(SaltKey).TryGet(out byte[]? salt, out IndexError error))
        {
            Fault = error.Detail;
            return false;
        }

        if (salt is not { Length: IndexCipher.SaltSize })
        {
            return false;
        }

        UseSalt(salt);
        return true;
    }

    private bool WasBroken()
    {
        bool isSaid = _below.Get(BrokenKey) is { IsOk: true, Value: not null };
        Fault = isSaid ? Unreadable.Detail : Fault;
        return isSaid;
    }

    /// <summary>A record does not open: the next start makes the index anew.</summary>
    private IndexError Broken()
    {
        if (!_isBroken)
        {
            // A view takes no changes, and a disk may be full: then who meets it next says it.
            _isBroken = _below.Apply([new IndexChange(BrokenKey, Array.Empty<byte>())]).IsOk;
        }

        return Unreadable;
    }

    private void UseSalt(byte[] salt)
    {
        _opening.Dispose();
        _opening = new IndexCipher(_secret, salt, 0);
        _salt = salt;
        Forget();
        RenewSealing();
    }

    /// <summary>What was read before may not be so any more.</summary>
    private void Forget()
    {
        _last = null;
        _near.Clear();
    }

    private void RenewSealing()
    {
        Span<byte> run = stackalloc byte[sizeof(ulong)];
        _entropy.Fill(run);
        _sealing.Dispose();
        _sealing = new IndexCipher(_secret, _salt, BinaryPrimitives.ReadUInt64LittleEndian(run));
    }

    /// <summary>The key as it is stored; its length.</summary>
    private static int StoredKey(IndexCipher cipher, ReadOnlySpan<byte> key, Span<byte> stored)
    {
        Invariant.That(key.Length <= KeyBytesMax, $"an index key of {key.Length} bytes");
        int ids = TreeKeys.NameStart(key);
        key[..ids].CopyTo(stored);
        if (ids == key.Length)
        {
            return ids;
        }

        cipher.Mask(key, stored.Slice(ids, IndexCipher.MaskSize));
        return ids + IndexCipher.MaskSize;
    }

    /// <summary>A change as it is stored, in buffers that the next one uses again: there are many, and each is soon written.</summary>
    private IndexChange Seal(IndexChange change)
    {
        ReadOnlySpan<byte> key = change.Key.Span;
        ReadOnlyMemory<byte> stored = _storedKey.AsMemory(0, StoredKey(_sealing, key, _storedKey));
        if (change.Value is not { } value)
        {
            return new IndexChange(stored, null);
        }

        if (_sealing.IsSpent)
        {
            RenewSealing();
        }

        ReadOnlySpan<byte> name = key[TreeKeys.NameStart(key)..];
        Span<byte> plain = Room(ref _plain, (name.IsEmpty ? 0 : NameLengthSize + name.Length) + value.Length);
        if (!name.IsEmpty)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(plain, (ushort)name.Length);
            name.CopyTo(plain[NameLengthSize..]);
        }

        value.Span.CopyTo(plain[^value.Length..]);
        int length = plain.Length + IndexCipher.Overhead;
        _sealing.Seal(stored.Span, plain, Room(ref _sealedValue, length));
        return new IndexChange(stored, _sealedValue.AsMemory(0, length));
    }

    private static Span<byte> Room(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
        {
            buffer = new byte[Math.Max(length, 2 * buffer.Length)];
        }

        return buffer.AsSpan(0, length);
    }

    /// <summary>Opens a record; the key with its name in the clear, and the value.</summary>
    private bool TryOpen(byte[] stored, byte[] sealedBytes, out byte[] key, out byte[] value)
    {
        (key, value) = (stored, []);
        byte[] plain = new byte[Math.Max(0, sealedBytes.Length - IndexCipher.Overhead)];
        if (!_opening.TryOpen(stored, sealedBytes, plain))
        {
            return false;
        }

        int ids = TreeKeys.NameStart(stored);
        if (ids == stored.Length)
        {
            value = plain;
            return true;
        }

        int length = plain.Length < NameLengthSize ? int.MaxValue : BinaryPrimitives.ReadUInt16LittleEndian(plain);
        if (length > plain.Length - NameLengthSize)
        {
            return false;
        }

        key = [.. stored.AsSpan(0, ids), .. plain.AsSpan(NameLengthSize, length)];
        value = plain[(NameLengthSize + length)..];
        return true;
    }

    private bool Scan(Found found)
    {
        byte[] from = found.From;
        byte[] directory = from[..TreeKeys.NameStart(from)];
        if (directory.Length < from.Length)
        {
            // It goes on inside a directory: that one is read from its start, unless it is the one in memory.
            from = directory;
            if (_last is { } last && last.Directory.AsSpan().SequenceEqual(directory))
            {
                found.Add(last);
                from = TreeKeys.EndOf(directory);
            }
        }

        TableCursor rows = new IndexTable(_below).Scan(from, Bound(found.To));
        bool has = rows.MoveNext();
        while (has && !found.IsFull)
        {
            int ids = TreeKeys.NameStart(rows.Key);
            if (ids < rows.Key.Length)
            {
                if (!TryRead(rows, rows.Key[..ids], out has, out Group group))
                {
                    return false;
                }

                _last = group;
                found.Add(group);
                continue;
            }

            if (!IsOwn(rows.Key))
            {
                if (!TryOpen(rows.Key, rows.Value, out byte[] key, out byte[] value))
                {
                    return false;
                }

                found.Add(key, value);
            }

            has = rows.MoveNext();
        }

        return true;
    }

    private static bool IsOwn(ReadOnlySpan<byte> stored) =>
        stored.SequenceEqual(SaltKey) || stored.SequenceEqual(BrokenKey);

    /// <summary>A bound inside a directory takes all of that directory: which of its names are wanted is seen later.</summary>
    private static byte[] Bound(byte[] to)
    {
        int ids = TreeKeys.NameStart(to);
        return ids < to.Length ? TreeKeys.EndOf(to.AsSpan(0, ids)) : to;
    }

    private bool TryRead(TableCursor rows, byte[] directory, out bool has, out Group group)
    {
        group = new Group(directory);
        do
        {
            if (!TryOpen(rows.Key, rows.Value, out byte[] key, out byte[] value))
            {
                has = false;
                return false;
            }

            group.Records.Add(new(key, value));
            has = rows.MoveNext();
        }
        while (has && rows.Key.Length > directory.Length && rows.Key.AsSpan().StartsWith(directory));
        group.Records.Sort(static (left, right) => left.Key.AsSpan().SequenceCompareTo(right.Key));
        return true;
    }

    /// <summary>The opened records of one directory (or of one object's attributes), by name.</summary>
    private sealed class Group(byte[] directory)
    {
        public byte[] Directory { get; } = directory;

        public List<KeyValuePair<byte[], byte[]>> Records { get; } = [];

        /// <summary>Whether a key is there if it is anywhere.</summary>
        public bool Has(ReadOnlySpan<byte> key) =>
            TreeKeys.NameStart(key) == Directory.Length && key.Length > Directory.Length && key.StartsWith(Directory);

        /// <summary>The value of a key, or null.</summary>
        public byte[]? Find(ReadOnlySpan<byte> key) =>
            FirstFrom(key) is int at && at < Records.Count && key.SequenceEqual(Records[at].Key)
                ? Records[at].Value
                : null;

        /// <summary>The place of the first record at or behind a key.</summary>
        public int FirstFrom(ReadOnlySpan<byte> key)
        {
            (int low, int high) = (0, Records.Count);
            while (low < high)
            {
                int middle = (low + high) / 2;
                bool isBefore = Records[middle].Key.AsSpan().SequenceCompareTo(key) < 0;
                (low, high) = isBefore ? (middle + 1, high) : (low, middle);
            }

            return low;
        }
    }

    /// <summary>What a scan has found so far.</summary>
    private sealed class Found(byte[] from, byte[] to, int limit)
    {
        public byte[] From { get; } = from;

        public byte[] To { get; } = to;

        public List<KeyValuePair<byte[], byte[]>> Records { get; } = new(Math.Min(limit, 256));

        public bool IsFull => Records.Count >= limit;

        public void Add(byte[] key, byte[] value) => Records.Add(new(key, value));

        public void Add(Group group)
        {
            for (int i = group.FirstFrom(From); i < group.Records.Count && !IsFull; i++)
            {
                if (To.Length > 0 && group.Records[i].Key.AsSpan().SequenceCompareTo(To) >= 0)
                {
                    return;
                }

                Records.Add(group.Records[i]);
            }
        }
    }
}
