using System.Buffers;
using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Sync;
using Cairn.Node.Control;
using Cairn.Node.Logs;
using Cairn.Node.Peers;
using Cairn.Storage;
using Cairn.Storage.Logs;

namespace Cairn.Node.Pool;

/// <summary>The pool's own log: who is a member, which volumes there are, who was granted which key.</summary>
/// <remarks>
/// Invariants: a block is in the log store and synced before it is folded or shown to a peer; blocks of authors not known yet
/// wait; blocks sealed under a key not held yet are kept, passed on, and folded when the key comes. Blocks of every key ever
/// granted are folded, and <see cref="PoolApplier"/> decides what has effect (docs/decisions/authority.md).
/// The whole log is folded again at start and when a key comes: it is small. Every run of the daemon writes a new
/// incarnation, so a restored backup is never a fork. Thread: the engine's loop; <see cref="State"/> from any.
/// </remarks>
internal sealed class PoolLog : ISharedLog, IMembers
{
    private readonly List<byte[]> _waiting = [];
    private readonly List<LogBlock> _folded = [];
    private readonly NodePorts _ports;
    private readonly LogStore _store;
    private readonly NodeDiary _diary;
    private readonly NodeId _founder;
    private readonly ReadOnlyMemory<byte> _founderKey;
    private readonly LogExchange _exchange;
    private VolumeKeyring _keyring;
    private TouchedTable _table = new(new MemoryTable());
    private OrderedFold _fold;
    private bool _hasUnread;
    private bool _hasNewKeys;
    private LogId? _own;
    private volatile PoolState _state = PoolState.Empty;

    /// <summary>Opens the log of a home and folds it.</summary>
    public PoolLog(NodePorts ports, LogStore store, NodeDiary diary, PoolId pool, ReadOnlyMemory<byte> founderKey, VolumeKeyring keyring)
    {
        _ports = ports;
        _store = store;
        _diary = diary;
        _founderKey = founderKey;
        _founder = Signatures.NodeOf(founderKey.Span);
        _keyring = keyring;
        Volume = VolumeOf(pool);
        Pool = pool;
        _exchange = new LogExchange(Volume, HashOf);
        _fold = new OrderedFold(_table, new PoolApplier(Pool));
        Load();
    }

    /// <inheritdoc/>
    public event Action? BlocksReady;

    /// <summary>The fold changed.</summary>
    public event Action? Changed;

    /// <summary>A member is about to be granted, and can write as soon as it is.</summary>
    public event Action? Granting;

    /// <summary>The log's keyring grew: to be kept in the home.</summary>
    public event Action? KeyringChanged;

    /// <summary>The pool.</summary>
    public PoolId Pool { get; }

    /// <inheritdoc/>
    public VolumeId Volume { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<NodeId> Forked => _exchange.Forked;

    /// <inheritdoc/>
    public LogPositions Positions => _exchange.Positions;

    /// <summary>What the log amounts to.</summary>
    public PoolState State => _state;

    /// <summary>The founder's identity key.</summary>
    public ReadOnlyMemory<byte> FounderKey => _founderKey;

    /// <summary>The keys that open the log.</summary>
    public VolumeKeyring Keyring => _keyring;

    /// <summary>The volume whose id is the pool's.</summary>
    public static VolumeId VolumeOf(PoolId pool) => new(pool.Value);

    /// <inheritdoc/>
    public ReadOnlyMemory<byte> PublicKeyOf(NodeId author) =>
        State.Members.TryGetValue(author, out Member? member) ? member.PublicKey.AsMemory()
        : author == _founder ? _founderKey
        : default;

    /// <inheritdoc/>
    public AuthorStanding StandingOf(LogId log, ulong blockSeq) => StandingIn(Volume, log, blockSeq);

    /// <summary>Whether a block of a volume's log may be folded.</summary>
    public AuthorStanding StandingIn(VolumeId volume, LogId log, ulong blockSeq) =>
        PublicKeyOf(log.Author).IsEmpty ? AuthorStanding.Unknown
        : !State.Members.ContainsKey(log.Author) || State.Accepts(volume, log, blockSeq) ? AuthorStanding.Accepted
        : AuthorStanding.Revoked;

    /// <inheritdoc/>
    public IReadOnlyList<SharedBlock> BlocksAfter(LogPositions held, int bytesMax)
    {
        List<SharedBlock> blocks = [];
        int bytes = 0;
        foreach (BlockRange range in _exchange.ToSend(held))
        {
            for (ulong seq = range.First; seq <= range.Last && bytes < bytesMax; seq++)
            {
                if (ReadBlock(range.Log, seq) is not { } encoded || !LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _))
                {
                    break;
                }

                bytes += encoded.Length;
                blocks.Add(new SharedBlock(range.Log, new LogPosition(seq, block.LastTransaction), encoded));
            }
        }

        return blocks;
    }

