using System.Security.Cryptography;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Control;
using Cairn.Node.Garbage;
using Cairn.Node.LocalFiles;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Engine;

/// <summary>Opens a node's volumes over one journal.</summary>
public sealed class EngineVolumes : IVolumeFactory
{
    private const int ProblemsShownMax = 10;

    private readonly NodeStores _stores;
    private readonly Journal _journal;
    private readonly byte[] _homeSecret;
    private readonly JournalCipher _cipher;
    private readonly RecoveredJournal _recovered;
    private readonly List<NodeProblem> _problems = [];
    private readonly Lock _gate = new();

    private EngineVolumes(NodeStores stores, Journal journal, RecoveredJournal recovered)
    {
        _stores = stores;
        _journal = journal;
        _recovered = recovered;
        _problems.AddRange(recovered.Damage.TakeLast(ProblemsShownMax).Select(finding => new NodeProblem(
            DamageReport.Code,
            $"Part of the journal was lost from this disk: {finding.Error.Where} ({finding.Error.Detail}).",
            "Files that were being written when the daemon stopped may lack their last changes: look at those.")));
        _homeSecret = HomeSecret(stores.Ports.Identity);
        _cipher = new JournalCipher(_homeSecret, stores.Ports.Entropy);
    }

    /// <inheritdoc/>
    public IReadOnlyList<NodeProblem> Problems
    {
        get
        {
            lock (_gate)
            {
                return [.. _problems];
            }
        }
    }

