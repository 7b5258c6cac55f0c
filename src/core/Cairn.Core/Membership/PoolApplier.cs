using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>What the transactions of the pool's own log mean: members, volumes, keys, weights.</summary>
/// <remarks>
/// Authority is decided here and nowhere else, in the one total order, so that all nodes agree: an operation whose
/// author may not do it, at that place in the order, has no effect. The first grant, by which a key makes itself admin
/// of an empty pool, founds it. A revocation answered by one against its author suspends both until a third admin or
/// the recovery kit grants one of them again. The recovery key is never revoked, forgotten or made less.
/// docs/decisions/authority.md says what that can and cannot settle.
/// </remarks>
/// <param name="pool">Whose log: what the recovery key signs names it.</param>
public sealed class PoolApplier(PoolId pool) : ITransactionApplier
{
    /// <summary>Weights follow each other one by one; after the highest of all numbers nobody could publish any more.</summary>
    private const ulong VersionStepMax = 1 << 16;

    /// <inheritdoc/>
    public bool Apply(Transaction transaction, ITreeTable state) => Apply(transaction, state, []);

    /// <inheritdoc/>
    /// <remarks>
    /// Nobody who comes later may take back that a checkpoint is settled: the blocks before it may be gone. Nor that a member was
    /// forgotten by those who knew no better: they have gone by it.
    /// </remarks>
    public bool IsAboutWhatWasSeen(Transaction transaction) => transaction.Primitives.Any(
        primitive => primitive is SettleCheckpoint
            || (primitive is Exclude exclude && ExcludeRules.IsOfAnother(transaction, exclude)));

    /// <inheritdoc/>
    public bool Apply(Transaction transaction, ITreeTable state, IReadOnlyList<TableChange> seenOtherwise)
    {
        NodeId author = transaction.Id.Log.Author;
        foreach (Primitive primitive in transaction.Primitives)
        {
            switch (primitive)
            {
                case GrantMember grant:
                    Apply(state, author, grant);
                    break;
                case RecoverMember recover:
                    Apply(state, author, recover);
                    break;
                case RevokeMember revoke:
                    Apply(state, author, revoke);
                    break;
                case AssignUser assign:
                    Apply(state, author, assign);
                    break;
                case LimitMember limit:
                    Apply(state, author, limit);
                    break;
                case LimitVolume limit:
                    Apply(state, author, limit);
                    break;
                case LimitFolder said when MayMark(state, author, said.Volume, said.After):
                    PoolTable.AddToFolders(state, said.Volume, said);
                    break;
                case RenewMark said when MayMark(state, author, said.Volume, said.After):
                    PoolTable.AddToFolders(state, said.Volume, said);
                    break;
                case ReplaceMark said when MayMark(state, author, said.Volume, said.After):
                    PoolTable.AddToFolders(state, said.Volume, said);
                    break;
                case Exclude exclude:
                    ExcludeRules.Apply(state, transaction, exclude, seenOtherwise);
                    break;
                case CreateVolume create:
                    Apply(state, transaction, create);
                    break;
                case CloneVolume or CompleteClone or RemoveClone:
                    CloneRules.Apply(state, transaction, primitive);
                    break;
                case RemoveVolume or PurgeVolume or RenameVolume:
                    ChangeVolume(state, author, primitive);
                    break;
                case GrantKey grant:
                    Apply(state, author, grant);
                    break;
                case PublishWeights publish:
                    Apply(state, author, publish);
                    break;
                case VouchCheckpoint vouch:
                    CheckpointRules.Apply(state, transaction, vouch);
                    break;
                case SettleCheckpoint word:
                    CheckpointRules.Apply(state, transaction, word, seenOtherwise);
                    break;
                default:
                    // The tree's and the collector's primitives mean nothing in the pool's log.
                    break;
            }
        }

        return true;
    }

    /// <inheritdoc/>
    public void Forget()
    {
        // Nothing decoded is kept between transactions.
    }

    /// <summary>The state that a folded table amounts to.</summary>
    public static PoolState Read(ITreeTable table) => PoolReader.Read(table, PoolState.Empty, static _ => true);

    /// <summary>The state that a folded table amounts to.</summary>
    /// <param name="table">Which.</param>
    /// <param name="before">What it amounted to when this was last asked: what did not change since is taken from there.</param>
    public static PoolState Read(TouchedTable table, PoolState before) =>
        PoolReader.Read(table, before, table.TakeTouched());