    /// <inheritdoc/>
    public ValueTask<Result<Unit, string>> Receive(IReadOnlyList<ReadOnlyMemory<byte>> blocks)
    {
        string? problem = null;
        bool isNews = false;
        List<byte[]> todo = [.. blocks.Select(block => block.ToArray()), .. _waiting];
        _waiting.Clear();
        for (bool again = true; again;)
        {
            again = false;
            foreach (byte[] encoded in todo.ToArray())
            {
                Taken taken = Take(encoded, out string? why);
                problem ??= why;
                if (taken != Taken.Waits)
                {
                    todo.Remove(encoded);
                    again |= taken == Taken.New;
                    isNews |= taken == Taken.New;
                }
            }

            if (again)
            {
                Refresh();
            }
        }

        _waiting.AddRange(todo.Take(256));
        if (isNews)
        {
            Changed?.Invoke();
        }

        return ValueTask.FromResult(problem is null ? Result<Unit, string>.Ok(Unit.Value) : Result<Unit, string>.Fail(problem));
    }

    /// <summary>Writes a transaction of this node: signed, on stable storage and folded when this returns.</summary>
    /// <param name="primitives">Its content.</param>
    /// <param name="older">Seals under this epoch, for members that lack the current one; null: under the current one.</param>
    public Result<Unit, StoreError> Append(ImmutableArray<Primitive> primitives, EpochId? older = null)
    {
        if (primitives.Any(static primitive => primitive is GrantMember or RecoverMember))
        {
            Granting?.Invoke();
        }

        NodeId self = _ports.Identity.Node;
        LogId log = _own ??= NewOwn();
        Transaction transaction = _fold.Author(log, WallTime.From(_ports.Time.GetUtcNow()), primitives);
        ArrayBufferWriter<byte> plain = new(4096);
        TransactionCodec.EncodeRun([transaction], plain);
        ChainTip tip = _exchange.TipOf(log);
        EpochKey epoch = KeyFor(older);
        byte[] payload = new byte[plain.WrittenCount + LogCipher.Overhead];
        LogCipher.Seal(epoch, Volume, log, tip.BlockSeq + 1, plain.WrittenSpan, payload);
        LogBlock block = new(
            Volume, log, tip.BlockSeq + 1, transaction.Id.Seq, transaction.Id.Seq, tip.Hash, epoch.Id, payload, default);
        byte[] unsigned = LogBlockCodec.EncodeUnsigned(block);
        byte[] signature = new byte[LogBlock.SignatureSize];
        _ports.Identity.Sign(unsigned, signature);
        byte[] encoded = LogBlockCodec.Sign(unsigned, signature);
        Result<Unit, StoreError> kept = Keep(block, encoded);
        if (kept.IsOk)
        {
            _folded.Add(block);
            TakeKeys(self, [transaction]);
            _fold.ApplyLocal(transaction);
            Refresh();
            Changed?.Invoke();
            BlocksReady?.Invoke();
        }

        return kept;
    }

