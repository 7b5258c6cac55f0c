namespace Cairn.Core.Fold;

/// <summary>A key's value before a transaction touched it.</summary>
internal readonly record struct PreImage(byte[] Key, byte[]? Before);

/// <summary>The state as an applier sees it: writes go through and leave their pre-images.</summary>
internal sealed class UndoRecorder(ITreeTable inner) : ITreeTable
{
    private readonly List<PreImage> _images = [];

    /// <summary>Whether pre-images are wanted; alone, nothing can ever arrive late.</summary>
    internal bool Recording { get; set; } = true;

    /// <summary>When set, the first value of every key touched is noted here.</summary>
    internal Dictionary<byte[], byte[]?>? Changes { get; set; }

    public byte[]? Get(ReadOnlySpan<byte> key) => inner.Get(key);

    public byte[]? Put(ReadOnlySpan<byte> key, byte[]? value)
    {
        byte[]? before = inner.Put(key, value);
        if ((Recording || Changes is not null) && (before is not null || value is not null))
        {
            byte[] kept = key.ToArray();
            if (Recording)
            {
                _images.Add(new PreImage(kept, before));
            }

            Changes?.TryAdd(kept, before);
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
            Changes?.TryAdd(images[i].Key, undone);
        }
    }
}