    /// <summary>Opens and replays the journal of a home.</summary>
    public static Result<IVolumeFactory, StoreError> Open(NodeStores stores)
    {
        NodePorts ports = stores.Ports;
        JournalOptions options = JournalOptions.ForSpace(stores.Options.SpaceBytes);
        Result<Journal, StoreError> opened = Journal.Open(ports.Disk, options, ports.RunInBackground);
        if (!opened.TryGet(out Journal? journal, out StoreError error))
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
    public IIndexStore? TableOfNew(VolumeId volume)
    {
        if (_stores.Logs.Logs(volume).Count > 0 || _recovered.Waiting.Contains(volume))
        {
            return null;
        }

        SealedIndex index = OpenIndex(IndexNameOf(volume));
        if (!TableFill.IsVouched(index))
        {
            return index;
        }

        index.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public SlotFill? Lacks(VolumeSetting setting, MadeCheckpoint checkpoint)
    {
        CheckpointShelf shelf = ShelfOf(setting);
        if (!shelf.Keeps(checkpoint.Hash))
        {
            return new SlotFill(shelf, checkpoint) { OwnsShelf = true };
        }

        shelf.Dispose();
        return null;
    }

    /// <inheritdoc/>
    public Result<IHostedVolume, StoreError> Open(VolumeSetting setting)
    {
        VolumeId shared = setting.Keyring.Volume;
        bool isAlone = setting.Garbage is { Writers.Count: 1 };
        CheckpointShelf shelf = ShelfOf(setting);
        Result<OpenedVolume, StoreError> opened = Open(
            IndexNameOf(shared), setting.Keyring, setting.Members, isAlone, SharedParts(setting), shelf,
            needsNoPast: setting.Volume.IsPurged, setting.Elsewhere, awaitsOwn: !setting.Volume.IsRemoved);
        if (!opened.IsOk)
        {
            shelf.Dispose();
            return opened.Error;
        }

        VolumeKeyring keys = PrivateVolume.Keyring(_homeSecret, shared);
        PrivateVolume local = new(() => OpenPrivate(setting.Volume, keys));
        if (_stores.Logs.Logs(keys.Volume).Count > 0 || _recovered.Waiting.Contains(keys.Volume))
        {
            _ = local.Open();
        }

        CheckpointMaker maker = new(opened.Value.Log, _stores.Ports.Workers, shelf)
        {
            StepMin = _stores.Options.TableFrom,
        };
        opened.Value.Log.Compaction.WorthBytes = _stores.Options.DropBytesMin;
        return new HostedVolume(opened.Value, local, setting.Garbage, _stores.Ports.Workers, maker, shelf)
        {
            MayDrop = () => _stores.Options.DropsBlocks && setting.MayDrop(),
        };
    }

    /// <inheritdoc/>
    public bool Holds(VolumeId volume) =>
        _stores.Logs.Logs(volume).Count > 0
        || _stores.Logs.Logs(PrivateVolume.Keyring(_homeSecret, volume).Volume).Count > 0;

    /// <inheritdoc/>
    public Result<Unit, StoreError> Delete(VolumeId volume)
    {
        VolumeId local = PrivateVolume.Keyring(_homeSecret, volume).Volume;
        string[] indexes =
        [
            IndexNameOf(volume), LocalNameOf(local),
            .. Enumerable.Range(0, CheckpointShelf.IndexesMax).Select(slot => CheckpointNameOf(volume, slot)),
        ];
        foreach (string name in indexes)
        {
            using IIndexStore index = _stores.Ports.OpenIndex(name);
            if (!index.Clear().TryGet(out _, out IndexError fault))
            {
                return new StoreError(StoreErrorKind.InputOutput, name, fault.Detail);
            }
        }

        // The logs go last: while they are here, the next start knows that there is something to delete.
        Result<Unit, StoreError> deleted = _stores.Logs.Remove(local);
        deleted = deleted.IsOk ? _stores.Logs.Remove(volume) : deleted;
        return deleted.IsOk ? _stores.Logs.Commit() : deleted;
    }

    /// <inheritdoc/>
    public void Forget(VolumeId volume)
    {
        // A start finds the records of every segment that is still there. Nobody opens this volume, so nobody else gives them back.
        IReadOnlyList<VolumeId> waiting = _recovered.Waiting;
        VolumeId[] gone = waiting.Count == 0 ? [] : [volume, PrivateVolume.Keyring(_homeSecret, volume).Volume];
        foreach (RecoveredRecord record in gone.SelectMany(_recovered.Take))
        {
            _journal.Release(record.Position);
        }
    }

    private Result<OpenedVolume, StoreError> OpenPrivate(PoolVolume shared, VolumeKeyring keys)
    {
        IIdentity self = _stores.Ports.Identity;
        return Open(
            LocalNameOf(keys.Volume), keys, new OnlyMember(self), isAlone: true,
            (log, index) => Parts(shared.Name, log, index) with
            {
                IsPrivate = true,
                Members = new LoneMember(self.Node),
                Garbage = new GarbageOptions
                {
                    IsPrivate = true,
                    Keep = Retention.None,
                    IsRemoved = shared.IsRemoved,
                },
            });
    }

    private Func<ReplicatedLog, IIndexStore, VolumeParts> SharedParts(VolumeSetting setting) =>
        (log, index) => Parts(setting.Volume.Name, log, index) with
        {
            AuthorName = _stores.Options.Name,
            Created = setting.Volume.Created,
            Source = setting.Source,
            Replication = setting.Replication,
            Members = setting.Garbage,
            Garbage = new GarbageOptions { IsRemoved = setting.Volume.IsRemoved },
            HasPoolRoom = setting.HasPoolRoom,
            IsClosed = setting.IsClosed,
            Unreadable = setting.Unreadable,
            Refused = setting.Refused,
            OpenTwice = setting.OpenTwice,
            Space = () =>
            {
                (long total, long free) = setting.PoolSpace();
                return new VolumeSpace(total, free, 0);
            },
        };

    private static string IndexNameOf(VolumeId shared) => "volume-" + shared.Value.ToHex();

    private static string LocalNameOf(VolumeId local) => "local-" + local.Value.ToHex();

    private static string CheckpointNameOf(VolumeId shared, int slot) => slot < CheckpointShelf.SlotsMax
        ? $"checkpoint-{shared.Value.ToHex()}-{slot}"
        : $"kept-{shared.Value.ToHex()}";

    private CheckpointShelf ShelfOf(VolumeSetting setting) =>
        new(slot => OpenIndex(CheckpointNameOf(setting.Keyring.Volume, slot)), setting.Standing)
        {
            Settled = setting.Settled,
            Aging = setting.Aging,
        };

    private SealedIndex OpenIndex(string name) =>
        SealedIndex.Open(_stores.Ports.OpenIndex(name), _homeSecret, _stores.Ports.Entropy);

    private VolumeParts Parts(string name, ReplicatedLog log, IIndexStore index) => new()
    {
        Name = name,
        Log = log,
        Store = _stores.Chunks,
        Index = index,
        Entropy = _stores.Ports.Entropy,
        Time = _stores.Ports.Time,
        Workers = _stores.Ports.Workers,
        IsDiskFull = () => SpaceKeeper.DiskProblem(_stores.Ports.Disk) is not null,
    };

    private Result<OpenedVolume, StoreError> Open(
        string indexName, VolumeKeyring keys, IMembers members, bool isAlone,
        Func<ReplicatedLog, IIndexStore, VolumeParts> parts, CheckpointShelf? checkpoints = null,
        bool needsNoPast = false, Func<LogPositions>? elsewhere = null, bool awaitsOwn = false)
    {
        NodePorts ports = _stores.Ports;
        SealedIndex index = OpenIndex(indexName);
        LogPorts logPorts = new()
        {
            Journal = _journal,
            JournalCipher = _cipher,
            Recovered = _recovered,
            Blocks = _stores.Logs,
            Index = index,
            Checkpoints = checkpoints,
            NeedsNoPast = needsNoPast,
            Elsewhere = elsewhere ?? LogPorts.Nowhere,
            Identity = ports.Identity,
            CheckSignature = ports.CheckSignature == Signatures.CheckEcdsa ? null : ports.CheckSignature,
            Members = members,
            Entropy = ports.Entropy,
            Time = ports.Time,
            Workers = ports.Workers,
        };
        var applier = new TreeApplier();
        applier.Missed.Author = awaitsOwn ? ports.Identity.Node : default;
        Result<ReplicatedLog, StoreError> opened = ReplicatedLog.Open(
            logPorts, keys, applier, out IReadOnlyList<RecoveredRecord> others);
        if (!opened.TryGet(out ReplicatedLog? log, out StoreError error))
        {
            index.Dispose();
            return error;
        }

        if ((index.Fault ?? log.IndexFault) is { } fault)
        {
            lock (_gate)
            {
                _problems.Add(new NodeProblem(
                    DamageReport.Code,
                    $"The index {indexName} could not be used and was made anew: {fault}.",
                    "Nothing to do now. If this comes again, check this machine's disk."));
            }
        }

        // Whoever is alone never has to undo, and nobody else holds what is in doubt.
        log.Alone = isAlone;
        if (isAlone)
        {
            log.Settle(LogPositions.Empty);
        }

        return new OpenedVolume(VolumeEngine.Open(parts(log, index), others), log, index);
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

    /// <summary>The only one who writes a private volume.</summary>
    private sealed class OnlyMember(IIdentity self) : IMembers
    {
        public ReadOnlyMemory<byte> PublicKeyOf(NodeId author) => author == self.Node ? self.PublicKey : default;

        public AuthorStanding StandingOf(LogId log, ulong blockSeq) =>
            log.Author == self.Node ? AuthorStanding.Accepted : AuthorStanding.Unknown;
    }
}
