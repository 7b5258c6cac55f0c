using System.Runtime.InteropServices;

namespace Cairn.Core.Fold;

/// <summary>A key's value before a transaction touched it.</summary>
internal readonly record struct PreImage(byte[] Key, byte[]? Before);

/// <summary>A key's value before a batch of transactions touched it, and now.</summary>
internal record struct KeyChange(byte[]? Before, byte[]? Now)
{
    /// <summary>Whether they differ.</summary>
    internal readonly bool IsReal => (Now is null) != (Before is null) || !Now.AsSpan().SequenceEqual(Before);
}

/// <summary>The state as an applier sees it: writes go through and leave their pre-images.</summary>
internal sealed class UndoRecorder(ITreeTable inner) : ITreeTable
{
    private readonly List<PreImage> _images = [];

    /// <summary>Whether pre-images are wanted; alone, nothing can ever arrive late.</summary>
    internal bool Recording { get; set; } = true;

    /// <summary>When set, the first and the last value of every key touched are noted here.</summary>
    internal Dictionary<byte[], KeyChange>? Changes { get; set; }

    public byte[]? Get(ReadOnlySpan<byte> key) => inner.Get(key);

    public byte[]? Put(ReadOnlySpan<byte> key, byte[]? value) =>
        Recording || Changes is not null ? Put(key.ToArray(), value) : inner.Put(key, value);

    public byte[]? Put(byte[] key, byte[]? value)
    {
        byte[]? before = inner.Put(key, value);
        if (before is not null || value is not null)
        {
            if (Recording)
            {
                _images.Add(new PreImage(key, before));
            }

            Note(key, before, value);
        }

        return before;
    }

    public TableCursor Scan(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => inner.Scan(from, to);

    /// <summary>The pre-images since the last call, in the order of writing.</summary>
    internal PreImage[] Take()
    {
        PreImage[] taken = _images.Count == 0 ? [] : [.. _images];
        _images.Clear();
        return taken;
    }

    /// <summary>Restores the state before the transaction that left these.</summary>
    internal void Undo(ReadOnlySpan<PreImage> images)
    {
        for (int i = images.Length - 1; i >= 0; i--)
        {
            byte[]? undone = inner.Put(images[i].Key, images[i].Before);
            Note(images[i].Key, undone, images[i].Before);
        }
    }

    private void Note(byte[] key, byte[]? before, byte[]? now)
    {
        if (Changes is not null)
        {
            ref KeyChange change = ref CollectionsMarshal.GetValueRefOrAddDefault(Changes, key, out bool isKnown);
            change = new KeyChange(isKnown ? change.Before : before, now);
        }
    }
}
