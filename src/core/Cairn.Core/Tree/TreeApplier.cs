using System.Buffers.Binary;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tree.Applying;
using Cairn.Core.Tree.Records;
using Cairn.Core.Tree.Returning;

namespace Cairn.Core.Tree;

/// <summary>What a volume's transactions mean: the namespace as a function of the history.</summary>
/// <remarks>
/// It never fails and never asks anything but the table. A primitive that makes no sense at its point in the order (its
/// object is unknown, its directory is not one) has no effect; members that tell the truth never make such a one.
/// Primitives of the pool's log have no effect here.
/// </remarks>
public sealed class TreeApplier : ITransactionApplier
{
    /// <summary>Grows with every change of what a transaction does to the table; a table folded before is folded again.</summary>
    /// <remarks>
    /// 2: a garbage mark is its own member's to set, and filed under it (0x1F). 3: what limits of folders leave without effect
    /// is not said, where it is repeated.
    /// </remarks>
    public const byte RulesVersion = 3;

    private readonly WorkingSet _work = new();
    private readonly EntryRules _entries;
    private readonly VersionRules _versions;
    private readonly GarbageRules _garbage;
    private readonly KeepingTable _keeping = new();
    private readonly SnapshotRules _snapshots;

    /// <summary>An applier without state of its own.</summary>
    public TreeApplier()
    {
        _entries = new EntryRules(_work);
        _versions = new VersionRules(_work, _entries);
        _garbage = new GarbageRules(_work);
        _snapshots = new SnapshotRules(_keeping);
    }

    /// <summary>Whose transactions are obeyed; whoever changes it folds again what is judged otherwise by it.</summary>
    public WriteRights Rights { get; set; } = WriteRights.None;

    /// <summary>What an author's work was about that was not there any more.</summary>
    public MissedObjects Missed { get; } = new();

    /// <summary>Obeys other rights from here on, and forgets in the table what only the ones before asked for.</summary>
    /// <remarks>What is judged otherwise by them is to be applied again.</remarks>
    public void Obey(WriteRights rights, WriteRights before, ITreeTable state)
    {
        Rights = rights;
        foreach (TransactionId mark in before.Folders.Marks.Except(rights.Folders.Marks))
        {
            SeenLimits.Forget(state, mark);
        }
    }

    /// <inheritdoc/>
    public bool Apply(Transaction transaction, ITreeTable state) => Apply(transaction, state, []);

