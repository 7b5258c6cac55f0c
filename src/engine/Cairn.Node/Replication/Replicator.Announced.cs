using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage.Packs;

namespace Cairn.Node.Replication;

/// <content>What the write path says it has staged, until the engine's loop takes it.</content>
internal sealed partial class Replicator
{
    /// <summary>So many bytes of chunks that follow each other closely are taken, and sent, together.</summary>
    private const long TogetherBytes = 3 << 20;

    private readonly Lock _lock = new();
    private readonly List<(ChunkAddress Address, bool IsNew)> _announced = [];
    private long _gatheredBytes;
    private bool _isTaking;

    /// <summary>Chunks that are not yet where they should be, those just announced among them.</summary>
    public int OwedCount
    {
        get
        {
            lock (_lock)
            {
                return _owed.Count + _announced.Count;
            }
        }
    }

    /// <summary>Bytes of chunks that were just made here.</summary>
    internal FreshChunks Fresh { get; } = new();

    /// <inheritdoc/>
    public void Staged(ChunkAddress address, bool isNew, byte[] buffer, int length)
    {
        if (isNew)
        {
            Fresh.Keep(address, buffer, length);
        }
        else
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        bool isEnough;
        lock (_lock)
        {
            _announced.Add((address, isNew));
            _gatheredBytes += length;
            isEnough = _gatheredBytes >= TogetherBytes;
        }

        if (isEnough)
        {
            TakeSoon();
        }
    }

    /// <inheritdoc/>
    public void NoMoreStaged() => TakeSoon();

    /// <inheritdoc/>
    public void Rest() => Fresh.Clear();

    /// <summary>Whether a chunk is still owed.</summary>
    public bool Owes(ChunkAddress address)
    {
        lock (_lock)
        {
            if (_announced.Exists(chunk => chunk.Address == address))
            {
                return true;
            }
        }

        return _owed.ContainsKey(address);
    }

    private void TakeSoon()
    {
        lock (_lock)
        {
            if (_isTaking || _announced.Count == 0)
            {
                return;
            }

            _isTaking = true;
        }

        _ports.Workers.Start("replicate", TakeAnnounced);
    }

    private Task TakeAnnounced()
    {
        (ChunkAddress Address, bool IsNew)[] news;
        lock (_lock)
        {
            news = [.. _announced];
            _announced.Clear();
            _gatheredBytes = 0;
            _isTaking = false;
        }

        foreach ((ChunkAddress address, bool isNew) in news)
        {
            if (!_owed.ContainsKey(address) && _store.TryGet(RecordKey.Copy(address), out StoredRecord record)
                && record.Use == ChunkUse.Staged)
            {
                Owe(new OwedChunk(address, record.Length, mayBeElsewhere: !isNew));
            }
        }

        Progress?.Invoke();
        PumpAll();
        return Task.CompletedTask;
    }
}