    /// <summary>An incarnation that no run before had: also above logs that are here but cannot be read.</summary>
    private LogId NewOwn()
    {
        NodeId self = _ports.Identity.Node;
        uint last = _exchange.Positions.Logs.Select(static pair => pair.Key).Concat(_store.Logs(Volume))
            .Where(id => id.Author == self).Select(static id => id.Incarnation).DefaultIfEmpty(0U).Max();
        return new LogId(self, Incarnations.After(last, _ports.Entropy));
    }

    /// <summary>The key to seal under: the current one, or an older one that whoever is being granted keys can open.</summary>
    private EpochKey KeyFor(EpochId? older)
    {
        if (older is { } id && _keyring.TryGet(id, out EpochKey? known))
        {
            return known;
        }

        EpochId? current = KeyGrants.CurrentEpoch(State, Volume);
        return current is { } epoch && _keyring.TryGet(epoch, out EpochKey? key) ? key : _keyring.Current;
    }

    /// <summary>Takes a block in; what it grants counts after <see cref="Refresh"/>, which is long in a pool that has seen many volumes.</summary>
    private Taken Take(byte[] encoded, out string? problem)
    {
        problem = null;
        if (!LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out LogError error))
        {
            problem = $"a block of the pool's log is {error}";
            return Taken.Not;
        }

        BlockHash hash = LogBlockCodec.Hash(encoded);
        BlockVerdict verdict = _exchange.Judge(block, hash);
        switch (verdict)
        {
            case BlockVerdict.Held:
                return Taken.Not;
            case BlockVerdict.Gap:
                return Taken.Waits;
            case BlockVerdict.Next or BlockVerdict.Fork:
                break;
            default:
                problem = $"a block that does not belong to the log of {block.Log}";
                return Taken.Not;
        }

        ReadOnlyMemory<byte> key = PublicKeyOf(block.Log.Author);
        if (key.IsEmpty)
        {
            return verdict == BlockVerdict.Fork ? Taken.Not : Taken.Waits;
        }

        if (!_ports.CheckSignature(key.Span, LogBlockCodec.SignedBytes(encoded), block.Signature.Span))
        {
            problem = $"a block with a bad signature in the name of {block.Log}";
            return Taken.Not;
        }

        if (verdict == BlockVerdict.Fork)
        {
            _exchange.NoteFork(block.Log.Author);
            problem = $"two histories of {block.Log}, both signed: a copied home, or a stolen key";
            return Taken.Not;
        }

        if (!Keep(block, encoded).TryGet(out _, out StoreError failure))
        {
            problem = failure.ToString();
            return Taken.Not;
        }