    /// <inheritdoc/>
    public bool IsAboutWhatWasSeen(Transaction transaction)
    {
        foreach (Primitive primitive in transaction.Primitives)
        {
            if (primitive is Snapshot { Name.IsEmpty: false })
            {
                return !Rights.Refuses(transaction);
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public bool Apply(
        Transaction transaction, ITreeTable state, IReadOnlyList<TableChange> seenOtherwise)
    {
        FolderJudge? judge = JudgeOf(transaction, state);
        if (Rights.Refuses(transaction) || judge?.Denies(transaction.Primitives) == true)
        {
            Refuse(transaction.Id.Log.Author, state);
            return false;
        }

        if (judge?.IsLate(transaction) == true || IsSetAside(transaction))
        {
            return false;
        }

        _keeping.Begin(state);
        _work.Begin(transaction, _keeping, Rights.Folders, judge);

        // What the author saw was before its own transaction: marks are set before anything of it is done.
        foreach (Primitive primitive in transaction.Primitives)
        {
            if (primitive is Snapshot snapshot)
            {
                _snapshots.Apply(snapshot, transaction, seenOtherwise, Rights.Holds);
            }
        }

        foreach (Primitive primitive in transaction.Primitives)
        {
            Apply(primitive);
        }

        _work.Commit();
        return true;
    }

    /// <inheritdoc/>
    public void LeaveOut(Transaction transaction, ITreeTable state) =>
        SeenLimits.Note(transaction, Rights.Folders.Marks, state);

    /// <inheritdoc/>
    public void Forget()
    {
        _work.Clear();
        _keeping.Forget();
    }

    /// <summary>Whoever judges a transaction by the folders that it touches; null if its author may edit all.</summary>
    private FolderJudge? JudgeOf(Transaction transaction, ITreeTable state)
    {
        if (Rights.Folders.IsEmpty)
        {
            return null;
        }

        SeenLimits.Note(transaction, Rights.Folders.Marks, state);
        FolderVerdicts verdicts = Rights.Folders.For(transaction.Id);
        return verdicts.IsLimited ? new FolderJudge(state, verdicts) : null;
    }

    /// <summary>Whether a transaction does nothing at all: so are those folded that were written by who was revoked.</summary>
    private static bool IsSetAside(Transaction transaction) =>
        transaction.Primitives is [Rescue { Addresses.IsEmpty: true }];

    /// <summary>Nothing of it is done; that it was there is counted, so that somebody can look after it.</summary>
    private static void Refuse(NodeId author, ITreeTable state)
    {
        byte[] key = TreeKeys.Node(TreeKeys.Refused, author);
        byte[] count = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(
            count, 1 + (state.Get(key) is { } before ? BinaryPrimitives.ReadInt64LittleEndian(before) : 0));
        state.Put(key, count);
    }

    private void Apply(Primitive primitive)
    {
        switch (primitive)
        {
            case CreateObject create:
                Create(create);
                break;
            case Place place:
                Meet(place.Object, place.Parent);
                _entries.Apply(place);
                break;
            case Unplace unplace:
                _entries.Apply(unplace);
                break;
            case Move move:
                Meet(move.Object, move.ToParent);
                _entries.Apply(move);
                break;
            case Exchange exchange:
                _entries.Apply(exchange);
                break;
            case WriteVersion write:
                Meet(write.Object, default);
                _versions.Apply(write);
                break;
            case DiscardHeads discard:
                _versions.Apply(discard);
                break;
            case SetAttributes set:
                SetAttributes(set);
                break;
            case SetExtendedAttribute set:
                SetExtendedAttribute(set);
                break;
            case Condemn condemn:
                _garbage.Apply(condemn);
                break;
            case Rescue rescue:
                _garbage.Apply(rescue);
                break;
            case Exclude exclude:
                _garbage.Apply(exclude);
                break;
            default:
                ApplyRegister(primitive);
                break;
        }
    }

    /// <summary>Looks whether the tree knows what an author works on, and into which folder that goes: the root is always there.</summary>
    private void Meet(ObjectId edited, ObjectId into)
    {
        TransactionId by = _work.Transaction.Id;
        if (by.Log.Author == Missed.Author && (_work.Load(edited) is null || IsNowhere(into)))
        {
            Missed.Note(new MissedEdit(by, edited));
        }
    }

    private bool IsNowhere(ObjectId folder) =>
        folder != default && _work.Load(folder) is null or { Detached: false, Places.Count: 0 };

    private void ApplyRegister(Primitive primitive)
    {
        switch (primitive)
        {
            case NameAuthor name:
                RegisterOwn(TreeKeys.AuthorName, name.Name);
                break;
            case SetRule rule when rule.Object == MarkPlace.Of(_work.Transaction.Id.Log.Author):
                RegisterOwn(TreeKeys.GarbageMark, rule.Rule);
                break;
            case SetRule rule:
                Register(TreeKeys.Rule, rule.Object.Value, rule.Rule);
                break;
            case SweepKept sweep:
                _snapshots.Apply(sweep);
                break;
            default:
                break;
        }
    }

    private void Create(CreateObject create)
    {
        if (create.Object != default)
        {
            if (!Rights.Folders.IsEmpty && _work.LoadExact(create.Object) is null)
            {
                // A rule from before there was the object is none of who may edit it.
                Register(TreeKeys.Rule, create.Object.Value, default);
            }

            _work.Add(new ObjectRecord
            {
                Id = create.Object,
                Kind = create.Type,
                Mode = create.Mode,
                UserId = create.UserId,
                GroupId = create.GroupId,
                Device = create.Device,
                Creator = _work.Transaction.Id.Log.Author,
                Created = _work.Transaction.Claimed,
                Changed = _work.Transaction.Claimed,
                Modified = create.Modified,
                LinkTarget = create.LinkTarget,
            });
        }
    }

    private void SetAttributes(SetAttributes set)
    {
        if (_work.Load(set.Object) is not { } record)
        {
            return;
        }

        record.Mode = set.Mode ?? record.Mode;
        record.UserId = set.UserId ?? record.UserId;
        record.GroupId = set.GroupId ?? record.GroupId;
        if (set.Modified is { } modified)
        {
            HeadRecord? head = set.Head == default
                ? record.Heads.FirstOrDefault()
                : record.Heads.Find(known => known.Is(set.Head));
            if (head is not null)
            {
                head.Modified = modified;
            }
            else if (record.Heads.Count == 0)
            {
                record.Modified = modified;
            }
        }

        record.Changed = _work.Transaction.Claimed;
        WorkingSet.Dirty(record);
    }

    private void SetExtendedAttribute(SetExtendedAttribute set)
    {
        if (_work.Load(set.Object) is not { } record)
        {
            return;
        }

        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        _work.Table.Put(
            TreeKeys.Named(key, TreeKeys.ExtendedAttribute, record.Id, set.Name.Span), set.Value?.ToArray());
        record.Changed = _work.Transaction.Claimed;
        WorkingSet.Dirty(record);
    }

    private void Register(byte tag, Bytes16 id, ReadOnlyMemory<byte> value)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        _work.Table.Put(TreeKeys.Id(key, tag, id), value.IsEmpty ? null : value.ToArray());
    }

    /// <summary>What only the author itself can say of itself.</summary>
    private void RegisterOwn(byte tag, ReadOnlyMemory<byte> value) => _work.Table.Put(
        TreeKeys.Node(tag, _work.Transaction.Id.Log.Author), value.IsEmpty ? null : value.ToArray());
}
