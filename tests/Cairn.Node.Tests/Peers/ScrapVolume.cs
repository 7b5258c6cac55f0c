using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Simulation.Volumes;
using Cairn.Storage;
using Cairn.Storage.Packs;

namespace Cairn.Node.Tests.Peers;

/// <summary>A hosted volume reduced to its chunks: what the peer side is tested with, without a namespace.</summary>
internal sealed class ScrapVolume : IHostedVolume
{
    private readonly ChunkStore _chunks;
    private readonly IReplicationQueue _queue;
    private readonly IChunkSource _source;

    public ScrapVolume(VolumeSetting setting, NodeStores stores, Func<VolumeId, ISharedLog>? log)
    {
        _chunks = stores.Chunks;
        _queue = setting.Replication;
        _source = setting.Source;
        Keyring = setting.Keyring;
        Volume = new MemoryVolume(setting.Volume.Name, 1, stores.Ports.Time);
        Log = log?.Invoke(setting.Volume.Volume) ?? new NoLog(setting.Volume.Volume);
    }

    public IVolume Volume { get; }

    public ISharedLog Log { get; }

    public VolumeKeyring Keyring { get; private set; }

    public bool HasUnpublishedWrites => false;

    public long IndexBytes => 0;

    public List<ChunkAddress> Written { get; } = [];

    /// <summary>How often it was to make good what was settled without this node.</summary>
    public int ComeBacks { get; private set; }

    /// <summary>Whether it can, as soon as it is asked.</summary>
    public bool CanComeBack { get; set; } = true;

    public void UseKeyring(VolumeKeyring keyring) => Keyring = keyring;

    public ChunkAddress Write(byte[] stored)
    {
        ChunkAddress address = new(System.Security.Cryptography.SHA256.HashData(stored));
        bool isNew = !_chunks.Contains(RecordKey.Copy(address));
        Assert.True(_chunks.Put(RecordKey.Copy(address), stored, ChunkUse.Staged).IsOk);
        Assert.True(_chunks.Commit().IsOk);
        Written.Add(address);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(stored.Length);
        stored.CopyTo(buffer, 0);
        _queue.Staged(address, isNew, buffer, stored.Length);
        _queue.NoMoreStaged();
        return address;
    }

    public async Task<Result<byte[], VolumeError>> Read(ChunkAddress address)
    {
        int length = _chunks.Length(RecordKey.Copy(address));
        if (length > 0)
        {
            byte[] local = new byte[length];
            return _chunks.Read(RecordKey.Copy(address), 0, local).IsOk ? local : VolumeError.InputOutput;
        }

        Result<ChunkLease, VolumeError> fetched = await _source.Fetch(address, CancellationToken.None);
        if (!fetched.TryGet(out ChunkLease? lease, out VolumeError error))
        {
            return error;
        }

        using (lease)
        {
            return lease.Bytes.ToArray();
        }
    }

    public ValueTask<Result<VolumeContents, VolumeError>> Contents(string path, CancellationToken cancellation) =>
        ValueTask.FromResult<Result<VolumeContents, VolumeError>>(
            new VolumeContents(Written.Count, Written, 0, false));

    public Task<bool> ComeBack(bool doCopiesCount, CancellationToken cancellation)
    {
        ComeBacks++;
        return Task.FromResult(CanComeBack);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    internal sealed class Factory(NodeStores stores, Func<VolumeId, ISharedLog>? log) : IVolumeFactory
    {
        public SortedDictionary<VolumeId, ScrapVolume> Open { get; } = [];

        Result<IHostedVolume, StoreError> IVolumeFactory.Open(VolumeSetting setting)
        {
            ScrapVolume volume = new(setting, stores, log);
            Open[setting.Volume.Volume] = volume;
            return volume;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class NoLog(VolumeId volume) : ISharedLog
    {
        public event Action? BlocksReady
        {
            add { }
            remove { }
        }

        public VolumeId Volume { get; } = volume;

        public LogPositions Positions => LogPositions.Empty;

        public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax) => [];

        public ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks) =>
            ValueTask.FromResult(Result<Unit, string>.Ok(Unit.Value));
    }
}