    private static void Apply(ITreeTable state, NodeId author, GrantMember grant)
    {
        string? name = PoolTable.Text(grant.Name.Span);
        bool isValid = name is not null
            && grant.Role <= (byte)MemberRole.Recovery
            && Signatures.NodeOf(grant.PublicKey.Span) == grant.Member;
        if (!isValid || !MayGrant(state, author, grant))
        {
            return;
        }

        Member member = new(
            grant.Member, [.. grant.PublicKey.Span], name!, (MemberRole)grant.Role, MemberStanding.Active, []);
        PoolTable.PutMember(state, new PoolTable.MemberRow(member, default));
    }

    private static bool MayGrant(ITreeTable state, NodeId author, GrantMember grant)
    {
        Member? actor = PoolTable.GetMember(state, author)?.Member;
        bool demotesRecovery = grant.Role != (byte)MemberRole.Recovery && IsRecovery(state, grant.Member);
        bool founds = actor is null && author == grant.Member
            && grant.Role == (byte)MemberRole.Admin && !PoolTable.HasMembers(state);
        bool renamesItself = actor is { Standing: MemberStanding.Active }
            && author == grant.Member && (byte)actor.Role == grant.Role;
        return !demotesRecovery && (founds || renamesItself || actor is { IsAuthority: true });
    }

    /// <summary>Any member may let the holder of the recovery key in; an identity that was a member once, never.</summary>
    private void Apply(ITreeTable state, NodeId author, RecoverMember recover)
    {
        if (PoolTable.GetMember(state, author)?.Member is not { Standing: MemberStanding.Active } host
            || PoolTable.GetMember(state, recover.Recovery)?.Member is not { Role: MemberRole.Recovery } recovery
            || PoolTable.GetMember(state, recover.Member) is not null
            || PoolTable.Text(recover.Name.Span) is not { } name
            || Signatures.NodeOf(recover.PublicKey.Span) != recover.Member)
        {
            return;
        }

        byte[] signed = RecoverySigned(pool, host.PublicKey.AsSpan(), recover.PublicKey.Span);
        if (Signatures.CheckEcdsa(recovery.PublicKey.AsSpan(), signed, recover.Signature.Span))
        {
            Member member = new(
                recover.Member, [.. recover.PublicKey.Span], name, MemberRole.Admin, MemberStanding.Active, []);
            PoolTable.PutMember(state, new PoolTable.MemberRow(member, default));
        }
    }

    /// <summary>What the recovery key signs, so that one host lets one new identity in: docs/formats/peer-protocol.md.</summary>
    public static byte[] RecoverySigned(PoolId pool, ReadOnlySpan<byte> hostKey, ReadOnlySpan<byte> newKey) =>
        [.. "cairn recover/1\0"u8, .. pool.Value.ToArray(), .. hostKey, .. newKey];

    private static bool IsRecovery(ITreeTable state, NodeId member) =>
        PoolTable.GetMember(state, member)?.Member.Role == MemberRole.Recovery;

    private static void Apply(ITreeTable state, NodeId author, RevokeMember revoke)
    {
        if (PoolTable.GetMember(state, author) is not { } actor
            || PoolTable.GetMember(state, revoke.Member) is not { } target
            || target.Member.Role == MemberRole.Recovery)
        {
            return;
        }

        // A revocation by one who was revoked by its target: whoever came first in the order, neither may win by that.
        bool isMutual = actor.Member is { Standing: MemberStanding.Revoked, Role: not MemberRole.Member }
            && actor.ExcludedBy == revoke.Member
            && target.Member.IsAuthority;
        if (!isMutual && !actor.Member.IsAuthority)
        {
            return;
        }

        MemberStanding standing = isMutual ? MemberStanding.Suspended : MemberStanding.Revoked;
        ImmutableArray<AcceptedPosition> accepted =
        [
            .. revoke.Accepted.Select(tail =>
                new AcceptedPosition(tail.Volume, new LogId(revoke.Member, tail.Incarnation), tail.BlockSeq)),
        ];
        PoolTable.PutMember(state, new(target.Member with { Standing = standing, Accepted = accepted }, author));
        if (isMutual)
        {
            PoolTable.PutMember(state, actor with { Member = actor.Member with { Standing = standing } });
        }
    }

    private static void Apply(ITreeTable state, NodeId author, AssignUser assign)
    {
        if (PoolTable.IsAuthority(state, author)
            && PoolTable.GetMember(state, assign.Member) is not null
            && (assign.User.IsEmpty ? string.Empty : PoolTable.Text(assign.User.Span)) is { } user)
        {
            PoolTable.PutUser(state, assign.Member, user);
        }
    }

    private static void Apply(ITreeTable state, NodeId author, LimitMember limit)
    {
        if (PoolTable.IsAuthority(state, author)
            && PoolTable.GetMember(state, limit.Member) is not null)
        {
            PoolTable.AddLimit(state, limit);
        }
    }

