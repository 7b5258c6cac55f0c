using Cairn.Node.Ports;

namespace Cairn.Io.Index;

/// <summary>Makes changes ready on a second thread while those before them are written.</summary>
/// <remarks>
/// Who hands them in seals each when it is asked for, which takes half as long as the database takes to put it into its
/// place. Few changes are made ready by the thread that writes them.
/// </remarks>
internal static class ChangesAhead
{
    private const int BlockBytes = 512 << 10;

    /// <summary>The same changes in the same order. Whoever walks over them has the source to itself until the walk ends.</summary>
    internal static IEnumerable<IndexChange> Of(IEnumerable<IndexChange> changes)
    {
        using IEnumerator<IndexChange> source = changes.GetEnumerator();
        (Block now, Block next) = (new Block(), new Block());
        bool isMore = now.Fill(source);
        Task<bool> filling = Task.FromResult(false);
        try
        {
            while (!now.IsEmpty)
            {
                filling = isMore ? Begin(next, source) : filling;
                foreach (IndexChange change in now.Changes())
                {
                    yield return change;
                }

                now.Clear();
                isMore = isMore && filling.GetAwaiter().GetResult();
                (now, next) = (next, now);
            }
        }
        finally
        {
            // Not its result: the walk may have ended early, because of another failure.
            Task.WaitAny(filling);
        }
    }

    /// <summary>On a thread of its own, not the pool's: it has the priority of the one that writes.</summary>
    private static Task<bool> Begin(Block block, IEnumerator<IndexChange> source) => Task.Factory.StartNew(
        () => block.Fill(source), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Copies of changes, one behind the other.</summary>
    private sealed class Block
    {
        private readonly List<(int KeyLength, int ValueLength)> _lengths = [];
        private byte[] _bytes = [];
        private int _used;

        internal bool IsEmpty => _lengths.Count == 0;

        /// <summary>Takes changes until it is full; false: there were no more.</summary>
        internal bool Fill(IEnumerator<IndexChange> source)
        {
            while (_used < BlockBytes)
            {
                if (!source.MoveNext())
                {
                    return false;
                }

                (ReadOnlyMemory<byte> key, ReadOnlyMemory<byte>? value) = source.Current;
                _lengths.Add((key.Length, value?.Length ?? -1));
                Append(key.Span);
                Append(value.GetValueOrDefault().Span);
            }

            return true;
        }

        internal IEnumerable<IndexChange> Changes()
        {
            int at = 0;
            foreach ((int keyLength, int valueLength) in _lengths)
            {
                ReadOnlyMemory<byte> key = _bytes.AsMemory(at, keyLength);
                at += keyLength;
                yield return new IndexChange(
                    key, valueLength < 0 ? null : (ReadOnlyMemory<byte>?)_bytes.AsMemory(at, valueLength));
                at += Math.Max(valueLength, 0);
            }
        }

        internal void Clear()
        {
            _lengths.Clear();
            _used = 0;
        }

        private void Append(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length > _bytes.Length - _used)
            {
                Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _used + bytes.Length));
            }

            bytes.CopyTo(_bytes.AsSpan(_used));
            _used += bytes.Length;
        }
    }
}