        FoldBlock(block);
        return Taken.New;
    }

    private Result<Unit, StoreError> Keep(LogBlock block, byte[] encoded)
    {
        Result<Unit, StoreError> kept = _store.Append(Volume, block.Log, block.Seq, encoded);
        kept = kept.IsOk ? _store.Commit() : kept;
        if (kept.IsOk)
        {
            _exchange.Accept(block, LogBlockCodec.Hash(encoded));
        }
        else
        {
            _diary.Add(LogLevel.Error, "pool log", kept.Error.ToString());
        }

        return kept;
    }

    private void FoldBlock(LogBlock block)
    {
        _folded.Add(block);
        if (!_keyring.TryGet(block.Epoch, out _))
        {
            _hasUnread = true;
            return;
        }

        byte[] plain = new byte[Math.Max(0, block.Payload.Length - LogCipher.Overhead)];
        bool opened = LogCipher.Open(_keyring, block.Epoch, block.Log, block.Seq, block.Payload.Span, plain).IsOk;
        Result<ImmutableArray<Transaction>, LogError> run =
            TransactionCodec.DecodeRun(plain, new TransactionId(block.Log, block.FirstTransaction));
        if (!opened || !run.TryGet(out ImmutableArray<Transaction> transactions, out _))
        {
            // Under another key than the one that is held for its epoch, perhaps, which may come yet.
            _hasUnread |= !opened;
            _diary.Add(LogLevel.Error, "pool log", $"block {block.Seq} of {block.Log} is signed but cannot be read");
            return;
        }

        TakeKeys(block.Log.Author, transactions);
        _fold.Receive(transactions);
    }

    /// <summary>Reads the table anew; when a key came, folds again with what it opens.</summary>
    private void Refresh()
    {
        while (_hasNewKeys && _hasUnread)
        {
            FoldAgain();
        }

        _state = PoolApplier.Read(_table, _state);
    }

    private void FoldAgain()
    {
        LogBlock[] blocks = [.. _folded];
        _folded.Clear();
        _hasUnread = false;
        _hasNewKeys = false;
        _table = new TouchedTable(new MemoryTable());
        _fold = new OrderedFold(_table, new PoolApplier(Pool));
        foreach (LogBlock block in blocks)
        {
            FoldBlock(block);
        }
    }

    /// <summary>Takes the keys that a block grants to this node.</summary>
    /// <remarks>
    /// Before the fold, for the grant of a key may depend on what is sealed under it. A key that nobody means is no harm: it
    /// opens nothing. One that a member grants first in the place of another is: an admin's takes its place.
    /// </remarks>
    private void TakeKeys(NodeId granter, ImmutableArray<Transaction> transactions)
    {
        VolumeKeyring ring = _keyring;
        foreach (GrantKey grant in transactions.SelectMany(transaction => transaction.Primitives).OfType<GrantKey>())
        {
            KeyGrant wrapped = new(grant.Volume, grant.Epoch, grant.Member, granter, [.. grant.WrappedKey.Span]);
            if (grant.Volume == Volume && grant.Member == _ports.Identity.Node
                && (!ring.TryGet(grant.Epoch, out EpochKey? held) || IsAdmin(granter))
                && KeyGrants.Open(_ports.Identity, PublicKeyOf(granter).Span, wrapped) is { } opened)
            {
                EpochKey key = new(grant.Epoch, opened);
                ring = held is null ? ring.With(key) : held.Bytes.SequenceEqual(key.Bytes) ? ring : ring.Replacing(key);
            }
        }

        if (!ReferenceEquals(ring, _keyring))
        {
            _keyring = ring;
            _hasNewKeys = true;
            KeyringChanged?.Invoke();
        }
    }

    private bool IsAdmin(NodeId node) => State.Members.TryGetValue(node, out Member? member) && member.IsAuthority;

    private void Load()
    {
        List<byte[]> blocks = [];
        foreach (LogId log in _store.Logs(Volume))
        {
            ulong last = _store.LastSeq(Volume, log);
            for (ulong seq = 1; seq <= last && ReadBlock(log, seq) is { } encoded; seq++)
            {
                blocks.Add(encoded);
            }
        }

        // Authors and keys are granted by blocks of other logs: read in rounds until nothing new can be read.
        for (int left = -1; blocks.Count != left && blocks.Count > 0;)
        {
            left = blocks.Count;
            blocks.RemoveAll(encoded => Take(encoded, out _) != Taken.Waits);
            Refresh();
        }

        _waiting.AddRange(blocks);
    }

    private byte[]? ReadBlock(LogId log, ulong seq)
    {
        if (_store.Read(Volume, log, seq).TryGet(out byte[]? encoded, out StoreError error))
        {
            return encoded;
        }

        _diary.Add(LogLevel.Warning, "pool log", $"block {seq} of {log} is damaged and asked for again: {error}");
        return null;
    }

    private BlockHash? HashOf(LogId log, ulong seq) =>
        _store.Read(Volume, log, seq).TryGet(out byte[]? encoded, out _) ? LogBlockCodec.Hash(encoded) : null;

    private enum Taken
    {
        Not,
        New,
        Waits,
    }
}
