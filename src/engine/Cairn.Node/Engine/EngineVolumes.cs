using System.Security.Cryptography;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Engine;

/// <summary>Opens a node's volumes over one journal.</summary>
public sealed class EngineVolumes : IVolumeFactory
{
    private readonly NodeStores _stores;
    private readonly Journal _journal;
    private readonly byte[] _homeSecret;
    private readonly JournalCipher _cipher;
    private readonly RecoveredJournal _recovered;

    private EngineVolumes(NodeStores stores, Journal journal, RecoveredJournal recovered)
    {
        _stores = stores;
        _journal = journal;
        _recovered = recovered;
        _homeSecret = HomeSecret(stores.Ports.Identity);
        _cipher = new JournalCipher(_homeSecret, stores.Ports.Entropy);
    }

    /// <summary>Opens and replays the journal of a home.</summary>
    public static Result<IVolumeFactory, StoreError> Open(NodeStores stores)
    {
        NodePorts ports = stores.Ports;
        JournalOptions options = JournalOptions.ForSpace(stores.Options.SpaceBytes);
        Action<Action> background = action => _ = ports.Workers.Run(WorkPriority.Background, () =>
        {
            action();
            return Unit.Value;
        });
        if (!Journal.Open(ports.Disk, options, background).TryGet(out Journal? journal, out StoreError error))
        {
            return error;
        }

        if (!RecoveredJournal.Replay(journal).TryGet(out RecoveredJournal? recovered, out error))
        {
            journal.Dispose();
            return error;
        }

        return Result<IVolumeFactory, StoreError>.Ok(new EngineVolumes(stores, journal, recovered));
    }

    /// <inheritdoc/>
    public Result<IHostedVolume, StoreError> Open(VolumeSetting setting)
    {
        NodePorts ports = _stores.Ports;
        SealedIndex index = SealedIndex.Open(
            ports.OpenIndex("volume-" + setting.Keyring.Volume.Value.ToHex()), _homeSecret, ports.Entropy);
        LogPorts logPorts = new()
        {
            Journal = _journal,
            JournalCipher = _cipher,
            Recovered = _recovered,
            Blocks = _stores.Logs,
            Index = index,
            Identity = ports.Identity,
            Members = setting.Members,
            Time = ports.Time,
            Workers = ports.Workers,
        };
        Result<ReplicatedLog, StoreError> opened = ReplicatedLog.Open(
            logPorts, setting.Keyring, new TreeApplier(), out IReadOnlyList<RecoveredRecord> others);
        if (!opened.TryGet(out ReplicatedLog? log, out StoreError error))
        {
            index.Dispose();
            return error;
        }

        // Whoever is alone never has to undo.
        log.Alone = setting.Garbage is { Writers.Count: 1 };
        VolumeParts parts = new()
        {
            Name = setting.Volume.Name,
            AuthorName = _stores.Options.Name,
            Log = log,
            Store = _stores.Chunks,
            Source = setting.Source,
            Replication = setting.Replication,
            Index = index,
            Entropy = ports.Entropy,
            Time = ports.Time,
            Workers = ports.Workers,
            Members = setting.Garbage,
            HasPoolRoom = setting.HasPoolRoom,
            Space = () =>
            {
                (long total, long free) = setting.PoolSpace();
                return new VolumeSpace(total, free, 0);
            },
        };
        return new HostedVolume(VolumeEngine.Open(parts, others), log, setting.Garbage, index, ports.Workers);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _journal.Dispose();
        _cipher.Dispose();
        CryptographicOperations.ZeroMemory(_homeSecret);
        return default;
    }

    /// <summary>The secret that seals drafts and indexes: agreed by the identity key with itself; a locked node has none.</summary>
    private static byte[] HomeSecret(IIdentity identity)
    {
        byte[] shared = new byte[32];
        bool agreed = identity.TryAgree(identity.PublicKey.Span, shared);
        Invariant.That(agreed, "an identity that does not agree with itself");
        byte[] secret = HKDF.DeriveKey(HashAlgorithmName.SHA256, shared, 32, info: "cairn/home/1"u8.ToArray());
        CryptographicOperations.ZeroMemory(shared);
        return secret;
    }
}
