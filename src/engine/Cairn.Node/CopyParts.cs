using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Repair;
using Cairn.Node.Replication;
using Cairn.Storage.Packs;

namespace Cairn.Node;

/// <summary>What of a node moves, remakes, counts and drops copies, wired.</summary>
internal sealed class CopyParts : IDisposable
{
    /// <summary>Wires them.</summary>
    /// <param name="ports">The world.</param>
    /// <param name="options">How to behave.</param>
    /// <param name="chunks">What is kept here.</param>
    /// <param name="view">The pool.</param>
    /// <param name="peers">Who is connected.</param>
    /// <param name="diary">Told what people should know.</param>
    /// <param name="isCondemned">Whether a volume has condemned a chunk.</param>
    /// <param name="isRemoved">Whether a volume has removed it here for that.</param>
    public CopyParts(
        NodePorts ports, NodeOptions options, ChunkStore chunks, PoolView view, PeerSet peers, NodeDiary diary,
        Func<ChunkAddress, bool> isCondemned, Func<ChunkAddress, bool> isRemoved)
    {
        BandwidthLimit limit = NodeSettings.Load(ports.Disk).Limit;
        SendLimiter = new RateLimiter(ports.Time) { BytesPerSecond = limit.SendBytesPerSecond };
        ReceiveLimiter = new RateLimiter(ports.Time) { BytesPerSecond = limit.ReceiveBytesPerSecond };
        DropProtocol drops = new(ports.Identity.Node);
        Replicator = new Replicator(ports, chunks, view, peers, diary, SendLimiter, drops);
        Server = new ChunkServer(ports, chunks, view, drops, SendLimiter) { IsBrought = Replicator.Brings };
        Inbox = new ChunkInbox(ports, chunks, diary, ReceiveLimiter, Server.Answer)
        {
            IsRemoved = isRemoved,
        };
        Source = new ReadSource(ports, options, view, peers, diary, ReceiveLimiter);
        Repair = new RepairLoop(ports, options, chunks, view, peers, Server, Source, diary)
        {
            IsCondemned = isCondemned,
        };
        Upkeep = new StoreUpkeep(ports, options, chunks, diary, Repair.Wake);
        Drops = new DropLoop(ports, chunks, view, peers, diary, drops)
        {
            IsCondemned = isCondemned,
            Owe = Replicator.OweAgain,
        };
        Census = new CopyCensus(view, peers);
    }

    public RateLimiter SendLimiter { get; }

    public RateLimiter ReceiveLimiter { get; }

    public Replicator Replicator { get; }

    public ChunkServer Server { get; }

    public ChunkInbox Inbox { get; }

    public ReadSource Source { get; }

    public RepairLoop Repair { get; }

    public StoreUpkeep Upkeep { get; }

    public DropLoop Drops { get; }

    public CopyCensus Census { get; }

    /// <summary>Begins what goes on by itself.</summary>
    public void Start()
    {
        Repair.Start();
        Upkeep.Start();
    }

    /// <summary>Ends it.</summary>
    public async Task Stop()
    {
        Replicator.Stop();
        SendLimiter.Stop();
        ReceiveLimiter.Stop();
        Repair.Stop();
        await Upkeep.Stop();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Repair.Dispose();
        Upkeep.Dispose();
    }
}