    private static void Apply(ITreeTable state, NodeId author, LimitVolume limit)
    {
        if (PoolTable.IsAuthority(state, author)
            && PoolTable.GetVolume(state, limit.Volume) is not null)
        {
            PoolTable.AddLimit(state, limit);
        }
    }

    /// <summary>A mark speaks for its author alone: nobody can say that others had to see what they could not.</summary>
    private static bool MayMark(ITreeTable state, NodeId author, VolumeId volume, TransactionId mark) =>
        PoolTable.IsAuthority(state, author)
        && mark.Log.Author == author
        && PoolTable.GetVolume(state, volume) is not null;

    private static void Apply(ITreeTable state, Transaction transaction, CreateVolume create)
    {
        NodeId author = transaction.Id.Log.Author;
        if (PoolTable.IsAuthority(state, author)
            && PoolTable.Text(create.Name.Span) is { } name
            && PoolTable.GetVolume(state, create.Volume) is null)
        {
            PoolVolume volume = new(create.Volume, FreeName(state, name, create.Volume), IsRemoved: false)
            {
                Options = [.. create.Options.Span],
            };
            PoolTable.PutVolume(state, new(volume, author));
            PoolTable.PutCreated(state, create.Volume, transaction.Claimed);
        }
    }

    private static void ChangeVolume(ITreeTable state, NodeId author, Primitive primitive)
    {
        switch (primitive)
        {
            case RemoveVolume remove when !CloneRules.IsNeeded(state, remove.Volume):
                Change(state, author, remove.Volume,
                    row => row with { Volume = row.Volume with { IsRemoved = true } });
                break;
            case PurgeVolume purge:
                Change(state, author, purge.Volume, row => row with
                {
                    Volume = row.Volume with { IsPurged = row.Volume.IsRemoved },
                });
                break;
            case RenameVolume rename when PoolTable.Text(rename.Name.Span) is { } name:
                Change(state, author, rename.Volume, row => row with
                {
                    Volume = row.Volume with { Name = FreeName(state, name, rename.Volume) },
                });
                break;
            default:
                break;
        }
    }

    private static void Change(
        ITreeTable state, NodeId author, VolumeId volume, Func<PoolTable.VolumeRow, PoolTable.VolumeRow> change)
    {
        if (PoolTable.GetVolume(state, volume) is { } row
            && PoolTable.IsAuthority(state, author))
        {
            PoolTable.PutVolume(state, change(row));
        }
    }

    /// <summary>The name, or when another live volume has it, the name with the beginning of the id.</summary>
    internal static string FreeName(ITreeTable state, string name, VolumeId volume)
    {
        bool isTaken = PoolTable.Volumes(state).Any(other =>
            !other.IsRemoved && other.Volume != volume && string.Equals(other.Name, name, StringComparison.Ordinal));
        if (!isTaken)
        {
            return name;
        }

        string suffix = "~" + volume.Value.ToHex(4);
        while (System.Text.Encoding.UTF8.GetByteCount(name) + suffix.Length > PoolTable.TextBytesMax)
        {
            name = name[..^(char.IsLowSurrogate(name[^1]) ? 2 : 1)];
        }

        return name + suffix;
    }

    /// <summary>
    /// A first grant stands: nobody may put another in its place, but an admin in that of a member. A member chooses its
    /// place in the order, and its grant could come before all others and be no key at all.
    /// </summary>
    private static void Apply(ITreeTable state, NodeId author, GrantKey grant)
    {
        NodeId? granter = PoolTable.GranterOf(state, grant.Volume, grant.Epoch, grant.Member);
        bool isFree = granter is not { } first
            || (PoolTable.IsAuthority(state, author)
                && PoolTable.GetMember(state, first)?.Member.Role == MemberRole.Member);
        if (isFree && IsActive(state, author) && PoolTable.GetMember(state, grant.Member) is not null)
        {
            PoolTable.PutKey(
                state, new KeyGrant(grant.Volume, grant.Epoch, grant.Member, author, [.. grant.WrappedKey.Span]));
        }
    }

    private static void Apply(ITreeTable state, NodeId author, PublishWeights publish)
    {
        ulong version = PoolTable.GetWeights(state).Version;
        if (IsActive(state, author)
            && publish.Version >= version
            && publish.Version - version <= VersionStepMax
            && PlacementWeightsCodec.Decode(publish.Weights.Span).IsOk)
        {
            PoolTable.PutWeights(state, publish.Version, publish.Weights.Span);
        }
    }

    private static bool IsActive(ITreeTable state, NodeId node) =>
        PoolTable.GetMember(state, node)?.Member.Standing == MemberStanding.Active;
}
