using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>A volume engine and its log as the node's composition sees them.</summary>
internal sealed class HostedVolume(
    VolumeEngine engine, ReplicatedLog log, IGarbageMembers? members, IIndexStore index, IWorkers workers)
    : IHostedVolume, ISharedLog
{
    /// <inheritdoc/>
    public event Action? BlocksReady
    {
        add => log.BlocksReady += value;
        remove => log.BlocksReady -= value;
    }

    /// <inheritdoc/>
    IVolume IHostedVolume.Volume => engine;

    /// <inheritdoc/>
    VolumeId ISharedLog.Volume => log.Volume;

    /// <inheritdoc/>
    public ISharedLog Log => this;

    /// <inheritdoc/>
    public LogPositions Positions => log.Positions;

    /// <inheritdoc/>
    public bool HasUnpublishedWrites => engine.HasUnpublishedWrites;

    /// <inheritdoc/>
    public CondemnedChunks Condemned => engine.Garbage.Condemned;

    /// <inheritdoc/>
    public void Upkeep()
    {
        if (members is not null)
        {
            log.Prune(members.Stable(log.Positions));
        }
    }

    /// <inheritdoc/>
    public void MembersChanged() => log.Reconsider();

    /// <inheritdoc/>
    public IReadOnlyList<string> Findings => [.. log.Findings.Select(finding => $"{finding.Log}: {finding.Detail}")];

    /// <inheritdoc/>
    public void Share()
    {
        if (log.Alone)
        {
            log.Alone = false;
        }
    }

    /// <inheritdoc/>
    public long IndexBytes => index.Bytes;

    /// <inheritdoc/>
    public void UseKeyring(VolumeKeyring keyring) => log.Keys = keyring;

    /// <inheritdoc/>
    public async ValueTask<Result<VolumeContents, VolumeError>> Contents(string path, CancellationToken cancellation)
    {
        Result<VolumeChunks, VolumeError> walked = await engine.ChunksBelow(path, cancellation);
        return walked.TryGet(out VolumeChunks? found, out VolumeError error)
            ? new VolumeContents(found.Files, [.. found.Chunks.Select(chunk => chunk.Address)], found.HasUnpublishedWrites)
            : error;
    }

    /// <inheritdoc/>
    public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax) =>
        [.. log.BlocksAfter(held, bytesMax).Select(block => new SharedBlock(block.Log, block.Position, block.Bytes))];

    /// <inheritdoc/>
    public async ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks) =>
        await workers.Run(WorkPriority.Foreground, () => ReceiveNow(blocks));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await engine.DisposeAsync();
        await log.DisposeAsync();
        index.Dispose();
    }

    private Result<Unit, string> ReceiveNow(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
    {
        string? wrong = null;
        foreach (ReadOnlyMemory<byte> block in blocks)
        {
            ReceiveOutcome outcome = log.Receive(block);
            if (outcome is not (ReceiveOutcome.Accepted or ReceiveOutcome.Held))
            {
                wrong ??= $"a block of volume {log.Volume.Short}: {outcome}";
            }
        }

        return !log.Commit().TryGet(out _, out Cairn.Storage.StoreError error) ? error.ToString()
            : wrong is null ? Unit.Value
            : wrong;
    }
}
